"""Why a job failed, in one line out of the end of its output."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.result.last_words import remedy_for, telling_line

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "train.py", line 3, in <module>',
    "    raise RuntimeError(text)",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
]
# As Slurm 22.05 writes them after a step over two nodes whose first process failed.
SLURMS = [
    "srun: error: titan01: task 0: Exited with exit code 1",
    "srun: launch/slurm: _step_signal: Terminating StepId=39.0",
    "slurmstepd: error: *** STEP 39.0 ON titan01 CANCELLED AT 2026-11-26T12:53:10 ***",
    "srun: error: titan02: task 1: Terminated",
    "srun: Force Terminated StepId=39.0",
]
# torchrun's own, from torch 2.9 on.
SUMMARY = [
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
    "=" * 60,
    "train.py FAILED",
    "-" * 60,
    "  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html",
    "=" * 60,
]
NCCL = [
    "Traceback (most recent call last):",
    "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, unhandled system error",
    "ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.",
    "Last error:",
    "socketStartConnect: Connect to 10.1.0.7<40001> failed : No route to host",
]
NO_MODULE = "/var/spool/slurmd/job7/slurm_script: line 9: module: command not found"
UNKNOWN_MODULE = "Lmod has detected the following error: The following module(s) are unknown:"
IMPORT = ["Traceback (most recent call last):", "ModuleNotFoundError: No module named 'torch'"]
STEP = [
    "srun: error: CPU binding outside of job step allocation, allocated CPUs are: 0x0000000F.",
    "srun: error: Task launch for StepId=7.0 failed on node n1: Unable to satisfy cpu bind request",
    "srun: error: Application launch failed: Unable to satisfy cpu bind request",
]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ""),
        (["", "  "], ""),
        (["one", "two", ""], "two"),
        (TRACEBACK, TRACEBACK[-1]),
        (TRACEBACK + SLURMS, TRACEBACK[-1]),
        (TRACEBACK + SUMMARY + SLURMS, TRACEBACK[-1]),
        (["[rank3]:" + line for line in TRACEBACK] + SUMMARY, TRACEBACK[-1]),
        (["[default0]:[rank0]: " + TRACEBACK[-1]], "[rank0]: " + TRACEBACK[-1]),
        (["No space left", *SLURMS], "No space left"),
        (SLURMS, SLURMS[-1]),
        (
            ["begin", "srun: error: Unable to create step for job 7: Requested nodes are busy"],
            "srun: error: Unable to create step for job 7: Requested nodes are busy",
        ),
        (["KeyboardInterrupt"], "KeyboardInterrupt"),
        (NCCL, NCCL[-1]),
        (NCCL + SUMMARY + SLURMS, NCCL[-1]),
        ([*TRACEBACK, *NCCL[:-1], "socketProgress: Connection closed by remote peer n2<4711>"], TRACEBACK[-1]),
        (NCCL[:3], NCCL[2]),
        ([*NCCL, *TRACEBACK], TRACEBACK[-1]),
        ([NO_MODULE, *IMPORT], NO_MODULE),
        (
            ["/var/spool/slurmd/job7/slurm_script: 9: module: not found", *IMPORT],
            "/var/spool/slurmd/job7/slurm_script: 9: module: not found",
        ),
        ([UNKNOWN_MODULE, "  torch/9", *IMPORT], UNKNOWN_MODULE),
        ([NO_MODULE, *TRACEBACK], TRACEBACK[-1]),
        (IMPORT, IMPORT[-1]),
        (["epoch 1", *STEP], STEP[0]),
        (["epoch 1", "srun: job 7 queued", *STEP, *SLURMS], STEP[0]),
        ([*STEP, *TRACEBACK], TRACEBACK[-1]),
        (["x" * 500], "x" * 200),
    ],
)
def test_the_last_words_are_those_that_say_why(lines: list[str], words: str) -> None:
    assert telling_line(lines) == words


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        (NCCL[-1], "NCCL_SOCKET_IFNAME"),
        (NO_MODULE, "#!/bin/bash -l"),
        (
            "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
            "raise mem",
        ),
        ("srun: error: n1: task 0: Out Of Memory", ""),
        (TRACEBACK[-1], ""),
        ("ConnectionError: Couldn't connect to the Hub", ""),
    ],
)
def test_the_remedy_is_that_of_the_line(line: str, remedy: str) -> None:
    assert remedy in remedy_for(line) and bool(remedy) == bool(remedy_for(line))
