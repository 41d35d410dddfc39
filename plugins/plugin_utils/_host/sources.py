# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files on the controller that ``src`` names, for modules that write them. Private to hpc.pytorch."""

from __future__ import annotations

import base64
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


def with_contents(action: ActionBase, arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """*arguments* with ``content_base64`` in place of ``src`` in each element of the option ``files``.

    :arg action: the action of a task; a file is searched as builtin copy does it, below ``files/`` of the role first.
    :raises AnsibleActionFail: an element has a content, too.
    :raises AnsibleError: there is no such file.
    """
    files = arguments.get("files")
    # Anything else is refused by the module, with its own message.
    if not isinstance(files, list):
        return dict(arguments)
    return dict(arguments, files=[_with_content(action, file) if isinstance(file, dict) else file for file in files])


def _with_content(action: ActionBase, file: dict[str, t.Any]) -> dict[str, t.Any]:
    if file.get("src") is None:
        return file
    if file.get("content") is not None or file.get("content_base64") is not None:
        raise AnsibleActionFail(
            "expected one of src, content and content_base64 for %s" % (file.get("path") or file.get("name"))
        )
    path = action._loader.get_real_file(action._find_needle("files", file["src"]))
    with open(path, "rb") as stream:
        encoded = base64.b64encode(stream.read()).decode("ascii")
    action._loader.cleanup_tmp_file(path)
    return dict({name: value for name, value in file.items() if name != "src"}, content_base64=encoded)
