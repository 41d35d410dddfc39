# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in a person's order, and folded."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.ranges import fold, natural
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], []),
        (["titan01"], ["titan01"]),
        (["titan02", "titan01", "titan03", "titan07"], ["titan[01-03,07]"]),
        (["n9", "n10", "n8"], ["n[8-10]"]),
        (["n1", "n3", "n4"], ["n[1,3-4]"]),
        (["n09", "n10", "n08"], ["n[08-10]"]),
        (["n1", "n01"], ["n01", "n1"]),
        (["n099", "n100", "n1000"], ["n[099-100,1000]"]),
        (["rack1-node02.example.org", "rack1-node03.example.org"], ["rack1-node[02-03].example.org"]),
        (["login", "titan01"], ["login", "titan01"]),
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.1", "10.0.0.2"]),
        (["odd[1],2", "odd[1],3"], ["odd[1],2", "odd[1],3"]),
        (["a1", "a2", "b1", "b2"], ["a[1-2]", "b[1-2]"]),
    ],
)
def test_folding(names, folded):
    assert fold(names) == folded


def test_the_order_is_that_of_numbers():
    assert sorted(["n10", "n2", "n1", "login"], key=natural) == ["login", "n1", "n2", "n10"]


def unfold(piece):
    """As scontrol show hostnames does."""
    match = re.fullmatch(r"(.*)\[([\d,-]+)\](.*)", piece)
    if match is None:
        return [piece]
    names = []
    for run in match[2].split(","):
        first, _dash, last = run.partition("-")
        numbers = range(int(first), int(last or first) + 1)
        names += [match[1] + str(number).zfill(len(first)) + match[3] for number in numbers]
    return names


NAMES = st.builds(
    lambda prefix, number, width, suffix: prefix + str(number).zfill(width) + suffix,
    st.sampled_from(["n", "titan", "rack1-node", ""]),
    st.integers(0, 130),
    st.integers(0, 4),
    st.sampled_from(["", ".example.org", "-ib"]),
)


@given(st.lists(NAMES, max_size=60), st.integers(10, 80))
def test_what_is_folded_unfolds_to_the_same_names_in_pieces_that_fit(names, longest):
    pieces = fold(names, longest)
    assert sorted(name for piece in pieces for name in unfold(piece)) == sorted(set(names))
    for piece in pieces:
        # A piece is as long as its first run makes it, and never longer than asked beyond that.
        assert len(piece) <= longest or "," not in piece
