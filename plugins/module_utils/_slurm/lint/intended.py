# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the marks in a job script that say what is meant: ``# sbatch-lint: ignore=no-mem``. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import bisect
import re
import typing as t

from ..bash.command_text import Text
from ..sbatch.script_text import Batch
from .finding import SEVERITIES, Found

_MARK = re.compile(r"(?:^|\s)#\s*sbatch-lint\s*:\s*(?P<rest>.*)")
_CODES = re.compile(r"ignore\s*=\s*(?P<codes>[\w-]+(?:\s*,\s*[\w-]+)*)")


class Marks(t.NamedTuple):
    """What is ignored.

    :arg everywhere: codes in the whole script.
    :arg lines: the last line of a part and its codes, by its first line.
    :arg wrong: findings about marks.
    """

    everywhere: set[str]
    lines: dict[int, tuple[int, set[str]]]
    wrong: list[Found]

    def rest(self, found: t.Sequence[Found]) -> list[Found]:
        """The findings that are not ignored, and those about marks."""
        firsts = sorted(self.lines)

        def ignored(line: int, code: str) -> bool:
            at = bisect.bisect_right(firsts, line)
            last, codes = self.lines[firsts[at - 1]] if at else (0, set())
            return code in self.everywhere or (line <= last and code in codes)

        return [one for one in found if not ignored(one[0], one[1])] + self.wrong


def marks_of(batch: Batch, lines: t.Sequence[str]) -> Marks:
    """Read the marks of a script.

    A mark among the comments and directives at the top is for the whole script, a later one on a line of its own for
    the next command, and one at the end of a line for that line, or the command that it ends.

    :arg lines: the lines of the script.
    """
    marks = Marks(set(), {}, [])
    for number, text in batch.comments:
        marks.everywhere.update(_codes(marks, number, text))
    # The first line is a comment for the shell, and sbatch reads # in a directive as one.
    directives = {one.line for one in batch.directives} | {one.line for one in batch.late}
    for number in sorted(directives):
        text = lines[number - 1]
        codes = _codes(marks, number, text) if "sbatch-lint" in text else set()
        if codes:
            marks.lines[number] = (number, codes)
    ends: list[int] = []
    for number, text in batch.notes:
        codes = _codes(marks, number, text) if "sbatch-lint" in text else set()
        if codes:
            ends = ends or [_last_line(batch, command) for command in batch.commands]
            at = bisect.bisect_left(ends, number)
            first, last = (batch.commands[at].line, ends[at]) if at < len(ends) else (number, number)
            marks.lines[first] = (last, codes | marks.lines.get(first, (0, set()))[1])
    return marks


def _last_line(batch: Batch, command: Text) -> int:
    return max((number for _at, number in batch.starts.get(command.line, ())), default=command.line)


def _codes(marks: Marks, number: int, text: str) -> set[str]:
    """The codes of a mark in a comment; empty if it has none."""
    mark = _MARK.search(text)
    if not mark:
        return set()
    given = _CODES.match(mark["rest"])
    codes = set(re.split(r"\s*,\s*", given["codes"])) if given else set()
    wrong = sorted(codes - set(SEVERITIES))
    if wrong or not codes:
        marks.wrong.append(
            (
                number,
                "unknown-ignore",
                "the mark names no code of the linter: %s" % (", ".join(wrong) or mark["rest"].strip() or "nothing"),
                "write # sbatch-lint: ignore=CODE with a code of a finding, such as no-mem",
            )
        )
    return codes - set(wrong)
