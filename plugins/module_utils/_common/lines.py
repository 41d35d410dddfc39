# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads text that another user wrote: its lines, its numbers, and how it is shown. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

# Of line separators and format characters only these are wanted in a line of output.
_KEPT = frozenset("\t \u00a0\u3000")
# As many digits as a number of 64 bits always has room for.
_WHOLE = re.compile(r"[0-9]{1,18}")


def lines_of(text: str) -> list[str]:
    r"""The lines of *text*, cut at ``\n`` alone: ``lines_of("a\u2028b\nc\n")`` is ``["a\u2028b", "c"]``.

    str.splitlines also cuts at eight other characters, each of which a value may contain: it would become a line of
    its own that another program never wrote. A ``\r`` at the end of a line is dropped.
    """
    found = text.split("\n")
    if not found[-1]:
        del found[-1]
    return [line[:-1] if line.endswith("\r") else line for line in found]


def with_line_feeds(text: str) -> str:
    r"""*text* with a ``\n`` for each end of a line, as a terminal shows it: ``\r\n`` and a lone ``\r`` are one, too."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def visible(line: str, longest: int = 2000) -> str:
    r"""*line* for a terminal: control, format and private characters as escapes, cut to *longest* characters.

    ``visible("\x1b[2J caf\u00e9")`` is ``"\\x1b[2J caf\u00e9"``. White space stays as it is.
    """
    cut = line if len(line) <= longest else line[: longest - 3] + "..."
    if cut.isprintable():
        return cut
    return "".join(
        char if char.isprintable() or char in _KEPT else char.encode("unicode_escape").decode("ascii") for char in cut
    )


def whole(text: t.Any) -> int | None:
    """The number that *text* writes in at most 18 ASCII digits: ``whole("12")`` is 12; None for anything else.

    str.isdigit is true of digits that int does not take, and int refuses a number of more than 4,300 digits.
    """
    return int(text) if isinstance(text, str) and _WHOLE.fullmatch(text) else None
