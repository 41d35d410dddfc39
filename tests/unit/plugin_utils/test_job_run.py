# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job script has ended, from what slurm_job or bash gave."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._job_run import Asked, job_result, results_of_users, shown

SLURM = Asked("/home/alice/test.sh", 60, 2, 0, 5)
COMPLETED = {
    "job_id": "7",
    "exit_code": 0,
    "stdout_file": "/home/alice/slurm-7.out",
    "stdout_tail": ["loss", "accuracy", ""],
    "summary": "job 7 (test) COMPLETED",
}


def test_a_job_that_ended_well():
    found = job_result(COMPLETED, SLURM)
    assert found == {
        "runner": "sbatch",
        "rc": 0,
        "job_id": "7",
        "output_file": "/home/alice/slurm-7.out",
        "tail": ["loss", "accuracy", ""],
        "summary": "/home/alice/test.sh ran through sbatch as job 7: exit code 0; job 7 (test) COMPLETED; accuracy",
        "complaint": "",
    }


@pytest.mark.parametrize(
    "ran, rc, words",
    [
        ({"failed": True, "exit_code": 3, "msg": "expected 0"}, 3, "exit code 3"),
        # The job was killed by a signal, or Slurm ended it, so that it has no exit code of its own.
        ({"failed": True, "exit_code": 0, "msg": "expected COMPLETED; found TIMEOUT"}, 1, "exit code 0"),
        ({"failed": True, "exit_code": None, "msg": "expected COMPLETED"}, 1, "exit code None"),
        (
            {"failed": True, "exit_code": None, "msg": "the job did not end within 60 seconds"},
            124,
            "longer than 60 seconds",
        ),
    ],
)
def test_a_job_that_failed(ran, rc, words):
    found = job_result(dict(COMPLETED, **ran), SLURM)
    assert found["rc"] == rc and words in found["summary"]
    assert found["complaint"].startswith("expected /home/alice/test.sh to end with exit code 0; found: ")
    assert found["complaint"].endswith("and in /home/alice/slurm-7.out")


@pytest.mark.parametrize(
    "ping, why",
    [
        (124, "it did not answer within 5 seconds"),
        (127, "there is no scontrol here"),
        (1, "no controller of it answers"),
    ],
)
def test_bash_says_why_slurm_did_not_run_it(ping, why):
    found = job_result({"rc": 0, "stdout": "one\ntwo\nthree"}, SLURM._replace(ping=ping))
    assert (found["runner"], found["rc"], found["job_id"], found["tail"]) == ("bash", 0, "", ["two", "three"])
    assert found["summary"] == (
        "/home/alice/test.sh ran with bash, as Slurm does not answer (%s): exit code 0; three" % why
    )


def test_bash_that_was_ended():
    found = job_result({"rc": 124, "stdout": "", "failed": True}, SLURM._replace(ping=127))
    assert found["rc"] == 124 and found["summary"].endswith(": longer than 60 seconds")
    assert found["complaint"].endswith("remedy: see the end of its output, above")


def test_numbers_of_a_playbook_may_be_text():
    given = {"script": "x", "seconds": "60", "tail": "2", "ping": "0", "patience": "5"}
    assert Asked.of(given) == Asked("x", 60, 2, 0, 5)


def test_each_user_has_a_result_or_a_reason():
    registered = {
        "results": [
            dict(COMPLETED, user="alice"),
            dict(COMPLETED, user="bob", job_id="8", failed=True, exit_code=2, msg="expected 0"),
            {"user": "carol", "failed": True, "msg": "sbatch: error: Invalid account"},
            {"user": "dave", "unreachable": True, "msg": "sudo: a password is required"},
        ]
    }
    jobs, failed = results_of_users(registered, SLURM)
    assert {user: job["rc"] for user, job in jobs.items()} == {"alice": 0, "bob": 2}
    assert [(each["user"], each["step"]) for each in failed] == [("bob", "job"), ("carol", "job"), ("dave", "job")]
    assert "found: /home/alice/test.sh ran through sbatch as job 8: exit code 2" in failed[0]["reason"]
    assert failed[1]["reason"] == "sbatch: error: Invalid account"
    assert shown(jobs) == ["alice: " + jobs["alice"]["summary"], "bob: loss", "bob: accuracy", "bob: "]


def test_no_user_has_no_result():
    assert results_of_users({"results": []}, SLURM) == ({}, [])
    assert results_of_users({"skipped": True}, SLURM) == ({}, [])
