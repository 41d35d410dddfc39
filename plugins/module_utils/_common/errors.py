# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that a user is meant to read, and how values appear in messages. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class UserError(Exception):
    """An error that a person can fix, in one line: expected, found, remedy.

    :arg expected: what would have been right.
    :arg found: what was there instead.
    :arg remedy: what to do about it.
    :arg details: extra result keys for the module (longer output such as the solver's reason).
    """

    def __init__(self, expected: str, found: str, remedy: str, **details: t.Any) -> None:
        self.expected = one_line(expected)
        self.found = one_line(found)
        self.remedy = one_line(remedy)
        self.details = details
        super().__init__("expected %s; found %s; remedy: %s" % (self.expected, self.found, self.remedy))

    def as_result(self) -> dict[str, t.Any]:
        """The arguments for ``fail_json``: msg, expected, found, remedy and the details."""
        return dict(self.details, msg=str(self), expected=self.expected, found=self.found, remedy=self.remedy)


# A solver's explanation fits; a value of another user's may be of any length.
_LONGEST = 20000


def one_line(text: str) -> str:
    """Fold white space and show control characters as escapes, so that a value cannot fake a second line.

    What is longer than 20,000 characters is cut.
    """
    whole = str(text)
    folded = " ".join((whole if len(whole) <= _LONGEST else whole[: _LONGEST - 3] + "...").split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in folded)


def printable(text: str) -> bool:
    """Whether *text* is one line of visible characters: not empty, no control or format characters."""
    return bool(text) and text.isprintable()


def shown(value: t.Any, longest: int = 80) -> str:
    """``repr`` of *value* for a message, cut to *longest* characters."""
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``counted(1, "node")`` is ``"1 node"``, ``counted(2, "node")`` is ``"2 nodes"``."""
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def some(values: t.Sequence[str], most: int = 5) -> str:
    """The first few of many: ``some(["a", "b", "c"], 2)`` is ``"a, b and 1 more"``."""
    return ", ".join(values[:most]) + (" and %d more" % (len(values) - most) if len(values) > most else "")
