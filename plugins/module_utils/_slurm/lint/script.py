# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a job script that somebody has written, line by line. No I/O. Private to hpc.pytorch.

docs/job-lint.md explains every code; the mistakes are those that 1,957 public scripts make.
"""

from __future__ import annotations

import typing as t

from ..sbatch.script_text import Text, read
from . import commands as lint_commands, directives as lint_directives
from .finding import CODES, ERRORS, Finding, Found

__all__ = ["CODES", "ERRORS", "Finding", "lint"]


def lint(text: str) -> list[Finding]:
    """The findings in a script, in the order of its lines. An ``error`` keeps it from running as meant."""
    found = list(_form(text))
    batch = read(text.replace("\r", ""))
    found += lint_directives.check(batch)
    found += lint_commands.check(batch)
    return sorted(
        (
            Finding(line, code, "error" if code in ERRORS else "warning", message, remedy)
            for line, code, message, remedy in found
        ),
        key=lambda finding: (finding.line, finding.code),
    )


def _form(text: str) -> t.Iterator[Found]:
    if not text.startswith("#!"):
        yield (
            1,
            "no-shebang",
            "the first line names no interpreter: sbatch refuses it",
            "make #!/bin/bash the first line",
        )
    ends = [Text(number, line) for number, line in enumerate(text.split("\n"), 1) if line.endswith("\r")]
    if ends:
        yield (
            ends[0].line,
            "crlf",
            "%d line%s in the way of Windows: sbatch refuses the script"
            % (len(ends), " ends" if len(ends) == 1 else "s end"),
            "sed -i 's/\\r$//' on it, or save it with line ends of Unix",
        )
