# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times in every form that sbatch takes and scontrol prints."""

from __future__ import annotations

import time

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.times import (
    minutes,
    moment,
    show_minutes,
    whole_minutes,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30", 30),
        ("1:30", 1.5),
        ("2:00:00", 120),
        ("1-12", 2160),
        ("1-00:30", 1470),
        ("1-00:00:30", 1440.5),
        ("INFINITE", None),
        ("UNLIMITED", None),
        ("NONE", None),
        ("", None),
        ("1-", None),
        ("²", None),
    ],
)
def test_a_limit_in_minutes(text, found):
    assert minutes(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("1-00:00:00", 1440), ("01:30:00", 90), ("00:00:30", 1), ("UNLIMITED", None), ("", None)]
)
def test_whole_minutes_are_rounded_up(text, found):
    assert whole_minutes(text) == found


@pytest.mark.parametrize("limit", [0, 1, 90, 1440, 1530])
def test_shown_minutes_are_read_again(limit):
    assert minutes(show_minutes(limit)) == limit


def test_a_moment_is_local_time():
    assert moment("2026-11-24T14:36:13") == time.mktime((2026, 11, 24, 14, 36, 13, 0, 0, -1))
    assert moment("Unknown") is None
