# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip must not bring into an env: read from its output, before anything large is downloaded.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..._common.redact import without_credentials
from ..._files.progress import Progress
from ..._source import pip_output
from ..env.request import WheelRules

_REMEDY = (
    "ask for a release of torch that has a CPU build for this Python, name in cpu_index (torch_env_cpu_index) an index "
    "of CPU builds that this machine reaches, or, to download CUDA with its gigabytes, empty wheel_refuse and set "
    "wheel_max_megabytes to 0: "
    """-e '{"torch_env_wheel_refuse": [], "torch_env_wheel_max_megabytes": 0}'"""
)


class Watch:
    """Takes pip's lines, reports its steps, and refuses what the rules exclude."""

    def __init__(self, rules: WheelRules, requirements: t.Sequence[str], progress: Progress) -> None:
        self._rules = rules
        self._asked = ", ".join(without_credentials(line) for line in requirements if not line.startswith("-"))
        self._progress = progress
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Take a line.

        :raises UserError: it announces what the rules exclude.
        """
        self.lines.append(line)
        name = pip_output.brought(line)
        if name and pip_output.is_refused(name, self._rules.refuse):
            raise UserError(
                "a CPU build of %s (none that needs %s)" % (self._asked, ", ".join(self._rules.refuse)),
                "one that brings %s" % name,
                _REMEDY,
            )
        wheel = pip_output.downloaded(line)
        if wheel and self._rules.max_megabytes and wheel[1] > self._rules.max_megabytes:
            raise UserError(
                "a CPU build of %s, of at most %d MB" % (self._asked, self._rules.max_megabytes),
                "%s with %d MB" % (without_credentials(wheel[0]), wheel[1]),
                _REMEDY,
            )
        step = pip_output.step(line)
        if step:
            self._progress.report(step[0], without_credentials(step[1]))
