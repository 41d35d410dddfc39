# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splits a line of bash into commands and words, as bash does. No I/O. Private to hpc.pytorch.

It knows quotes, comments, redirections, here-documents, arithmetic and substitutions, and expands nothing. Any text is
read: a quote that is not closed ends with the line.
"""

from __future__ import annotations

import re
import typing as t

# Characters that mean only themselves.
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,+%@^~*?\[\]{}!-]+")
# After these (( )) is arithmetic, as at the start of a command.
_BEFORE_ARITHMETIC = frozenset("if elif while until for then do else ! time {".split())
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")


class Word(t.NamedTuple):
    """A word without its quotes, and where it begins and ends in the line.

    :arg line: the number of the command that it is in, where that is not the one that is read.
    """

    text: str
    at: int
    end: int = 0
    line: int = 0


class Command(t.NamedTuple):
    """A simple command, or the elements of an array.

    :arg background: whether ``&`` ends it.
    :arg array: the assignment whose elements these are: ``ARGS=``; empty for a command.
    """

    words: tuple[Word, ...]
    background: bool
    array: str = ""


class Line(t.NamedTuple):
    """What a line of bash holds.

    :arg documents: the words that end its here-documents, which are the lines after it.
    """

    commands: list[Command]
    documents: list[str]


def is_assignment(word: Word) -> bool:
    """Whether a word at the start of a command sets a variable: ``A=b``."""
    return _ASSIGNMENT.match(word.text) is not None


def split_line(text: str) -> Line:
    """Split a line: ``split_line("A=b srun x & y <<END").documents`` is ``["END"]``, with two commands."""
    reader = _Reader(text)
    reader.read(0, len(text))
    return Line(reader.commands, reader.documents)


def _in_test(words: t.Sequence[Word]) -> bool:
    """Whether a command is in [[ ]]: after ``if [[ a``."""
    return any(word.text == "[[" for word in words[:3]) and words[-1].text != "]]"


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.commands: list[Command] = []
        self.documents: list[str] = []
        # The assignment of the array that is read.
        self.array = ""
        # A substitution within a substitution is read as often as it is deep.
        self.depth = 0

    def read(self, at: int, end: int) -> None:
        """Read the commands between two places."""
        words: list[Word] = []
        # What the next word is, if not an argument: the file of a redirection, or the end of a here-document.
        role = ""
        array, self.array = self.array, ""

        def close(background: bool = False) -> None:
            if words:
                self.commands.append(Command(tuple(words), background, array))
                words.clear()

        while at < end:
            two, three = self.text[at : at + 2], self.text[at : at + 3]
            char = two[0]
            if char in " \t":
                at += 1
            elif two == "\\\n":
                at += 2
            elif char == "#":
                at = self._closing(at, end, "\n")
                close()
            elif char in "&|()<>\n" and _in_test(words):
                # Within [[ ]] these start no command.
                at += 1
            elif two == "((" and all(word.text in _BEFORE_ARITHMETIC for word in words):
                at = self._closing(at + 2, end, "))")
            elif three == "<<<":
                role, at = "file", at + 3
            elif two == "<<":
                role, at = "document", at + (3 if three == "<<-" else 2)
            elif two in ("<(", ">("):
                at = self._within(at + 2, end)
            elif three == "&>>" or two in ("&>", ">>", ">&", "<&", "<>", ">|"):
                role, at = "file", at + (3 if three == "&>>" else 2)
            elif char in "<>":
                role, at = "file", at + 1
            elif char in ";&|()\n":
                close(background=char == "&" and two != "&&")
                role, at = "", at + (2 if two in ("&&", "||", "|&", ";;", ";&") else 1)
            else:
                begin = at
                word, at = self._word(at, end)
                if self.text[at : at + 1] in ("<", ">") and word.isdigit() and at < end:
                    # The number of a file descriptor.
                    continue
                if role == "document":
                    self.documents.append(word)
                elif not role:
                    words.append(Word(word, begin, at))
                role = ""
        close()

    def _word(self, at: int, end: int) -> tuple[str, int]:
        """The word at a place, without its quotes, and where it ends."""
        found: list[str] = []
        while at < end:
            char = self.text[at]
            if char in " \t\n;&|<>)" or (char == "(" and not self._opens_array(found)):
                break
            begin = at
            plain = _PLAIN.match(self.text, at, end)
            if plain:
                at = plain.end()
                found.append(plain.group())
            elif char == "\\":
                found.append(self.text[at + 1 : at + 2].strip("\n"))
                at += 2
            elif char == "'":
                at = self._closing(at + 1, end, "'")
                found.append(self.text[begin + 1 : at].rstrip("'"))
            elif char == '"':
                at = self._double(at + 1, end)
                found.append(re.sub(r'\\([$`"\\])', r"\1", self.text[begin + 1 : at - 1]))
            elif char == "(":
                # The elements of an array are a command of their own: launcher=(srun --label).
                self.array = "".join(found)
                at = self._within(at + 1, end)
                self.array = ""
                found.append("()")
            else:
                at = self._plain(at, end)
                found.append(self.text[begin:at])
        return "".join(found), min(at, end)

    def _opens_array(self, found: t.Sequence[str]) -> bool:
        return bool(found) and _ASSIGNMENT.fullmatch("".join(found)) is not None

    def _plain(self, at: int, end: int) -> int:
        """Where a character ends, or the substitution that begins with it."""
        if self.text[at : at + 3] == "$((":
            return self._closing(at + 3, end, "))")
        if self.text[at : at + 2] == "$(":
            return self._within(at + 2, end)
        if self.text[at : at + 2] == "${":
            return self._parameter(at + 2, end)
        if self.text[at] == "`":
            stop = self._closing(at + 1, end, "`")
            self._nested(at + 1, stop - 1)
            return stop
        return at + 1

    def _parameter(self, at: int, end: int) -> int:
        """Where ${...} ends, in which anything may be again."""
        depth = 1
        while at < end and depth:
            two = self.text[at : at + 2]
            if two == "${":
                depth += 1
            elif two[0] == "}":
                depth -= 1
            at = at + 2 if two == "${" or two[0] == "\\" else self._plain(at, end)
        return min(at, end)

    def _double(self, at: int, end: int) -> int:
        """Where the text in double quotes ends, after the quote."""
        while at < end and self.text[at] != '"':
            at = at + 2 if self.text[at] == "\\" else self._plain(at, end)
        return min(at, end) + 1

    def _closing(self, at: int, end: int, mark: str) -> int:
        found = self.text.find(mark, at, end)
        return end if found < 0 else found + len(mark)

    def _within(self, at: int, end: int) -> int:
        """Read the commands in brackets; returns where these end."""
        stop, depth, begin = at, 1, at
        while stop < end:
            char = self.text[stop]
            if char == "\\":
                stop += 1
            elif char in "'\"":
                stop = self._closing(stop + 1, end, char) - 1
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if not depth:
                    break
            stop += 1
        self._nested(begin, min(stop, end))
        return min(stop, end) + 1

    def _nested(self, at: int, end: int) -> None:
        if self.depth < 5 and at < end:
            self.depth += 1
            self.read(at, end)
            self.depth -= 1
