# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the mistakes in a job script, line by line. No I/O. Private to hpc.pytorch.

docs/job-lint.md explains every code.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import one_line
from ..sbatch.script_text import Text, read
from . import command_lines, directive_lines, python_lines
from .by_version import Version
from .finding import SEVERITIES, Finding, Found


def lint(text: str, slurm: Version = None) -> list[Finding]:
    """Find the mistakes in a script, in the order of its lines.

    :arg slurm: the version of the cluster's Slurm, such as (22, 5, 8). If it is not known, a finding that depends on it
        names the versions.
    """
    found = list(_form(text))
    batch = read(text.replace("\r", ""))
    found += directive_lines.check(batch, slurm)
    found += command_lines.check(batch, slurm)
    found += python_lines.check(batch)
    return sorted(
        (
            Finding(line, code, "".join(severity) or SEVERITIES[code], _visible(message), _visible(remedy))
            for line, code, message, remedy, *severity in found
        ),
        key=lambda finding: (finding.line, finding.code),
    )


def _visible(text: str) -> str:
    # Most texts are, and one_line reads each character.
    return text if text.isprintable() else one_line(text)


def _form(text: str) -> t.Iterator[Found]:
    if not text.startswith("#!"):
        yield (
            1,
            "no-shebang",
            "the first line names no interpreter: sbatch refuses the script",
            "make #!/bin/bash the first line",
        )
    ends = [Text(number, line) for number, line in enumerate(text.split("\n"), 1) if line.endswith("\r")]
    if ends:
        yield (
            ends[0].line,
            "crlf",
            "%d line%s as on Windows: sbatch refuses the script" % (len(ends), " ends" if len(ends) == 1 else "s end"),
            "run sed -i 's/\\r$//' on it, or save it with Unix line ends",
        )
