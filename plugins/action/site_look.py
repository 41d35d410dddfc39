# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.site_look."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._node.digests import with_digests
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import UserStepAction


class ActionModule(UserStepAction):
    """See the module's documentation; this names a Python that runs no module, and sends digests of long contents."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module."""
        self._task.args = with_digests(self._task.args)
        return super().run(tmp, task_vars)
