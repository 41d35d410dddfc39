# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A submission that may have arrived is found again before anything is submitted, however sbatch ended."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job import submit as job_submit
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.answer import job_number, may_have_arrived

FAILED = "sbatch: error: Batch job submission failed: "
# Slurm's texts for an answer that did not come back (src/common/slurm_errno.c), and other ends of sbatch.
LOST = {
    FAILED + "Socket timed out on send/recv operation": 1,
    FAILED + "Zero Bytes were transmitted or received": 1,
    FAILED + "Unable to contact slurm controller (send failure)": 1,
    FAILED + "Unable to contact slurm controller (receive failure)": 1,
    FAILED + "Message receive failure": 1,
    FAILED + "Communication shutdown failure": 1,
    FAILED + "Unexpected message received": 1,
    FAILED + "Header lengths are longer than data received": 1,
    FAILED + "Connection reset by peer": 1,
    FAILED + "Transport endpoint is not connected": 1,
    FAILED + "Connection timed out": 1,
    "": 1,
    "Terminated": 143,
    "killed": -9,
    "no number": 0,
}
REFUSED = {
    FAILED + "Invalid account or account/partition combination specified": 1,
    FAILED + "Requested node configuration is not available": 1,
    "sbatch: error: the connection timed out of mind\n" + FAILED + "Unspecified error": 1,
    "sbatch: error: Invalid --time specification": 1,
    "sbatch: unrecognized option '--nmae'\nTry 'sbatch --help' for more information": 255,
}


@pytest.fixture
def clock(monkeypatch):
    """Time advances by two seconds with each question for it."""

    def start(since=1000):
        times = itertools.count(since, 2)
        monkeypatch.setattr(job_submit.time, "time", lambda: float(next(times)))

    start()
    return start


def mark_of(scene):
    return json.loads((scene.script.parent / ".job.sh.hpc_pytorch_job.submitting").read_text())


@pytest.mark.parametrize("text", LOST)
def test_a_job_whose_answer_was_lost_is_found_and_not_submitted_again(scene, call, clock, text):
    scene.play(answer={"text": text, "status": LOST[text], "arrived": True})
    returned = call()
    assert returned["job_id"] == "7" and len(scene.asked("sbatch")) == 1
    assert call()["job_id"] == "7" and len(scene.asked("sbatch")) == 1
    assert scene.files == [".job.sh.hpc_pytorch_job", "job.sh", "slurm-7.out"]


@pytest.mark.parametrize("text", [text for text in REFUSED if REFUSED[text] == 1])
def test_a_job_that_is_there_although_sbatch_refused_it_is_kept(scene, call, clock, text):
    scene.play(answer={"text": text, "status": 1, "arrived": True})
    assert call()["job_id"] == "7" and call()["job_id"] == "7" and len(scene.asked("sbatch")) == 1


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_that_the_queue_confirms_leaves_nothing(scene, call, clock, text):
    scene.play(answer={"text": text, "status": REFUSED[text], "arrived": False})
    returned = call()
    assert returned["failed"] and "a job script that sbatch accepts" in returned["msg"]
    assert len(scene.asked("sbatch")) == 1 and ".job.sh.hpc_pytorch_job.submitting" not in scene.files
    scene.play()
    assert call()["changed"], "after the correction it is submitted at once"


def test_a_refusal_that_nobody_confirms_keeps_the_mark_until_slurm_answers(scene, call, clock):
    scene.play(answer={"text": FAILED + "Invalid qos specification", "status": 1, "arrived": True}, queue_away=True)
    assert "Invalid qos specification" in call()["msg"] and mark_of(scene)["over"]
    scene.play(queue_away=True)
    assert call()["failed"] and len(scene.asked("sbatch")) == 1, "silence is no denial"
    scene.play()
    assert call()["job_id"] == "7" and len(scene.asked("sbatch")) == 1


def test_a_controller_that_could_not_be_reached_is_asked_first_and_then_the_script_is_submitted(scene, call, clock):
    text = FAILED + "Unable to contact slurm controller (connect failure)"
    scene.play(answer={"text": text, "status": 1, "arrived": False}, queue_away=True)
    returned = call()
    assert "scontrol ping" in returned["msg"] and "option" not in returned["msg"]
    clock(10**6)
    scene.play()
    returned = call()
    assert returned["changed"] and returned["job_id"] == "7", "however long ago that was, and without a database"


def test_an_answer_that_is_lost_again_and_again_ends(scene, call, clock):
    scene.play(lost=True)
    returned = call()
    assert returned["failed"] and "Socket timed out" in returned["msg"] and len(scene.asked("sbatch")) == 2
    assert mark_of(scene)["over"] is False


def test_a_job_on_another_cluster_is_looked_for_there(scene, call, clock):
    scene.script.write_text("#!/bin/sh\n#SBATCH -M home,gpus\ntrue\n")
    scene.play(suffix=";gpus", silent=True)
    assert call()["job_id"] == "7" and len(scene.asked("sbatch")) == 1
    assert json.loads((scene.script.parent / ".job.sh.hpc_pytorch_job").read_text())["elsewhere"] == "gpus"


def test_a_job_that_root_submits_for_another_user_is_looked_for_as_that_users(scene, call, clock):
    scene.play(silent=True)
    assert call(arguments=["--uid=4321"])["job_id"] == "7" and len(scene.asked("sbatch")) == 1


def test_a_mark_of_an_earlier_version_is_read(scene, call, clock):
    scene.play(silent=True, queue_away=True)
    assert call()["failed"]
    mark = mark_of(scene)
    old = {name: mark[name] for name in ("token", "since", "digest", "arguments", "job_name")}
    (scene.script.parent / ".job.sh.hpc_pytorch_job.submitting").write_text(json.dumps(old))
    scene.play()
    assert call()["job_id"] == "7" and len(scene.asked("sbatch")) == 1


def test_nothing_is_submitted_while_the_job_may_be_there_without_its_mark(scene, call, monkeypatch):
    now = time.time()
    times = itertools.count(now, 2)
    monkeypatch.setattr(job_submit.time, "time", lambda: float(next(times)))
    scene.play(silent=True, comment="of the site")
    returned = call()
    assert "job 7 of the same script without a mark" in returned["msg"] and "job_id: 7" in returned["remedy"]
    assert len(scene.asked("sbatch")) == 1
    # The remedy, word for word.
    (scene.script.parent / ".job.sh.hpc_pytorch_job.submitting").unlink()
    scene.play()
    assert call()["changed"] and len(scene.asked("sbatch")) == 2


def test_an_older_job_of_the_script_holds_up_nothing(scene, call, clock):
    scene.play()
    assert call()["job_id"] == "7"
    # The stand-in's times are true ones.
    clock(time.mktime(time.localtime()) + 3600)
    scene.play(lost=True, comment="of the site")
    assert "Socket timed out" in call(force=True)["msg"] and len(scene.asked("sbatch")) == 3


def test_the_texts_alone():
    assert all(may_have_arrived(status, text) for text, status in LOST.items())
    assert not any(may_have_arrived(1, text) for text in REFUSED)
    assert job_number("banner\n7;gpus\n") == ("7", "gpus") and job_number("") is None and job_number("x") is None
