# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool guide-lint: finds what no longer works on the pages of a guide, for a person at a shell.

Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._guide.finding import ALL_CODES, known_codes
from ..._guide.page import ENDINGS, FORMATS, format_of, lint_page
from ..manual import Flag, Manual
from ..program import run
from .command import IGNORE, OUTPUT, SLURM, Linter, Question, lint_files, status
from .findings import Checked
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
        IGNORE,
        Flag(
            "--format",
            "FORMAT",
            "The format of the pages: markdown, rst or html. By default the end of a page's name or its text decides.",
            {"choices": tuple(FORMATS)},
        ),
        SLURM,
        Flag("--all-warnings", "", "Print every warning about a job script.", {"action": "store_true"}),
        *OUTPUT,
    ),
    status=status("page"),
    examples=(
        ("guide-lint docs/", "Every page below docs."),
        ("guide-lint --ignore source-activate pytorch.md", "Where the site's own module makes it work."),
        ("curl -s https://example.org/gpu.html | guide-lint --format html -", "A page on the web."),
        ("guide-lint --slurm unknown --sarif docs/ > lint.sarif", "In a CI that has no Slurm."),
    ),
)


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


def check_page(path: str, question: Question) -> Checked:
    """The findings on the page at *path*.

    :arg path: ``-`` for the standard input.
    :raises UserError: it cannot be read, or is not a text.
    """
    text = read_script(path, PAGE)
    # Of an absolute path the last folder: a file system may well be called archive.
    place = path if not os.path.isabs(path) else "/".join(path.split("/")[-2:])
    found = lint_page(text, question.shape or format_of(path, text), place, question.slurm, question.every_warning)
    return Checked(path, [each for each in found if each.code not in question.ignored])


LINTER = Linter(MANUAL, plural="the pages", codes=ALL_CODES, known=known_codes, paths=page_paths, check=check_page)


def main(version: str) -> t.NoReturn:
    """Entry point.

    :arg version: of the collection.
    """
    run(NAME, lambda arguments: lint_files(LINTER, arguments, version))
