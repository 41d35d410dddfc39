# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files on the controller that ``src`` names, and runs hpc.pytorch.host_files with their content."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.plugin_utils._host.sources import with_contents
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import run_module


class ActionModule(ActionBase):
    """Replaces ``src`` of each file by ``content_base64``, so that the module writes them like all others."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        result.update(run_module(self, with_contents(self, self._task.args), task_vars))
        return result
