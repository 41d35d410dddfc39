# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line that sbatch-lint and guide-lint share: flags, what contradicts itself, exit status.

Private to hpc.pytorch.
"""

from __future__ import annotations

import argparse
import sys
import typing as t

from ..._common.errors import UserError
from ..._slurm.lint.finding import Code
from ..manual import Flag, Manual, parse
from ..program import UNUSABLE, complain
from .findings import Checked, version_of
from .formats import as_json, as_lines, as_sarif, codes_as_json, codes_as_lines
from .scripts import STDIN

IGNORE = Flag("--ignore", "CODE,...", "Leave these findings out. May be given more than once.", {"action": "append"})
SLURM = Flag(
    "--slurm",
    "VERSION",
    "The version of the cluster's Slurm, such as 23.11. By default sbatch --version is asked, if sbatch is on"
    " PATH. With unknown, a finding that depends on the version names the versions.",
    {},
)
# What decides the output and the exit status.
OUTPUT = (
    Flag(
        "--fail-on",
        "SEVERITY",
        "The findings that count for the exit status: warning (the default) is all, error only errors, never none.",
        {"choices": ("warning", "error", "never"), "default": "warning"},
    ),
    Flag("--json", "", "Print a list of findings in JSON; with --list, the list of codes.", {"action": "store_true"}),
    Flag("--sarif", "", "Print a SARIF log (version 2.1.0), which code hosts read.", {"action": "store_true"}),
    Flag("--list", "", "Print every code, what is wrong and what to do.", {"action": "store_true"}),
)
_COUNTING: dict[str, tuple[str, ...]] = {"warning": ("warning", "error"), "error": ("error",), "never": ()}


def status(noun: str) -> tuple[tuple[str, str], ...]:
    """The exit statuses for a manual.

    :arg noun: what the linter reads, such as ``file``.
    """
    return (
        ("0", "No finding that counts."),
        ("1", "At least one finding that counts, see --fail-on."),
        (
            "2",
            "The command line is wrong, or a %s cannot be read; the other %ss are checked all the same." % (noun, noun),
        ),
    )


class Question(t.NamedTuple):
    """What the command line asks of each file.

    :arg ignored: codes to leave out.
    :arg slurm: the version of the cluster's Slurm, None for an unknown one.
    :arg shape: the format of a page, None to find it out.
    :arg every_warning: whether a page's job scripts get every warning.
    """

    ignored: frozenset[str]
    slurm: tuple[int, ...] | None
    shape: str | None = None
    every_warning: bool = False


class Linter(t.NamedTuple):
    """What is its own in a linter.

    :arg plural: what it reads, for a remedy: ``the job scripts``.
    :arg codes: the codes that it has.
    :arg known: refuses a code that it does not have.
    :arg paths: the files that the operands name.
    :arg check: the findings in the file at a path; a UserError if it cannot be read.
    """

    manual: Manual
    plural: str
    codes: t.Sequence[Code]
    known: t.Callable[[t.Iterable[str]], frozenset[str]]
    paths: t.Callable[[t.Sequence[str]], t.Sequence[str]]
    check: t.Callable[[str, Question], Checked]


def lint_files(linter: Linter, arguments: t.Sequence[str], version: str) -> int:
    """Check the files that the command line names, print the findings, and return the exit status.

    :arg version: of the collection, for ``--version``.
    :raises UserError: the command line is wrong.
    """
    options = parse(linter.manual, arguments, version)
    _require_one_meaning(options, linter)
    if options.list:
        sys.stdout.write(codes_as_json(linter.codes) if options.json else codes_as_lines(linter.codes))
        return 0
    codes = (code.strip() for item in options.ignore or () for code in item.split(","))
    question = Question(
        linter.known(code for code in codes if code),
        version_of(options.slurm),
        getattr(options, "format", None),
        getattr(options, "all_warnings", False),
    )
    checked = [_checked(linter, path, question) for path in linter.paths(options.operands)]
    if options.sarif:
        sys.stdout.write(as_sarif(checked, linter.manual.name, linter.codes))
    else:
        sys.stdout.write(as_json(checked) if options.json else as_lines(checked))
    if any(each.error for each in checked):
        return UNUSABLE
    counting = _COUNTING[options.fail_on]
    return int(any(found.severity in counting for each in checked for found in each.findings))


def _require_one_meaning(options: argparse.Namespace, linter: Linter) -> None:
    if options.json and options.sarif:
        raise UserError("one of --json and --sarif", "both", "give one of them")
    if options.list:
        if options.sarif or options.operands:
            raise UserError("--list alone or with --json", "more arguments", "leave them out")
        return
    if not options.operands:
        noun = linter.manual.operand
        raise UserError("at least one %s, or - for the standard input" % noun, "none", "name %s" % linter.plural)
    if options.operands.count(STDIN) > 1:
        raise UserError("- once", "- twice", "leave one out")


def _checked(linter: Linter, path: str, question: Question) -> Checked:
    try:
        return linter.check(path, question)
    except UserError as error:
        complain(linter.manual.name, str(error))
        return Checked(path, error=error)
