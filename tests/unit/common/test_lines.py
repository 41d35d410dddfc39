# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that another user wrote is cut, counted and shown as it is."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible, whole

# str.splitlines cuts at all of them.
SEPARATORS = ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
# What moves the cursor, hides or reorders text, or does nothing that can be seen.
UNSEEN = [*SEPARATORS, "\x00", "\x07", "\x08", "\x1b", "\x9b", "\x7f", "\u200b", "\u200e", "\u202e", "\u2066", "\ufeff"]
SEEN = ["caf\u00e9", "\u4e2d\u6587", "\U0001f600", "a b", "a\tb", "\u00a0", "\u3000", "\u0645\u0631\u062d\u0628\u0627"]


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
def test_only_a_line_feed_cuts(separator):
    assert lines_of("a%sb\nc" % separator) == ["a%sb" % separator, "c"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb\r\n", ["a", "b"]), ("\n\n", ["", ""])],
)
def test_lines(text, lines):
    assert lines_of(text) == lines == text.splitlines()


@pytest.mark.parametrize("char", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_an_escape(char):
    assert visible("a%sb" % char) == "a%sb" % char.encode("unicode_escape").decode("ascii")
    assert one_line("a%sb" % char).isprintable()


@pytest.mark.parametrize("text", SEEN)
def test_what_can_be_seen_stays(text):
    assert visible(text) == text


def test_a_long_text_is_cut():
    assert visible("a" * 5000) == "a" * 1997 + "..."
    assert len(one_line("a" * 10**7)) == 20000


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1.0", "\u00b2", "\u0663", "1" * 19, "1" * 5000, "1e3", None, 1, True]
)
def test_what_is_no_number(text):
    assert whole(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_a_number(text, number):
    assert whole(text) == number
