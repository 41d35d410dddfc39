# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.node_files."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._node.stands import result_if_all_stands
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import UserStepAction, is_ordinary


class ActionModule(UserStepAction):
    """Runs the module on a node whose files do not stand. See the module's documentation."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """What the node says, or else the module."""
        # A user's answer goes through the checks of a step.
        if not is_ordinary(self._connection.become):
            result = result_if_all_stands(self, self._task.args, task_vars or {})
            if result is not None:
                return result
        return super().run(tmp, task_vars)
