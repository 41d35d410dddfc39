# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the mistakes in a job script, line by line. No I/O. Private to hpc.pytorch.

docs/job-lint.md explains every code.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import one_line
from ..bash.command_text import Text
from ..sbatch.script_text import read
from . import allocation, command_lines, dialect, directive_lines, ports, python_lines, steps
from .by_version import Version
from .finding import SEVERITIES, Finding, Found
from .intended import marks_of
from .view import script_of


def lint(text: str, slurm: Version = None, *, syntax: dialect.Syntax | None = None) -> list[Finding]:
    """Find the mistakes in a script, in the order of its lines.

    :arg slurm: the version of the cluster's Slurm, such as (22, 5, 8). If it is not known, a finding that depends on it
        names the versions.
    :arg syntax: gives the output of bash -n for a text; None where bash is not to be asked.
    """
    found = list(_form(text))
    text = text.replace("\r", "")
    batch = read(text)
    found += directive_lines.check(batch, slurm)
    script = script_of(batch)
    found += allocation.cpus(script)
    if dialect.is_bourne(batch.shebang):
        found += dialect.check(batch, text, syntax)
        found += allocation.check(script, slurm)
        found += steps.check(script, slurm)
        found += ports.check(script)
        found += command_lines.check(script)
        found += python_lines.check(batch)
    found = marks_of(batch, text.split("\n")).rest(found)
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
