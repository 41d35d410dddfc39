# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes #SBATCH lines, and reads job scripts as sbatch does. No I/O. Private to hpc.pytorch.

sbatch splits a #SBATCH line itself, without a shell: white space separates words, both kinds of quotes group, a
backslash makes the next character literal (within quotes too, but white space only there), an unquoted # starts a
comment, and nothing expands. It stops at the first line that is neither empty nor a comment.
"""

from __future__ import annotations

import bisect
import re
import sys
import typing as t

from ..bash.command_text import Text, read_commands
from .table import ALIASES, BY_DIRECTIVE, COMMAND_LINE_ONLY, FLAGS, KNOWN, SHORT, TAKES_NEXT, VALUE_ATTACHED

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+")
# sbatch splits a heterogeneous job at each directive line with one of these words, even within quotes.
_SPLITTERS = re.compile(r"(?i)(het|pack)(job)")

# Directives by name; the value of a flag is True.
Directives = t.Dict[str, t.Union[str, bool]]

# The one-letter options that have no row in the table; those without a value may stand before another: -HN2.
_SHORT_FLAGS = {
    "H": "hold",
    "O": "overcommit",
    "Q": "quiet",
    "V": "version",
    "W": "wait",
    "h": "help",
    "s": "oversubscribe",
    "v": "verbose",
}
_SHORT_REST = {"B": "extra-node-info", "F": "nodefile", "S": "core-spec", "b": "begin", "i": "input", "k": "no-kill"}
_LETTERS = {**_SHORT_FLAGS, **_SHORT_REST, **SHORT}
_NAMES = frozenset([*BY_DIRECTIVE, *KNOWN, *COMMAND_LINE_ONLY, *ALIASES])

# Editors and web pages replace hyphens by these.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


class Directive(t.NamedTuple):
    """An option on a #SBATCH line; the value of a flag is None.

    :arg part: which component of a heterogeneous job it is for, from 0.
    """

    line: int
    name: str
    value: str | None
    given: str
    part: int = 0


class Batch(t.NamedTuple):
    """A job script.

    :arg shebang: the first line.
    :arg directives: the options that sbatch reads, by their long names.
    :arg unread: lines of directives with an open quote.
    :arg comments: the comments before the first command.
    :arg late: directives after the first command, which sbatch does not read.
    :arg commands: the lines of shell code, without comments; those that belong together are one text.
    :arg parts: how many components a heterogeneous job has; 1 for any other job.
    :arg notes: the comments after the first command, and those at the end of a line.
    :arg starts: where the lines of a text begin in it, by the number of the first one.
    """

    shebang: str
    directives: list[Directive]
    unread: list[Text]
    comments: list[Text]
    late: list[Text]
    commands: list[Text]
    parts: int = 1
    notes: t.Sequence[Text] = ()
    starts: t.Mapping[int, t.Sequence[tuple[int, int]]] = {}

    def line_at(self, command: Text, at: int) -> int:
        """The number of the line at a place in a command, which may be several lines."""
        starts = self.starts.get(command.line, ())
        before = bisect.bisect_right(starts, (at, sys.maxsize))
        return starts[before - 1][1] if before else command.line

    def last(self, name: str) -> Directive | None:
        """The last directive of that name, which is the one that sbatch uses."""
        found = [directive for directive in self.directives if directive.name == name]
        return found[-1] if found else None

    def value(self, *names: str) -> str:
        """The value of the first of these options that the script has, or an empty string."""
        for name in names:
            directive = self.last(name)
            if directive:
                return directive.value or ""
        return ""


def quote(value: str) -> str:
    """Quote *value* as one word of a #SBATCH line: ``quote("a b")`` is ``"a b"`` in double quotes.

    The caller has refused control characters.
    """
    if _PLAIN.fullmatch(value) and not _SPLITTERS.search(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"%s"' % _SPLITTERS.sub(lambda word: '%s"\\%s"%s' % (word[1], word[2][0], word[2][1:]), escaped)


def line(name: str, value: str | bool) -> str:
    """Render a directive: ``line("nodes", "2")`` is ``#SBATCH --nodes=2``; True is a flag without a value."""
    return "#SBATCH --%s" % name if value is True else "#SBATCH --%s=%s" % (name, quote(str(value)))


