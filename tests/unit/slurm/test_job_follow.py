# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When there is nothing more to wait for."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.follow import SETTLING, JobFollow
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job import Part

RUNS, DONE, BAD = (
    Part("", "RUNNING", stdout="/o", number="7", job_name="x"),
    Part("", "COMPLETED"),
    Part("", "FAILED", exit_code=3),
)


def tasks(*states):
    return [Part(str(number), state) for number, state in enumerate(states)]


def test_a_job_runs_and_ends():
    follow = JobFollow()
    assert not follow.over
    follow.look([RUNS], [], False, 0)
    assert not follow.over and follow.leading.state == "RUNNING"
    follow.look([DONE], [], False, 1)
    assert follow.over and follow.leading.state == "COMPLETED"


def test_a_job_that_is_put_back_into_the_queue_has_not_ended():
    follow = JobFollow([RUNS])
    follow.look([Part("", "NODE_FAIL")], [], False, 0)
    assert follow.over
    follow.look([Part("", "PENDING", restarts=1)], [], False, 1)
    assert not follow.over and follow.leading.restarts == 1


def test_what_the_controller_has_forgotten_without_a_database_has_vanished():
    follow = JobFollow([RUNS])
    assert follow.unknown_to([])
    follow.look([], [], False, 0)
    assert follow.over and follow.leading.state == "VANISHED" and follow.leading.stdout == "/o"


def test_a_job_that_was_never_seen_has_vanished_too():
    follow = JobFollow()
    follow.look([], [], False, 0)
    assert follow.over and follow.leading.state == "VANISHED"


def test_the_database_says_how_a_forgotten_job_ended_and_where_its_output_is_known_still():
    follow = JobFollow([RUNS])
    follow.look([], [BAD], True, 0)
    assert follow.over and follow.leading == BAD._replace(stdout="/o", number="7", job_name="x")


def test_the_database_may_be_late():
    follow = JobFollow([RUNS])
    follow.look([], [RUNS], True, 0)
    assert not follow.over
    follow.look([], [], True, SETTLING - 1)
    assert not follow.over
    follow.look([], [DONE], True, SETTLING)
    assert follow.leading.state == "COMPLETED"
    late = JobFollow([RUNS])
    late.look([], [], True, 0)
    late.look([], [RUNS], True, SETTLING)
    assert late.leading.state == "VANISHED"


def test_what_had_ended_is_known_although_the_controller_forgets_it():
    follow = JobFollow()
    follow.look(tasks("COMPLETED", "RUNNING", "PENDING"), [], False, 0)
    assert not follow.unknown_to(tasks("COMPLETED", "RUNNING", "PENDING"))
    later = [Part("1", "FAILED"), Part("2", "RUNNING")]
    assert not follow.unknown_to(later)
    follow.look(later, [], False, 1)
    assert {name: part.state for name, part in follow.parts.items()} == {
        "0": "COMPLETED",
        "1": "FAILED",
        "2": "RUNNING",
    }
    assert follow.ended == 2 and follow.leading.name == "2"
    follow.look([Part("2", "COMPLETED")], [], False, 2)
    assert follow.over and follow.leading == Part("1", "FAILED")


def test_one_task_of_an_array_that_vanished_is_that_task_alone():
    follow = JobFollow(tasks("RUNNING", "RUNNING"))
    follow.look([Part("1", "RUNNING")], [], False, 0)
    assert [part.state for part in follow.parts.values()] == ["VANISHED", "RUNNING"]


def test_a_job_without_a_name_yet_turns_out_to_be_an_array():
    follow = JobFollow([Part("", "PENDING", job_name="x")])
    follow.look(tasks("PENDING", "PENDING"), [], False, 0)
    assert list(follow.parts) == ["0", "1"]


def test_what_will_never_start_is_believed_when_it_is_seen_twice():
    follow = JobFollow()
    held = [Part("", "PENDING", "JobHeldUser")]
    follow.look(held, [], False, 0)
    assert follow.held is None
    follow.look(held, [], False, 1)
    assert follow.held == held[0]
    follow.look([Part("", "PENDING", "Priority")], [], False, 2)
    assert follow.held is None


def test_an_array_whose_other_tasks_run_is_waited_for():
    follow = JobFollow()
    for now in range(3):
        follow.look([Part("0", "RUNNING"), Part("1", "PENDING", "JobHeldUser")], [], False, now)
    assert follow.held is None
    follow.look([Part("0", "COMPLETED"), Part("1", "PENDING", "JobHeldUser")], [], False, 3)
    assert follow.held is not None and follow.held.name == "1"
