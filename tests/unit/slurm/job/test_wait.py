# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When there is nothing more to wait for."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.parts import SETTLING, JobParts
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.part import Part

RUNS, DONE, BAD = (
    Part("", "RUNNING", stdout="/o", number="7", job_name="x"),
    Part("", "COMPLETED"),
    Part("", "FAILED", exit_code=3),
)


def tasks(*states):
    return [Part(str(number), state) for number, state in enumerate(states)]


def test_a_job_runs_and_ends():
    known = JobParts()
    assert not known.over
    known.update([RUNS], [], False, 0)
    assert not known.over and known.leading.state == "RUNNING"
    known.update([DONE], [], False, 1)
    assert known.over and known.leading.state == "COMPLETED"


def test_a_job_that_is_put_back_into_the_queue_has_not_ended():
    known = JobParts([RUNS])
    known.update([Part("", "NODE_FAIL")], [], False, 0)
    assert known.over
    known.update([Part("", "PENDING", restarts=1)], [], False, 1)
    assert not known.over and known.leading.restarts == 1


def test_what_the_controller_has_forgotten_without_a_database_has_vanished():
    known = JobParts([RUNS])
    assert known.unknown_to([])
    known.update([], [], False, 0)
    assert known.over and known.leading.state == "VANISHED" and known.leading.stdout == "/o"


def test_a_job_that_was_never_seen_has_vanished_too():
    known = JobParts()
    known.update([], [], False, 0)
    assert known.over and known.leading.state == "VANISHED"


def test_the_database_says_how_a_forgotten_job_ended_and_where_its_output_is_known_still():
    known = JobParts([RUNS])
    known.update([], [BAD], True, 0)
    assert known.over and known.leading == BAD._replace(stdout="/o", number="7", job_name="x")


def test_the_database_may_be_late():
    known = JobParts([RUNS])
    known.update([], [RUNS], True, 0)
    assert not known.over
    known.update([], [], True, SETTLING - 1)
    assert not known.over
    known.update([], [DONE], True, SETTLING)
    assert known.leading.state == "COMPLETED"
    late = JobParts([RUNS])
    late.update([], [], True, 0)
    late.update([], [RUNS], True, SETTLING)
    assert late.leading.state == "VANISHED"


def test_what_had_ended_is_known_although_the_controller_forgets_it():
    known = JobParts()
    known.update(tasks("COMPLETED", "RUNNING", "PENDING"), [], False, 0)
    assert not known.unknown_to(tasks("COMPLETED", "RUNNING", "PENDING"))
    later = [Part("1", "FAILED"), Part("2", "RUNNING")]
    assert not known.unknown_to(later)
    known.update(later, [], False, 1)
    assert {name: part.state for name, part in known.parts.items()} == {
        "0": "COMPLETED",
        "1": "FAILED",
        "2": "RUNNING",
    }
    assert known.ended == 2 and known.leading.name == "2"
    known.update([Part("2", "COMPLETED")], [], False, 2)
    assert known.over and known.leading == Part("1", "FAILED")


def test_one_task_of_an_array_that_vanished_is_that_task_alone():
    known = JobParts(tasks("RUNNING", "RUNNING"))
    known.update([Part("1", "RUNNING")], [], False, 0)
    assert [part.state for part in known.parts.values()] == ["VANISHED", "RUNNING"]


def test_a_job_without_a_name_yet_turns_out_to_be_an_array():
    known = JobParts([Part("", "PENDING", job_name="x")])
    known.update(tasks("PENDING", "PENDING"), [], False, 0)
    assert list(known.parts) == ["0", "1"]


def test_what_will_never_start_is_believed_when_it_is_seen_twice():
    known = JobParts()
    held = [Part("", "PENDING", "JobHeldUser")]
    known.update(held, [], False, 0)
    assert known.held is None
    known.update(held, [], False, 1)
    assert known.held == held[0]
    known.update([Part("", "PENDING", "Priority")], [], False, 2)
    assert known.held is None


def test_an_array_whose_other_tasks_run_is_waited_for():
    known = JobParts()
    for now in range(3):
        known.update([Part("0", "RUNNING"), Part("1", "PENDING", "JobHeldUser")], [], False, now)
    assert known.held is None
    known.update([Part("0", "COMPLETED"), Part("1", "PENDING", "JobHeldUser")], [], False, 3)
    assert known.held is not None and known.held.name == "1"