def split(text: str) -> list[str]:
    """Split the text after #SBATCH into arguments: ``split("-J 'a b' # x")`` is ``["-J", "a b"]``.

    :raises ValueError: a quote is not closed.
    """
    words: list[str] = []
    current: str | None = None
    quoted = ""
    escaped = False
    for char in text:
        if char in " \t\n\v\f\r" and not quoted:
            # After a backslash too: outside quotes nothing makes white space literal.
            if current is not None:
                words.append(current)
            current, escaped = None, False
        elif escaped:
            current, escaped = (current or "") + char, False
        elif char == "\\":
            escaped = True
        elif quoted:
            if char == quoted:
                quoted = ""
            else:
                current = (current or "") + char
        elif char in "\"'":
            quoted = char
        elif char == "#":
            break
        else:
            current = (current or "") + char
    if quoted:
        raise ValueError("unmatched %s" % quoted)
    if current is not None:
        words.append(current)
    return words


def read(script: str) -> Batch:
    """Read a job script: ``read("#!/bin/sh\\n#SBATCH -N2\\nls").value("nodes")`` is ``"2"``."""
    lines = script.split("\n")
    batch = Batch(lines[0], [], [], [], [], [], starts={})
    number = 1
    while number <= len(lines):
        text = lines[number - 1]
        if text.startswith("#SBATCH"):
            batch = _read_directives(batch, number, text[len("#SBATCH") :])
        elif text.strip() and not text.strip().startswith("#"):
            break
        elif text.strip():
            batch.comments.append(Text(number, text))
        number += 1
    rest = read_commands(lines, number)
    batch.late.extend(rest.late)
    return batch._replace(commands=rest.commands, notes=rest.comments, starts=rest.starts)


def _read_directives(batch: Batch, number: int, text: str) -> Batch:
    """Add the directives of a line, and count the component that it begins."""
    try:
        words = split(text)
    except ValueError:
        batch.unread.append(Text(number, text.strip()))
        return batch
    if _SPLITTERS.search(text):
        batch = batch._replace(parts=batch.parts + 1)
        # sbatch does not read the words after it.
        words = words[: next((at for at, word in enumerate(words) if _SPLITTERS.fullmatch(word)), len(words))]
    before = batch.directives[-1] if batch.directives else None
    if words and before and before.part == batch.parts - 1 and before.value is None and _option(before.given)[2]:
        # sbatch joins the lines: an option at the end of one takes the first word of the next.
        batch.directives[-1] = before._replace(value=words.pop(0))
    while words:
        word = words.pop(0)
        while word[:1] == "-" and word[1:2] in _SHORT_FLAGS and word[2:] and word[2] != "=":
            batch.directives.append(Directive(number, _SHORT_FLAGS[word[1]], None, word[:2], batch.parts - 1))
            word = "-" + word[2:]
        name, value, waits = _option(word)
        if waits and words and (name in TAKES_NEXT or not words[0].startswith("-")):
            value = words.pop(0)
        batch.directives.append(Directive(number, name, value, word, batch.parts - 1))
    return batch


def _option(word: str) -> tuple[str, str | None, bool]:
    """Name, value, and whether the value is the next word: ``-N2`` is ``("nodes", "2", False)``."""
    short = re.match(r"-([A-Za-z])(.*)", word, re.DOTALL)
    if short:
        name = _LETTERS.get(short[1], short[1]).replace("_", "-")
        return name, short[2] or None, not short[2] and short[1] not in _SHORT_FLAGS and name not in VALUE_ATTACHED
    name, equals, value = word.partition("=")
    name = whole_name(name[2:]) if name.startswith("--") else name
    waits = not equals and name not in FLAGS and name not in VALUE_ATTACHED and word.startswith(("--", *DASHES))
    return name, value if equals else None, waits


def whole_name(name: str) -> str:
    """Complete the name of an option as getopt does: ``whole_name("part")`` is ``"partition"``.

    An older name gives today's.
    """
    if name not in _NAMES:
        fitting = {other for other in _NAMES if other.startswith(name)}
        name = fitting.pop() if len(fitting) == 1 else name
    return ALIASES.get(name, name)


def is_usage(text: str) -> bool:
    """Whether the words after ``sbatch`` name a script too, as in a line that shows how to submit it."""
    try:
        words = split(text)
    except ValueError:
        return True
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            return True
        if _option(word)[2] and words:
            words.pop(0)
    return False
