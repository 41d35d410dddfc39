# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""#SBATCH lines, written and read the way sbatch reads them. Private to hpc.pytorch.

sbatch splits such a line itself, not by the shell: white space separates, both kinds of quotes group, a backslash
makes the next character literal (within quotes too, but white space only there), an unquoted # starts a comment, and nothing expands.
It stops at the first line that is neither empty nor a comment.
"""

from __future__ import annotations

import re
import typing as t

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+")
# sbatch splits a heterogeneous job wherever a directive line holds one of these words, within quotes as well.
_SPLITTERS = re.compile(r"(?i)(het|pack)(job)")

Directives = t.Dict[str, t.Union[str, bool]]


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


def parse(script: str) -> Directives:
    """The directives of a script in the order sbatch reads them, long names only; a flag's value is True."""
    found: Directives = {}
    for text in script.split("\n"):
        if text.startswith("#SBATCH"):
            for word in split(text[len("#SBATCH") :]):
                name, equals, value = word.partition("=")
                found[name[2:] if name.startswith("--") else name] = value if equals else True
        elif text.strip() and not text.lstrip().startswith("#"):
            break
    return found


def distance(left: str, right: str) -> int:
    """How many letters were left out, added, changed or swapped between two words."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and other == left[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
