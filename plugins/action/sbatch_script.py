# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module hpc.pytorch.sbatch_script, mostly as another user, with the files that ``src`` names."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._host.sources import with_contents
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import UserStepAction


class ActionModule(UserStepAction):
    """See the module's documentation; this also keeps its result from being more than a report."""

    def arguments(self) -> dict[str, t.Any]:
        return with_contents(self, self._task.args)
