# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in a person's order, folded and unfolded."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import fold, natural, slurm_list, unfold
from hypothesis import given, strategies as st


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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("titan01", ["titan01"]),
        ("titan[01-03,07]", ["titan01", "titan02", "titan03", "titan07"]),
        ("n[8-10],login", ["n8", "n9", "n10", "login"]),
        ("n[1-2]r[3-4]", ["n1r3", "n1r4", "n2r3", "n2r4"]),
        ("rack[1-2]-node5-ib", ["rack1-node5-ib", "rack2-node5-ib"]),
        ("n[098-100].example.org", ["n098.example.org", "n099.example.org", "n100.example.org"]),
        ("a1, a2", ["a1", "a2"]),
    ],
)
def test_unfolding(text, names):
    assert unfold(text) == names


@pytest.mark.parametrize(
    "text", ["n[1-2", "n1-2]", "n[]", "n[a-c]", "n[3-1]", "n[1-2-3]", "n[0-9999999]", "n[0-999]m[0-999]k[0-9]"]
)
def test_what_is_no_list_is_refused(text):
    with pytest.raises(UserError, match="expected a list of nodes as Slurm writes it"):
        unfold(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["g1.example.org", "g2.example.org", "t1", "t2"], "g1.example.org,g2.example.org,t[1-2]"),
        (["r1-ib", "r2-ib"], "r1-ib,r2-ib"),
        (["rack1-node02", "rack1-node03"], "rack1-node[02-03]"),
        ([], ""),
    ],
)
def test_a_list_that_slurm_takes(names, text, no_controller):
    assert slurm_list(names) == text
    done = subprocess.run(
        ["scontrol", "show", "hostnames", text or "x"],
        env={"SLURM_CONF": str(no_controller), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == (sorted(names) or ["x"])
