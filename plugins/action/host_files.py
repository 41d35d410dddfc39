# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files on the controller that ``src`` names, and runs hpc.pytorch.host_files with their content."""

from __future__ import annotations

import base64
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import run_module


class ActionModule(ActionBase):
    """Replaces ``src`` of each file by ``content_base64``, so that the module writes them like all others."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        files = self._task.args.get("files") or []
        # Anything else is refused by the module, with its own message.
        if isinstance(files, list):
            files = [self._with_content(file) if isinstance(file, dict) else file for file in files]
        arguments = dict(self._task.args, files=files)
        result.update(run_module(self, arguments, task_vars))
        return result

    def _with_content(self, file: dict[str, t.Any]) -> dict[str, t.Any]:
        if file.get("src") is None:
            return file
        if file.get("content") is not None or file.get("content_base64") is not None:
            raise AnsibleActionFail("expected one of src, content and content_base64 for %s" % file.get("path"))
        # Searches the role's files/, as builtin copy does, and raises if there is no such file.
        path = self._loader.get_real_file(self._find_needle("files", file["src"]))
        with open(path, "rb") as stream:
            encoded = base64.b64encode(stream.read()).decode("ascii")
        self._loader.cleanup_tmp_file(path)
        return dict({name: value for name, value in file.items() if name != "src"}, content_base64=encoded)
