# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool sbatch-lint: finds the mistakes in job scripts, for a person at a shell. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._slurm.lint.finding import CODES, known_codes
from ..manual import Manual
from ..program import run
from .command import IGNORE, OUTPUT, SLURM, Linter, lint_files, status
from .findings import check

NAME = "sbatch-lint"

MANUAL = Manual(
    name=NAME,
    summary="find the mistakes in a Slurm job script",
    usage=("[OPTION...] FILE...", "[OPTION...] - < FILE", "--list"),
    description=(
        "Reads job scripts as sbatch does and prints their mistakes, a line each: the file, the number of the line,"
        " error or warning, what is wrong, its code, and what to do. It submits and runs nothing. If there is a bash,"
        " bash -n reads the script too.",
        "An error is what sbatch refuses. A warning is what sbatch takes although it is probably not what you meant."
        " For what you did mean, write a comment into the script: # sbatch-lint: ignore=no-mem at its top, before the"
        " command, or at the end of the line.",
    ),
    operand="FILE",
    flags=(IGNORE, SLURM, *OUTPUT),
    status=status("file"),
    examples=(
        ("sbatch-lint train.sh", "Every mistake."),
        ("sbatch-lint --ignore no-mem,no-time jobs/*.sh", "Where the site's defaults are good."),
        ("sbatch-lint --fail-on error train.sh && sbatch train.sh", "Submit, unless sbatch would refuse the script."),
        ("sbatch-lint --slurm 24.05 --sarif jobs/*.sh > lint.sarif", "In a CI that has no Slurm."),
    ),
)


LINTER = Linter(
    MANUAL,
    plural="the job scripts",
    codes=CODES,
    known=known_codes,
    paths=tuple,
    check=lambda path, question: check(path, question.ignored, question.slurm),
)


def main(version: str) -> t.NoReturn:
    """Entry point.

    :arg version: of the collection.
    """
    run(NAME, lambda arguments: lint_files(LINTER, arguments, version))
