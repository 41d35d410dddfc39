# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of another machine has an end, and its texts can be seen."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.values import bounded


def nested(depth):
    found = "x"
    for _unused in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\x1b[2J\x9b\u202e", "\\x1b[2J\\x9b\\u202e"),
        ("a\nb\x85c", "a\nb\\x85c"),
        ("\ud800", "\\ud800"),
        ("x" * 10**6, "x" * 20000),
        (10**400, None),
        (-(10**400), None),
        (2**63, None),
        (float("nan"), None),
        (float("inf"), None),
        (b"x", None),
        ({1, 2}, None),
        (object, None),
        ({1: 2, "a": 3}, {"a": 3}),
        ({"\x1b": {"\n": 1}}, {"\\x1b": {"\n": 1}}),
        ([float("nan"), True, None, 1.5], [None, True, None, 1.5]),
        (("a", ["b"]), ["a", ["b"]]),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_value(value, expected):
    assert bounded(value) == expected


@pytest.mark.parametrize(
    "value", [nested(500), ["x"] * 10**6, {str(number): {} for number in range(10**6)}, [[[1] * 1000] * 1000] * 1000]
)
def test_an_endless_value_ends(value):
    assert len(json.dumps(bounded(value))) < 2 * 10**6


@pytest.mark.parametrize(
    "value", [{"a": ["caf\u00e9", "\u4e2d\u6587", "\U0001f600"], "b": {"c": 1, "d": None}}, "", [], {}, 0]
)
def test_a_good_value_stays(value):
    assert bounded(value) == value
