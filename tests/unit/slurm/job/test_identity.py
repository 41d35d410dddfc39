# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number that another job has now, and a Slurm that does not say where a job is."""

from __future__ import annotations

import json
import os

import pytest

RUN = {"state": "RUNNING", "nodes": "n1"}
BOBS = {"state": "COMPLETED", "nodes": "n1", "name": "bobs", "user": "bob(77777)", "comment": "(null)"}
LONG_AGO = "2001-02-03T04:05:06"
OTHERS = {
    "of another user": BOBS,
    "of another submission": {"state": "COMPLETED", "comment": "hpc.pytorch:0123456789abcdef"},
    "submitted at another time": {"state": "COMPLETED", "comment": "(null)", "submitted": LONG_AGO},
}
OURS = {
    "a comment of the site's own": {"state": "COMPLETED", "comment": "checked by the site"},
    "requeued, which changes its time": {
        "state": "COMPLETED",
        "comment": "(null)",
        "submitted": LONG_AGO,
        "restarts": 1,
    },
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
def test_a_job_that_has_the_number_now_is_not_taken_for_ours(scene, call, other):
    scene.play(polls=[[RUN]])
    call()
    scene.play(polls=[[other]])
    returned = call(state="completed")
    assert returned["failed"] and returned["job_state"] == "VANISHED"
    assert "its number is another job's now" in returned["msg"] and "bobs" not in returned["msg"]


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
def test_another_job_under_the_number_is_neither_cancelled_nor_named(scene, call, other):
    scene.play(polls=[[RUN]])
    call()
    scene.play(polls=[[dict(other, state="RUNNING")]], accounting=True)
    returned = call(state="cancelled")
    assert not returned.get("failed") and not returned["changed"] and scene.asked("scancel") == []
    assert "warnings" not in call(force=True)


@pytest.mark.parametrize("shown", OURS.values(), ids=list(OURS))
def test_a_job_whose_mark_was_written_over_is_ours(scene, call, shown):
    scene.play(polls=[[RUN], [shown]])
    assert call(state="completed")["job_state"] == "COMPLETED"


def test_the_database_is_asked_for_our_own_job_of_that_number(scene, call):
    scene.play(polls=[[RUN]])
    call()
    scene.play(polls=[[BOBS]], accounting=True, recorded=["7|job.sh|FAILED|4:0|n1"])
    returned = call(state="completed")
    assert (returned["job_state"], returned["exit_code"]) == ("FAILED", 4)
    assert "--user=%d" % os.geteuid() in scene.asked("sacct")[-1]


def test_a_record_of_an_earlier_version_is_about_its_job(scene, call):
    scene.play(polls=[[RUN]])
    call()
    path = scene.script.parent / ".job.sh.hpc_pytorch_job"
    record = json.loads(path.read_text())
    del record["token"]
    path.write_text(json.dumps(record))
    scene.play(polls=[[{"state": "COMPLETED", "comment": "(null)"}]])
    assert call(state="completed")["job_state"] == "COMPLETED"


def test_a_database_that_is_away_does_not_make_a_job_vanish(scene, call):
    scene.play(polls=[[RUN], []], accounting=True, recorded="away")
    returned = call(state="completed")
    assert returned["failed"] and "an answer from Slurm about job 7" in returned["msg"]
    assert "persistent connection" in returned["msg"]
    scene.play(polls=[[]], accounting=True, recorded=["7|job.sh|COMPLETED|0:0|n1"])
    assert call(state="completed")["job_state"] == "COMPLETED"


def test_a_database_that_is_away_leaves_a_submitted_job_as_it_was_seen(scene, call):
    scene.play(polls=[[RUN]])
    call()
    scene.play(polls=[[]], accounting=True, recorded="away")
    returned = call()
    assert not returned.get("failed") and returned["job_state"] == "RUNNING"


def test_a_scontrol_that_prints_nothing_has_not_said_that_the_job_is_gone(scene, call):
    scene.play(polls=[[RUN], "nothing", [RUN], [{"state": "COMPLETED"}]])
    assert call(state="completed")["job_state"] == "COMPLETED"
