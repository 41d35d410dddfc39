# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool sbatch-lint: finds the mistakes in job scripts, for a person at a shell. Private to hpc.pytorch."""

from __future__ import annotations

import sys
import typing as t

from ..._common.errors import UserError
from ..._slurm.lint.finding import known_codes
from ..manual import Flag, Manual, parse
from ..program import UNUSABLE, complain, run
from .findings import Checked, check, version_of
from .formats import as_json, as_lines, as_sarif, codes_as_json, codes_as_lines
from .scripts import STDIN

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
    flags=(
        Flag("--ignore", "CODE,...", "Leave these findings out. May be given more than once.", {"action": "append"}),
        Flag(
            "--slurm",
            "VERSION",
            "The version of the cluster's Slurm, such as 23.11. By default sbatch --version is asked, if sbatch is on"
            " PATH. With unknown, a finding that depends on the version names the versions.",
            {},
        ),
        Flag(
            "--fail-on",
            "SEVERITY",
            "The findings that count for the exit status: warning (the default) is all, error only errors, never none.",
            {"choices": ("warning", "error", "never"), "default": "warning"},
        ),
        Flag(
            "--json",
            "",
            "Print a list of findings in JSON; with --list, the list of codes.",
            {"action": "store_true"},
        ),
        Flag("--sarif", "", "Print a SARIF log (version 2.1.0), which code hosts read.", {"action": "store_true"}),
        Flag("--list", "", "Print every code, what is wrong and what to do.", {"action": "store_true"}),
    ),
    status=(
        ("0", "No finding that counts."),
        ("1", "At least one finding that counts, see --fail-on."),
        ("2", "The command line is wrong, or a file cannot be read; the other files are checked all the same."),
    ),
    examples=(
        ("sbatch-lint train.sh", "Every mistake."),
        ("sbatch-lint --ignore no-mem,no-time jobs/*.sh", "Where the site's defaults are good."),
        ("sbatch-lint --fail-on error train.sh && sbatch train.sh", "Submit, unless sbatch would refuse the script."),
        ("sbatch-lint --slurm 24.05 --sarif jobs/*.sh > lint.sarif", "In a CI that has no Slurm."),
    ),
)


def main() -> None:
    """Entry point."""
    run(NAME, work)


def work(arguments: t.Sequence[str]) -> int:
    """Check the scripts that the command line names, print the findings, and return the exit status.

    :raises UserError: the command line is wrong.
    """
    options = parse(MANUAL, arguments)
    if options.json and options.sarif:
        raise UserError("one of --json and --sarif", "both", "give one of them")
    if options.list:
        if options.sarif or options.operands:
            raise UserError("--list alone or with --json", "more arguments", "leave them out")
        sys.stdout.write(codes_as_json() if options.json else codes_as_lines())
        return 0
    if not options.operands:
        raise UserError("at least one FILE, or - for the standard input", "none", "name the job scripts")
    if options.operands.count(STDIN) > 1:
        raise UserError("- once", "- twice", "leave one out")
    ignored = known_codes(code.strip() for item in options.ignore or () for code in item.split(",") if code.strip())
    slurm = version_of(options.slurm)
    checked = [_checked(path, ignored, slurm) for path in options.operands]
    shape = as_json if options.json else as_sarif if options.sarif else as_lines
    sys.stdout.write(shape(checked))
    counting = {"warning": ("warning", "error"), "error": ("error",), "never": ()}[options.fail_on]
    if any(each.error for each in checked):
        return UNUSABLE
    return int(any(found.severity in counting for each in checked for found in each.findings))


def _checked(path: str, ignored: t.Collection[str], slurm: t.Sequence[int] | None) -> Checked:
    try:
        return check(path, ignored, slurm)
    except UserError as error:
        complain(NAME, str(error))
        return Checked(path, error=error)
