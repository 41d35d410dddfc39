# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel does not run, what its job waits for, and whether a verdict is against it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.check import is_against_it
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.launcher import reasons, waiting
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.settings import Settings

SLURM = Settings("Torch", "slurm", "/envs/torch", True)
LOCAL = SLURM._replace(start="local")


@pytest.mark.parametrize(
    ("line", "headline"),
    [
        ("slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-27T12:00:00 DUE TO TIME LIMIT ***", "time limit"),
        (
            "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-27T12:00:00 DUE TO PREEMPTION ***",
            "higher priority",
        ),
        ("slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-27T12:00:00 ***", "was cancelled"),
        ("slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-27T12:00:00 DUE TO NODE FAILURE ***", "node of"),
        ("srun: Job 7 has been cancelled", "was cancelled"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.", "ran out of memory"),
        ("srun: error: Unable to allocate resources: Invalid account", "Slurm refused the job"),
    ],
)
def test_what_slurm_prints_is_named(line: str, headline: str) -> None:
    found = reasons.of_end(SLURM, None, ["srun: job 7 queued and waiting for resources", line], True)
    assert headline in found.headline
    assert line in found.text and "queued" not in found.text and "Remedy: " in found.text


def test_other_ends_are_as_they_are() -> None:
    assert reasons.of_end(LOCAL, -9, [], True).headline == "It was killed by signal 9 on this machine."
    assert reasons.of_end(SLURM, 3, ["Traceback"], False).headline == "It ended in its job, with status 3."
    # A user's own text is no message of the start script once the kernel has run.
    own = ["job script: expected the env x; found none; remedy: make it"]
    assert "could not be activated" in reasons.of_end(SLURM, None, own, False).headline
    assert "could not be activated" not in reasons.of_end(SLURM, None, own, True).headline


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("PENDING|Priority|N/A|titan\n", "Job 7 waits in Slurm's queue of titan: Priority."),
        ("PENDING|Resources|2026-11-27T18:00:00|a,b\n", "of a,b: Resources, expected to start at 2026-11-27 18:00:00."),
        ("PENDING|QOSMaxGRESPerJob|N/A|titan\n", "It will not start as it is: scancel 7"),
        ("RUNNING|None|x|titan", "Job 7 waits in Slurm's queue."),
        ("", "Job 7 waits in Slurm's queue."),
    ],
)
def test_what_a_job_waits_for(answer: str, sentence: str) -> None:
    assert sentence in waiting.sentence("7", answer)


def test_the_last_job_that_srun_names() -> None:
    assert waiting.job_of(["x", "srun: job 7 queued and waiting for resources"]) == "7"
    assert waiting.job_of(["srun: job 7 has been allocated resources"]) == ""


def test_a_jupyterlab_in_a_job_asks_for_a_job_of_its_own() -> None:
    outside = {"SLURM_CONF": "/etc/x", "SLURM_ACCOUNT": "mine", "HOME": "/h"}
    assert waiting.allocation_environment(outside) == outside
    inside = {**outside, "SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "0", "SLURMD_NODENAME": "n", "PMIX_RANK": "0"}
    assert waiting.allocation_environment(inside) == {"SLURM_CONF": "/etc/x", "HOME": "/h"}


def result(
    verdict: str = "failed", codes: t.Sequence[str] = ("no_driver",), available: bool = False
) -> dict[str, t.Any]:
    reasons_ = [{"code": code, "message": "", "remedy": ""} for code in codes]
    return {"verdict": verdict, "reasons": reasons_, "cuda_available": available, "devices": [{"passed": True}]}


def test_what_is_against_the_gpus() -> None:
    assert is_against_it(result())
    assert is_against_it({**result(available=True), "devices": [{"passed": False}]})
    # GPUs that compute are good ones; a slow disk and an environment without torch say nothing about them.
    assert not is_against_it(result(available=True))
    assert not is_against_it(result("ok", ()))
    assert not is_against_it(result(codes=()))
    assert not is_against_it(result(codes=("torch_missing",)))
    assert not is_against_it(result(codes=("probe_timeout", "no_driver")))
