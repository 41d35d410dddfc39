# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the commands of a job script: joins the lines that belong together, and leaves out comments. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from .open_text import Open, scan
from .shell_words import split_line

# Where the lines of a text begin in it, with their numbers, by the number of the first one.
Starts = t.Dict[int, t.List[t.Tuple[int, int]]]


class Text(t.NamedTuple):
    """A line, or several lines that a backslash, quotes or brackets join, with the number of the first."""

    line: int
    text: str


class Commands:
    """The commands of a script, as far as they are read.

    :arg alone: from the line of that number on, an open quote ends with its line.
    """

    def __init__(self, alone: int) -> None:
        self.commands: list[Text] = []
        #: The directives among the commands, which sbatch does not read.
        self.late: list[Text] = []
        self.comments: list[Text] = []
        self.starts: Starts = {}
        # The command that is not complete: its first line, its parts, their length, and what is open.
        self.first = 0
        self._parts: list[str] = []
        self._length = 0
        self.opened: Open = ()
        self._documents: list[str] = []
        self._alone = alone

    def add(self, number: int, text: str) -> None:
        """Read the next line."""
        bare = text.strip()
        if self._documents:
            # The lines of a here-document are text.
            if bare == self._documents[0]:
                self._documents.pop(0)
        elif self.first:
            quoted = _quoted(self.opened)
            self._add_part(_between(self._parts, self.opened, quoted))
            self.starts.setdefault(self.first, []).append((self._length, number))
            self._add_line(number, text if quoted else bare)
        elif text.startswith("#SBATCH"):
            self.late.append(Text(number, text))
        elif bare.startswith("#"):
            self.comments.append(Text(number, bare))
        elif bare:
            self.first = number
            self._add_line(number, bare)

    def _add_line(self, number: int, text: str) -> None:
        opened, comment = scan(text, self.opened)
        code = text
        if comment < len(text):
            code = text[:comment].rstrip()
            self.comments.append(Text(number, text[comment:]))
        if "<<" in code and not _quoted(self.opened):
            self._documents = split_line(code).documents
        self._add_part(code)
        self.opened = opened if number < self._alone else ()
        if not self.opened and not (code.endswith("\\") and comment == len(text)):
            self.finish()

    def _add_part(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def finish(self) -> None:
        """End the command."""
        if self._length:
            self.commands.append(Text(self.first, "".join(self._parts)))
        self.first, self._parts, self._length = 0, [], 0


def _between(parts: list[str], opened: Open, quoted: bool) -> str:
    """What stands between a line and the next one; a backslash at its end is dropped."""
    if parts[-1].endswith("\\") and not quoted:
        parts[-1] = parts[-1][:-1] + " "
        return ""
    return " " if opened[-1:] == ("array",) else "\n"


def _quoted(opened: Open) -> bool:
    return "'" in opened or '"' in opened or "$'" in opened


def read_commands(lines: t.Sequence[str], first: int) -> Commands:
    """Read the lines of a script from the line of number *first*."""
    alone = len(lines) + 1
    while True:
        read = Commands(alone)
        for number in range(first, len(lines) + 1):
            read.add(number, lines[number - 1])
        if not (read.first and read.opened):
            read.finish()
            return read
        # A quote that nothing closes hides no further lines.
        alone = read.first
