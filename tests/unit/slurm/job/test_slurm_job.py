# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module over stand-ins for Slurm's commands."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job import submit as job_submit, wait as job_wait

HERE = pathlib.Path(__file__).parent
RUN, END = [{"state": "RUNNING", "nodes": "n1"}], [{"state": "COMPLETED", "nodes": "n1"}]
GONE: list = []


def test_a_script_is_submitted_once(scene, call):
    scene.play(polls=[[{"state": "PENDING", "reason": "Priority"}]])
    first = call()
    assert (first["changed"], first["job_id"], first["job_state"], first["reason"]) == (
        True,
        "7",
        "PENDING",
        "Priority",
    )
    second = call()
    assert (second["changed"], second["job_id"]) == (False, "7")
    assert len(scene.asked("sbatch")) == 1 and scene.files == [".job.sh.hpc_pytorch_job", "job.sh", "slurm-7.out"]


def test_it_keeps_the_scripts_own_comment_beside_the_mark(scene, call):
    call(arguments=["--partition=gpu"])
    (arguments,) = scene.asked("sbatch")
    assert arguments[:2] == ["--parsable", "--partition=gpu"] and arguments[-1] == str(scene.script)
    assert arguments[2].startswith("--comment=mine hpc.pytorch:")


def test_a_changed_script_other_arguments_and_force_submit_again(scene, call):
    assert call()["job_id"] == "7"
    scene.script.write_text(scene.script.read_text() + "true\n")
    assert call()["job_id"] == "8"
    assert call(arguments=["--nodes=2"])["job_id"] == "9"
    assert call(arguments=["--nodes=2"])["job_id"] == "9"
    assert call(arguments=["--nodes=2"], force=True)["job_id"] == "10"


def test_a_job_of_an_earlier_submission_that_is_still_there_is_named(scene, call):
    call()
    assert "warnings" not in call(force=True)
    scene.play(polls=[RUN])
    assert "job 8 of an earlier submission" in str(call(force=True)["warnings"])


def test_a_job_is_waited_for_and_comes_back_with_the_end_of_its_output(scene, call):
    scene.play(
        polls=[[{"state": "PENDING"}], RUN, [{"state": "COMPLETING"}], [{"state": "COMPLETED", "nodes": "n[1-2]"}]],
        output="one\ntwo\n",
    )
    returned = call(state="completed", tail=1)
    assert (returned["changed"], returned["job_state"], returned["nodes"]) == (True, "COMPLETED", ["n1", "n2"])
    assert returned["stdout_tail"] == ["two"] and returned["stdout_file"] == str(scene.script.parent / "slurm-7.out")
    assert returned["summary"] == "job 7 (job.sh) ended with exit code 0 (COMPLETED, on n1,n2)"
    asked = len(scene.calls)
    again = call(state="completed", tail=1)
    assert returned.pop("lint") == []
    assert again == dict(returned, changed=False, invocation=again["invocation"]), "what has ended is known"
    assert {tuple(line[:3]) for line in scene.calls[asked:]} <= {("scontrol", "show", "hostnames")}, (
        "Slurm is not asked again"
    )


@pytest.mark.parametrize(
    "last, message",
    [
        ({"state": "FAILED", "exit": "3:0", "reason": "NonZeroExitCode"}, ("exit code 3", "see the end of its output")),
        ({"state": "FAILED", "exit": "0:9"}, ("signal 9 SIGKILL", "raise mem")),
        ({"state": "FAILED", "exit": "137:0"}, ("exit code 137", "raise mem")),
        ({"state": "CANCELLED", "exit": "0:15"}, ("was cancelled", "ask who cancelled it")),
        ({"state": "TIMEOUT"}, ("ran into its time limit", "raise the script's time")),
        ({"state": "OUT_OF_MEMORY", "exit": "0:125"}, ("needed more memory", "raise mem")),
        ({"state": "NODE_FAIL"}, ("lost a node", "requeue: true")),
        ({"state": "PREEMPTED"}, ("a job of higher priority", "requeue: true")),
        ({"state": "BOOT_FAIL"}, ("its nodes did not start", "administrators")),
        ({"state": "DEADLINE"}, ("before its deadline", "later deadline")),
        ({"state": "REVOKED"}, ("another cluster", "squeue --federation")),
    ],
)
def test_every_other_end_is_a_failure_of_its_own(scene, call, last, message):
    scene.play(polls=[RUN, [last]], output="LAST LINE\n")
    returned = call(state="completed")
    assert returned["failed"] and returned["changed"] and returned["job_state"] == last["state"]
    assert all(words in returned["msg"] for words in message) and "the end of its output: LAST LINE" in returned["msg"]
    again = call(state="completed")
    assert again["failed"] and not again["changed"] and "force: true" in again["msg"]
    assert not call(state="submitted").get("failed") and len(scene.asked("sbatch")) == 1


