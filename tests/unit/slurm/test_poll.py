# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Slurm is polled again, and when it is given up."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.poll import Poller, Repeated


class Stop:
    """Takes note of the pauses, and stops after some of them."""

    def __init__(self, after=100):
        self.pauses, self._after = [], after

    def wait(self, seconds):
        self.pauses.append(seconds)
        return "SIGTERM" if len(self.pauses) > self._after else ""


@pytest.fixture
def stop():
    return Stop()


def test_pauses_grow_and_the_last_one_repeats(stop):
    poller = Poller(stop, (1.0, 5.0), 100, 0)
    for _poll in range(4):
        assert poller.pause() == ""
    assert stop.pauses == [1.0, 5.0, 5.0, 5.0]


def test_a_change_makes_polls_frequent_again(stop):
    poller = Poller(stop, (1.0, 5.0), 100, 0)
    poller.pause(), poller.pause()
    poller.changed()
    poller.pause()
    assert stop.pauses == [1.0, 5.0, 1.0]


def test_a_pause_may_be_limited(stop):
    Poller(stop, (10.0,), 100, 0).pause(longest=3.0)
    assert stop.pauses == [3.0]


def test_a_signal_ends_a_pause():
    poller = Poller(Stop(after=1), (1.0,), 100, 0)
    assert [poller.pause(), poller.pause()] == ["", "SIGTERM"]


def test_slurm_may_be_silent_for_a_while(stop):
    poller = Poller(stop, (1.0,), 100, 0)
    assert not poller.is_away(99) and poller.is_away(100)
    poller.answered(50)
    assert not poller.is_away(149) and poller.is_away(150)


def test_what_two_polls_in_a_row_have_seen_is_believed():
    repeated = Repeated()
    for seen, believed in ((True, False), (True, True), (True, True), (False, False), (True, False)):
        repeated.note("a", seen)
        assert ("a" in repeated, "b" in repeated) == (believed, False)
