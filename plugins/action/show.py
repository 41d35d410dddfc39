# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.show on the controller."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible
from ansible_collections.hpc.pytorch.plugins.modules.show import ARGUMENT_SPEC

display = Display()

# Longer than any line for a person; the rest of a longer one is cut.
LONGEST = 20000


class ActionModule(ActionBase):
    """Prints the lines."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        # An empty line stays one.
        lines = [visible(line, LONGEST) for text in given["lines"] for line in lines_of(text) or [""]]
        for line in lines:
            display.display(line)
        return dict(result, lines=lines, changed=False)