def test_a_requeued_job_is_waited_for(scene, call):
    scene.play(
        polls=[
            RUN,
            [{"state": "REQUEUED"}],
            [{"state": "PENDING", "reason": "BeginTime", "restarts": 1}],
            RUN,
            [dict(END[0], restarts=1)],
        ]
    )
    returned = call(state="completed")
    assert (
        returned["job_state"] == "COMPLETED"
        and returned["restarts"] == 1
        and "put back into the queue 1 time" in returned["summary"]
    )


def test_a_job_that_vanished_is_no_success(scene, call):
    scene.play(polls=[RUN, GONE])
    returned = call(state="completed")
    assert returned["failed"] and returned["job_state"] == "VANISHED" and "no poll saw how it ended" in returned["msg"]
    assert returned["stdout_tail"] == ["one", "two"]


def test_the_database_knows_what_the_controller_has_forgotten(scene, call):
    scene.play(polls=[RUN, GONE], accounting=True, recorded=["7|job.sh|FAILED|4:0|n1", "7.batch|batch|FAILED|4:0|n1"])
    returned = call(state="completed")
    assert (
        returned["job_state"] == "FAILED" and returned["exit_code"] == 4 and returned["stdout_tail"] == ["one", "two"]
    )


@pytest.mark.parametrize(("number", "who"), [("0", "by user 0 (root)"), ("2000", "by user 2000")])
def test_the_database_knows_who_cancelled_it(scene, call, number, who):
    scene.play(polls=[RUN, GONE], accounting=True, recorded=["7|job.sh|CANCELLED by %s|0:15|n1" % number])
    returned = call(state="completed")
    assert returned["job_state"] == "CANCELLED" and "(CANCELLED, %s, signal 15" % who in returned["summary"]
    assert returned["remedy"].startswith("ask that user why")


def test_a_step_that_ran_out_of_memory_has_the_remedy_for_it(scene, call):
    lines = (
        "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
        "srun: error: n1: task 0: Out Of Memory",
    )
    scene.play(polls=[[{"state": "FAILED", "exit": "1:0"}]], output="\n".join(lines) + "\n")
    assert call(state="completed")["remedy"].startswith("raise mem")


def test_the_tasks_of_an_array(scene, call):
    first = [{"state": "PENDING", "task": "1-2%1"}, {"state": "RUNNING", "task": "0", "nodes": "n1"}]
    last = [
        {"state": "FAILED", "task": "1", "exit": "2:0", "nodes": "n1"},
        {"state": "COMPLETED", "task": "2", "nodes": "n1"},
    ]
    scene.play(
        polls=[
            first,
            [
                {"state": "COMPLETED", "task": "0", "nodes": "n1"},
                {"state": "RUNNING", "task": "1"},
                {"state": "PENDING", "task": "2"},
            ],
            last,
        ]
    )
    returned = call(state="completed")
    found = [(task["task"], task["job_state"], task["exit_code"]) for task in returned["tasks"]]
    assert found == [("0", "COMPLETED", 0), ("1", "FAILED", 2), ("2", "COMPLETED", 0)]
    assert returned["failed"] and "2 of 3 tasks succeeded, failed: 1" in returned["msg"]


