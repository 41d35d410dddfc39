# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool guide-lint: finds what no longer works on the pages of a guide, for a person at a shell.

Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ..._common.errors import UserError
from ..._guide.finding import ALL_CODES, known_codes
from ..._guide.page import ENDINGS, FORMATS, format_of, lint_page
from ..manual import Flag, Manual, parse
from ..program import UNUSABLE, complain, run
from .findings import Checked, version_of
from .formats import as_json, as_lines, as_sarif, codes_as_json, codes_as_lines
from .scripts import STDIN, Kind, read_script

NAME = "guide-lint"
PAGE = Kind("a page", "the pages", NAME, 16 * 1024 * 1024, "which is no page that a person reads")

MANUAL = Manual(
    name=NAME,
    summary="find what no longer works on the pages of a guide to PyTorch on a cluster",
    usage=("[OPTION...] PAGE...", "[OPTION...] - < PAGE", "--list"),
    description=(
        "Reads pages in Markdown, reStructuredText and HTML, and prints each install line, activation and job script in"
        " them that does not work, or does not do what it says: the file, the number of the line, error or warning,"
        " what is wrong, its code, and the line that works. A folder stands for all pages in it. It installs and"
        " submits nothing.",
        "An old version that still installs is no mistake. Nor is a line that the page itself advises against, one"
        " with a place for the reader to fill in, the output of a command, or an archived page.",
        "Of the warnings about job scripts it prints only those about what has no effect; --all-warnings prints all"
        " that sbatch-lint has.",
    ),
    operand="PAGE",
    flags=(
        Flag("--ignore", "CODE,...", "Leave these findings out. May be given more than once.", {"action": "append"}),
        Flag(
            "--format",
            "FORMAT",
            "The format of the pages: markdown, rst or html. By default the end of a page's name or its text decides.",
            {"choices": tuple(FORMATS)},
        ),
        Flag(
            "--slurm",
            "VERSION",
            "The version of the cluster's Slurm, such as 23.11. By default sbatch --version is asked, if sbatch is on"
            " PATH. With unknown, a finding that depends on the version names the versions.",
            {},
        ),
        Flag("--all-warnings", "", "Print every warning about a job script.", {"action": "store_true"}),
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
        ("2", "The command line is wrong, or a page cannot be read; the other pages are checked all the same."),
    ),
    examples=(
        ("guide-lint docs/", "Every page below docs."),
        ("guide-lint --ignore source-activate pytorch.md", "Where the site's own module makes it work."),
        ("curl -s https://example.org/gpu.html | guide-lint --format html -", "A page on the web."),
        ("guide-lint --slurm unknown --sarif docs/ > lint.sarif", "In a CI that has no Slurm."),
    ),
)


def main() -> None:
    """Entry point."""
    run(NAME, work)


def work(arguments: t.Sequence[str]) -> int:
    """Check the pages that the command line names, print the findings, and return the exit status.

    :raises UserError: the command line is wrong.
    """
    options = parse(MANUAL, arguments)
    if options.json and options.sarif:
        raise UserError("one of --json and --sarif", "both", "give one of them")
    if options.list:
        if options.sarif or options.operands:
            raise UserError("--list alone or with --json", "more arguments", "leave them out")
        sys.stdout.write(codes_as_json(ALL_CODES) if options.json else codes_as_lines(ALL_CODES))
        return 0
    if not options.operands:
        raise UserError("at least one PAGE, or - for the standard input", "none", "name the pages")
    if options.operands.count(STDIN) > 1:
        raise UserError("- once", "- twice", "leave one out")
    ignored = known_codes(code.strip() for item in options.ignore or () for code in item.split(",") if code.strip())
    slurm = version_of(options.slurm)
    checked = [
        _checked(path, ignored, slurm, options.format, options.all_warnings) for path in page_paths(options.operands)
    ]
    if options.sarif:
        sys.stdout.write(as_sarif(checked, NAME, ALL_CODES))
    else:
        sys.stdout.write(as_json(checked) if options.json else as_lines(checked))
    counting = {"warning": ("warning", "error"), "error": ("error",), "never": ()}[options.fail_on]
    if any(each.error for each in checked):
        return UNUSABLE
    return int(any(found.severity in counting for each in checked for found in each.findings))


def _checked(
    path: str, ignored: t.Collection[str], slurm: t.Sequence[int] | None, shape: str | None, every_warning: bool
) -> Checked:
    try:
        return check_page(path, ignored, slurm, shape, every_warning)
    except UserError as error:
        complain(NAME, str(error))
        return Checked(path, error=error)


def page_paths(paths: t.Iterable[str]) -> list[str]:
    """The pages at these paths, each once: of a folder all below it that end in .md, .rst, .html or the like.

    :raises UserError: a folder has none.
    """
    found: list[str] = []
    for path in paths:
        if path == STDIN or not os.path.isdir(path):
            found.append(path)
            continue
        below = sorted(_below(path))
        if not below:
            raise UserError(
                "a folder with pages at %s" % path, "none that ends in .md, .rst or .html", "name the pages"
            )
        found += below
    return list(dict.fromkeys(found))


def _below(folder: str) -> t.Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)
            if name.lower().endswith(tuple(ENDINGS)) and os.path.isfile(path):
                yield path


def check_page(
    path: str, ignored: t.Collection[str], slurm: t.Sequence[int] | None, shape: str | None, every_warning: bool
) -> Checked:
    """The findings on the page at *path*.

    :arg path: ``-`` for the standard input.
    :arg shape: its format, None to find it out.
    :raises UserError: it cannot be read, or is not a text.
    """
    text = read_script(path, PAGE)
    # Of an absolute path the last folder: a file system may well be called archive.
    place = path if not os.path.isabs(path) else "/".join(path.split("/")[-2:])
    found = lint_page(text, shape or format_of(path, text), place, slurm, every_warning)
    return Checked(path, [each for each in found if each.code not in ignored])
