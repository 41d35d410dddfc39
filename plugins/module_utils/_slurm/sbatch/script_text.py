# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a job script: #SBATCH lines written and read as sbatch does, and the commands by line. No I/O. Private to hpc.pytorch.

sbatch splits a #SBATCH line itself, without a shell: white space separates words, both kinds of quotes group, a
backslash makes the next character literal (within quotes too, but white space only there), an unquoted # starts a
comment, and nothing expands. It stops at the first line that is neither empty nor a comment.
"""

from __future__ import annotations

import re
import typing as t

from .table import BY_DIRECTIVE, COMMAND_LINE_ONLY, FLAGS, KNOWN, SHORT

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+")
# sbatch splits a heterogeneous job wherever a directive line holds one of these words, within quotes as well.
_SPLITTERS = re.compile(r"(?i)(het|pack)(job)")

# Directives by name; the value of a flag is True.
Directives = t.Dict[str, t.Union[str, bool]]

# One-letter options without a value.
_SHORT_FLAGS = "HsOkQvW"

# Editors and web pages replace hyphens by these.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


class Directive(t.NamedTuple):
    """An option on a #SBATCH line; the value of a flag is None."""

    line: int
    name: str
    value: str | None
    given: str


class Text(t.NamedTuple):
    """A line, or several that a backslash joins, by the number of the first."""

    line: int
    text: str


class Batch(t.NamedTuple):
    """A script.

    :arg shebang: its first line.
    :arg directives: the options that sbatch takes from it, short ones by their long names.
    :arg unread: lines of directives that cannot be split, as a quote is open.
    :arg comments: the comments before the first command.
    :arg late: directives behind the first command, which sbatch does not read.
    :arg commands: the lines of shell, without comments.
    """

    shebang: str
    directives: list[Directive]
    unread: list[Text]
    comments: list[Text]
    late: list[Text]
    commands: list[Text]

    def last(self, name: str) -> Directive | None:
        """The directive that counts: the last of that name."""
        found = [directive for directive in self.directives if directive.name == name]
        return found[-1] if found else None

    def value(self, *names: str) -> str:
        """The value of the first of these options that is there, empty where none is."""
        for name in names:
            directive = self.last(name)
            if directive:
                return directive.value or ""
        return ""


def quote(value: str) -> str:
    """*value* as one word of a #SBATCH line. The caller has refused control characters."""
    if _PLAIN.fullmatch(value) and not _SPLITTERS.search(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"%s"' % _SPLITTERS.sub(lambda word: '%s"\\%s"%s' % (word[1], word[2][0], word[2][1:]), escaped)


def line(name: str, value: str | bool) -> str:
    """One directive; ``True`` is a flag without a value."""
    return "#SBATCH --%s" % name if value is True else "#SBATCH --%s=%s" % (name, quote(str(value)))


def split(text: str) -> list[str]:
    """What follows #SBATCH on a line, as the arguments that sbatch takes from it.

    :raises ValueError: a quote is not closed.
    """
    words: list[str] = []
    current: str | None = None
    quoted = ""
    escaped = False
    for char in text:
        if char in " \t\n\v\f\r" and not quoted:
            # After a backslash too: outside of quotes nothing makes white space literal.
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
    """The parts of a script."""
    batch = Batch(script.split("\n", 1)[0], [], [], [], [], [])
    joined: Text | None = None
    document = ""
    for number, text in enumerate(script.split("\n"), 1):
        bare = text.strip()
        if document:
            # A here-document is text, whatever stands in it.
            document = "" if bare == document else document
            continue
        if joined:
            joined = joined._replace(text=joined.text[:-1] + " " + bare)
        elif text.startswith("#SBATCH"):
            if batch.commands:
                batch.late.append(Text(number, text))
            else:
                _read_directives(batch, number, text[len("#SBATCH") :])
            continue
        elif not bare or bare.startswith("#"):
            if bare and not batch.commands:
                batch.comments.append(Text(number, text))
            continue
        else:
            joined = Text(number, bare)
        if not joined.text.endswith("\\"):
            batch.commands.append(joined)
            here = re.search(r"(?<!<)<<-?\s*([\"']?)(\w+)\1", joined.text)
            document, joined = here[2] if here else "", None
    if joined:
        batch.commands.append(joined)
    return batch


def _read_directives(batch: Batch, number: int, text: str) -> None:
    try:
        words = split(text)
    except ValueError:
        batch.unread.append(Text(number, text.strip()))
        return
    while words:
        word = words.pop(0)
        name, value, waits = _option(word)
        if waits and words and not words[0].startswith("-"):
            value = words.pop(0)
        batch.directives.append(Directive(number, name, value, word))


def _option(word: str) -> tuple[str, str | None, bool]:
    """Name, value, and whether the value is the next word."""
    short = re.match(r"-([A-Za-z])(.*)", word, re.DOTALL)
    if short:
        name = SHORT.get(short[1], short[1]).replace("_", "-")
        return name, short[2] or None, short[1] not in _SHORT_FLAGS and not short[2]
    name, equals, value = word.partition("=")
    name = whole_name(name[2:]) if name.startswith("--") else name
    return name, value if equals else None, not equals and name not in FLAGS and word.startswith(("--", *DASHES))


def whole_name(name: str) -> str:
    """An option by its whole name: getopt takes any beginning that fits one alone."""
    known = [*BY_DIRECTIVE, *KNOWN, *COMMAND_LINE_ONLY]
    if name in known:
        return name
    fitting = {other for other in known if other.startswith(name)}
    return fitting.pop() if len(fitting) == 1 else name