def test_a_controller_that_is_away_for_a_while_ends_no_wait(scene, call):
    scene.play(polls=[RUN, "away", "away", END])
    assert call(state="completed")["job_state"] == "COMPLETED"
    scene.play(polls=[RUN, "away"])
    returned = call(state="completed", force=True)
    assert returned["failed"] and "scontrol ping" in returned["msg"]


@pytest.mark.parametrize("what, left", [("leave", False), ("cancel", True)])
def test_a_job_that_takes_too_long(scene, call, what, left):
    scene.play(polls=[RUN])
    returned = call(state="completed", timeout=30, on_timeout=what)
    assert (
        returned["failed"]
        and "did not end within 30 s" in returned["msg"]
        and scene.jobs["7"].get("cancelled", False) is left
    )
    assert returned["job_state"] == ("CANCELLED" if left else "RUNNING")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("DependencyNeverSatisfied", "scontrol update"),
        ("AssocMaxWallDurationPerJobLimit", "ask for what the limit allows"),
        ("PartitionConfig", "ask for what the limit allows"),
        ("user_env_retrieval_failed_requeued_held", "scontrol release 7"),
    ],
)
def test_a_job_that_will_never_start_ends_the_wait(scene, call, reason, remedy):
    scene.play(polls=[[{"state": "PENDING", "reason": reason}]])
    returned = call(state="completed")
    assert returned["failed"] and "will not start by itself: %s" % reason in returned["msg"]
    assert remedy in returned["remedy"] and scene.asked("scancel") == []


def test_a_job_in_a_held_state_has_that_states_remedy(scene, call):
    scene.play(polls=[[{"state": "RESV_DEL_HOLD", "reason": "ReservationDeleted"}]])
    assert "another reservation" in call(state="completed")["remedy"]


def test_a_job_that_waits_for_others_of_its_user_is_waited_for(scene, call):
    scene.play(polls=[*([[{"state": "PENDING", "reason": "QOSMaxGRESPerUser"}]] * 4), END])
    assert call(state="completed")["job_state"] == "COMPLETED"


def test_cancelling_is_done_once_and_waited_for(scene, call):
    assert call(state="cancelled")["job_id"] is None
    scene.play(polls=[RUN])
    call()
    assert call(state="cancelled", check_mode=True)["changed"] and scene.asked("scancel") == []
    returned = call(state="cancelled")
    assert returned["changed"] and returned["job_state"] == "CANCELLED" and not returned.get("failed")
    assert not call(state="cancelled")["changed"] and len(scene.asked("scancel")) == 1


def test_a_job_by_its_number(scene, call):
    scene.play(polls=[RUN, END])
    call()
    scene.play(polls=[RUN, END])
    assert call(by_id=True, job_id="7", state="completed")["job_state"] == "COMPLETED"
    assert call(by_id=True, job_id="9", state="completed")["job_state"] == "VANISHED"


def test_check_mode_asks_sbatch_and_writes_nothing(scene, call):
    returned = call(check_mode=True, diff=True, arguments=["--nodes=2"], state="completed")
    assert (
        returned["changed"]
        and returned["job_id"] is None
        and "would submit" in returned["summary"]
        and "Job 9 to start" in returned["summary"]
    )
    assert "sbatch --nodes=2" in returned["diff"]["after"] and returned["diff"]["before"] == ""
    assert [arguments[0] for arguments in scene.asked("sbatch")] == ["--test-only"] and scene.files == ["job.sh"]
    scene.play(refuses="Requested node configuration is not available")
    assert "Requested node configuration" in call(check_mode=True)["msg"]
    scene.play(polls=[RUN])
    call()
    returned = call(check_mode=True, diff=True)
    assert not returned["changed"] and returned["diff"]["before"] == returned["diff"]["after"]


def test_check_mode_before_the_script_is_written(scene, call):
    scene.script.unlink()
    returned = call(check_mode=True)
    assert returned["changed"] and "not there yet" in returned["summary"] and scene.calls == []
    assert "no file there" in call()["msg"]


