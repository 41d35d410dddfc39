# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a task is waited for."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.listing import Task
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.follow import (
    ENDING,
    SETTLING,
    STUCK,
    Follow,
    Limits,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.outcome import NoAnswer, Outcome

LIMITS = Limits(wait=600, run=180)


def task(state, reason="None"):
    return Task("1", 0, state, reason, "", "")


@pytest.fixture
def follow():
    return Follow({0: "1", 1: "1"}, LIMITS, 0)


def test_nothing_is_waited_for_once_all_have_answered(follow):
    assert follow.update({0: task("RUNNING"), 1: task("PENDING")}, [0], 5) == {}
    assert follow.waiting == [1]
    assert follow.update({}, [1], 10) == {} and follow.waiting == []


def test_a_pending_task_waits_as_long_as_another_one_moves(follow):
    # Its own turn comes late: the other ones have the places of the array.
    assert follow.update({0: task("RUNNING"), 1: task("PENDING")}, [], 590) == {}
    assert follow.update({0: task("RUNNING"), 1: task("PENDING")}, [], 700) == {}
    assert follow.update({1: task("PENDING", "Priority")}, [0], 710) == {}
    assert follow.update({1: task("PENDING", "Priority")}, [], 1309) == {}
    assert follow.update({1: task("PENDING", "Priority")}, [], 1310) == {
        1: Outcome(reason=NoAnswer.NOT_STARTED, detail="did not start within 600 s: Priority")
    }


def test_a_task_that_runs_past_its_limit_is_given_up(follow):
    follow.update({0: task("RUNNING"), 1: task("PENDING")}, [], 10)
    late = 10 + LIMITS.run + ENDING
    assert follow.update({0: task("RUNNING"), 1: task("PENDING")}, [], late - 1) == {}
    assert list(follow.update({0: task("COMPLETING"), 1: task("PENDING")}, [], late)) == [0]


def test_an_answer_may_come_after_the_end_of_its_task(follow):
    follow.update({0: task("COMPLETED"), 1: task("RUNNING")}, [], 10)
    assert follow.update({0: task("COMPLETED"), 1: task("RUNNING")}, [], 10 + SETTLING - 1) == {}
    assert follow.update({1: task("RUNNING")}, [0], 10 + SETTLING) == {}
    follow.update({}, [], 30)
    assert follow.update({}, [], 30 + SETTLING) == {
        1: Outcome(reason=NoAnswer.ENDED, detail="is not known to Slurm any more")
    }


def test_an_array_whose_tasks_neither_run_nor_move_is_stuck(follow):
    tasks = {0: task("PENDING", "Resources"), 1: task("PENDING", "Resources")}
    follow.update(tasks, [], STUCK - 1)
    assert follow.stuck(STUCK - 1) == []
    follow.update(tasks, [], STUCK)
    assert follow.stuck(STUCK) == [0, 1]
    follow.update({0: task("RUNNING"), 1: task("PENDING")}, [], STUCK + 1)
    assert follow.stuck(2 * STUCK) == []


def test_a_task_alone_is_never_stuck(follow):
    follow.move(1, "2", 0)
    assert follow.stuck(1000) == []


def test_bad_constraints_of_an_array_may_be_another_tasks(follow):
    tasks = {0: task("PENDING", "BadConstraints"), 1: task("PENDING", "BadConstraints")}
    assert follow.update(tasks, [], 5) == {}
    follow.move(1, "2", 6)
    never = Outcome(reason=NoAnswer.NEVER_STARTS, detail="will never start: BadConstraints")
    assert follow.update(tasks, [], 10) == {0: never, 1: never}
