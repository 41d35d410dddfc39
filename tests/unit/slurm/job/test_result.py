"""Why a job failed, in one line out of the end of its output."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.result import telling_line

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
        (["x" * 500], "x" * 200),
    ],
)
def test_the_last_words_are_those_that_say_why(lines: list[str], words: str) -> None:
    assert telling_line(lines) == words