def test_a_refusal_leaves_nothing(scene, call):
    scene.play(refuses="Invalid account")
    returned = call()
    assert (
        "expected a job script that sbatch accepts at %s; found sbatch: Batch job submission failed: Invalid account"
        % scene.script
        in returned["msg"]
    )
    assert scene.files == ["job.sh"]


def test_a_submission_without_an_answer_is_found_in_the_queue(scene, call, monkeypatch):
    clock = itertools.count(1000, 2)
    monkeypatch.setattr(job_submit.time, "time", lambda: float(next(clock)))
    scene.play(silent=True)
    returned = call()
    assert (returned["job_id"], returned["changed"]) == ("7", False) and len(scene.asked("sbatch")) == 1
    assert scene.files == [".job.sh.hpc_pytorch_job", "job.sh", "slurm-7.out"]


@pytest.fixture
def killed(scene):
    """A run that was killed when Slurm had taken the job, and before anybody knew its number."""
    scene.play(killed=True)
    program = textwrap.dedent(
        """
        import sys
        from ansible.module_utils.testing import patch_module_args
        from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
        _AnsibleCollectionFinder(paths=[sys.argv[1]])._install()
        from ansible_collections.hpc.pytorch.plugins.modules import slurm_job
        with patch_module_args(%r):
            slurm_job.main()
        """
    )
    options = {"script": str(scene.script), "bin_dir": str(scene.bin)}
    done = subprocess.run(
        [sys.executable, "-c", program % options, str(HERE.parents[3] / ".collections")],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL and scene.files == [
        ".job.sh.hpc_pytorch_job.submitting",
        "job.sh",
        "slurm-7.out",
    ]
    scene.play()
    return scene


def after(monkeypatch, scene, seconds):
    since = json.loads((scene.script.parent / ".job.sh.hpc_pytorch_job.submitting").read_text())["since"]
    clock = itertools.count(since + seconds, 1)
    monkeypatch.setattr(job_submit.time, "time", lambda: float(next(clock)))


def test_a_killed_run_neither_loses_the_job_nor_submits_it_twice(killed, call, monkeypatch):
    after(monkeypatch, killed, 3600)
    returned = call(state="completed")
    assert (returned["job_id"], returned["job_state"], returned["changed"]) == ("7", "COMPLETED", False)
    assert len(killed.asked("sbatch")) == 1 and killed.files == [".job.sh.hpc_pytorch_job", "job.sh", "slurm-7.out"]


def forget(scene):
    (scene.state / "jobs").write_text("{}")


def test_a_submission_that_never_arrived_is_made_again(killed, call, monkeypatch):
    forget(killed)
    after(monkeypatch, killed, 0)
    assert call()["changed"] and len(killed.asked("sbatch")) == 2


def test_nothing_is_submitted_if_an_earlier_submission_is_in_doubt(killed, call, monkeypatch):
    forget(killed)
    after(monkeypatch, killed, 3600)
    returned = call()
    assert returned["failed"] and "interrupted 60 minutes ago" in returned["msg"] and len(killed.asked("sbatch")) == 1


def test_a_controller_that_forgets_no_job_can_tell(killed, call, monkeypatch):
    forget(killed)
    killed.play(remembers=0)
    after(monkeypatch, killed, 10**6)
    assert call()["changed"] and len(killed.asked("sbatch")) == 2


def test_the_database_can_tell(killed, call, monkeypatch):
    forget(killed)
    killed.play(accounting=True)
    after(monkeypatch, killed, 3600)
    assert call()["changed"] and len(killed.asked("sbatch")) == 2


def test_another_cluster_is_not_asked_for_this_ones_job(scene, call):
    scene.play(polls=[RUN])
    call()
    scene.play(polls=[RUN], cluster="other")
    returned = call()
    assert returned["failed"] and "a record that it was submitted to cluster campus" in returned["msg"]


def test_a_job_for_another_cluster_is_asked_for_there(scene, call):
    scene.play(suffix=";gpus")
    assert call(state="completed")["job_state"] == "COMPLETED"
    assert [arguments[0] for arguments in scene.asked("scontrol") if "job" in arguments] == ["--clusters=gpus"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"by_id": True, "job_id": "7; rm"}, "expected job_id to be a number"),
        ({"by_id": True, "job_id": "7"}, "expected the option script, to submit a job"),
        (
            {"by_id": True, "job_id": "7", "state": "completed", "force": True},
            "expected the option script, to submit a job",
        ),
        ({"timeout": 0}, "expected timeout to be at least 1; found 0"),
        ({"tail": -1}, "expected tail to be at least 0; found -1"),
        ({"record": "here"}, "expected record to be an absolute path"),
        ({"arguments": ["-N 2"]}, "expected arguments to be of the form --name"),
    ],
)
def test_bad_arguments_are_one_clear_line(scene, call, options, message):
    returned = call(**options)
    assert returned["failed"] and message in returned["msg"] and "\n" not in returned["msg"] and scene.calls == []


