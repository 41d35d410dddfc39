# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.torch_check_allocation on the controller, which is a login node."""

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.modules.torch_check_allocation import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check.allocation import (
    Options,
    allocate,
    release,
)


class ActionModule(ActionBase):
    """Allocates a node for the time of some tasks, or releases it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        returned = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        returned["changed"] = False
        if self._task.check_mode:
            return dict(returned, skipped=True)
        try:
            options = Options.of(given)
            if options.state == "absent":
                release(options, self._environment())
            else:
                # The parent of the process that runs a task is the one that runs the play.
                returned.update(allocate(options, os.getppid(), self._environment())._asdict())
        except UserError as error:
            returned.update(error.as_result(), failed=True)
        return returned

    def _environment(self) -> dict[str, str]:
        """This process's variables, and those of the keyword ``environment``."""
        own: dict[str, str] = {}
        self._compute_environment_string(own)
        return dict(os.environ, **{name: str(value) for name, value in own.items()})