def test_an_interruption_leaves_the_job_and_the_next_run_waits_on(scene, call, monkeypatch):
    scene.play(polls=[RUN])
    monkeypatch.setattr(job_wait.JobWait, "_words", lambda self: os.kill(os.getpid(), signal.SIGINT) or "RUNNING")
    returned = call(state="completed")
    assert returned["failed"] and "an interruption (SIGINT)" in returned["msg"] and "cancelled" not in scene.jobs["7"]
    monkeypatch.undo()
    monkeypatch.setenv("STUB_SLURM", str(scene.state))
    scene.play(polls=[RUN, END])
    assert call(state="completed")["job_id"] == "7" and len(scene.asked("sbatch")) == 1


def codes(result):
    return [finding["code"] for finding in result["lint"]]


def test_mistakes_are_warned_of_once_when_the_script_is_submitted(scene, call):
    scene.script.write_text("#!/bin/sh\n#SBATCH --mem=1G\n#SBATCH --time=10\nexport MASTER_PORT=29500\ntrue\n")
    first = call()
    assert first["changed"] and codes(first) == ["no-cpus", "fixed-port"]
    assert "line 4: " in str(first["warnings"]) and "(fixed-port)" in str(first["warnings"])
    assert "lint" not in call()


def test_what_the_arguments_say_is_not_missing_from_the_script(scene, call):
    scene.script.write_text("#!/bin/sh\ntrue\n")
    assert {"no-mem", "no-time", "no-cpus"} <= set(codes(call(check_mode=True)))
    given = call(check_mode=True, arguments=["--mem=1G", "--time=10", "--cpus-per-task=2"])
    assert codes(given) == []


def test_an_error_is_refused_before_anything_is_submitted_where_that_is_asked_for(scene, call):
    scene.script.write_text("#!/bin/sh\n#SBATCH --job-nmae=x\ntrue\n")
    refused = call(lint="refuse")
    assert refused["failed"] and "line 2" in refused["found"] and "misspelt-option" in codes(refused)
    assert scene.asked("sbatch") == [] and scene.files == ["job.sh"]
    assert call(lint="off")["changed"]


def test_warnings_alone_refuse_nothing(scene, call):
    scene.script.write_text("#!/bin/sh\ntrue\n")
    found = call(lint="refuse")
    assert found["changed"] and {finding["severity"] for finding in found["lint"]} == {"warning"}


def test_a_checked_script_is_read_and_not_submitted(scene, call, monkeypatch):
    returned = call(state="checked")
    assert (returned["changed"], returned["job_id"], returned["script"]) == (False, None, str(scene.script))
    assert scene.calls == [["scontrol", "ping"]] and isinstance(returned["ping"], int)
    assert "give script" in call(by_id=True, job_id="7", state="checked")["remedy"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    scene.script.chmod(0o666)
    returned = call(state="checked")
    assert returned["failed"] and "become_user" in returned["remedy"]
    scene.script.unlink()
    assert "no file there" in call(state="checked")["found"]
    assert len(scene.calls) == 1 and scene.files == []
