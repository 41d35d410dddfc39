# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel's job waits for in Slurm's queue. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ..._common import process
from ..._slurm.command import slurm_environment
from ..._slurm.model.reasons import never_passes, remedy_of

_QUEUED = re.compile(r"srun: job (\d+) queued and waiting for resources")
# A question that holds up the notebook's messages.
_SECONDS = 3
_FORMAT = "%T|%r|%S|%P"


def job_of(errors: t.Sequence[str]) -> str:
    """The number of the job that srun says is in the queue; empty if it says nothing."""
    found = _QUEUED.findall("\n".join(errors))
    return str(found[-1]) if found else ""


def what_it_waits_for(job: str) -> str:
    """One line about a job in the queue; without squeue's answer, the fact alone."""
    try:
        done = process.run(
            ["squeue", "--noheader", "--jobs=" + job, "--format=" + _FORMAT],
            slurm_environment(os.environ),
            seconds=_SECONDS,
        )
    except (OSError, process.OutOfTime):
        return sentence(job, "")
    return sentence(job, done.stdout if done.returncode == 0 else "")


def sentence(job: str, answer: str) -> str:
    """squeue's answer as a sentence: ``PENDING|Priority|N/A|titan`` is ``Job 7 waits in Slurm's queue: Priority``."""
    parts = answer.strip().split("|")
    text = "Job %s waits in Slurm's queue" % job
    if len(parts) != 4 or parts[0] != "PENDING":
        return text + "."
    _state, reason, begin, partitions = parts
    text += " of %s: %s" % (partitions, reason)
    if never_passes(reason, partitions=partitions):
        return text + ". It will not start as it is: " + remedy_of(reason, job) + "."
    if re.match(r"\d{4}-", begin):
        text += ", expected to start at %s" % begin.replace("T", " ")
    return text + "."


def cancel(job: str) -> None:
    """End a job whose srun did not end in time."""
    with contextlib.suppress(OSError, process.OutOfTime):
        process.run(["scancel", "--quiet", job], slurm_environment(os.environ), seconds=_SECONDS)


def allocation_environment(variables: t.Mapping[str, str]) -> dict[str, str]:
    """The variables with which srun asks for a job of its own.

    In a JupyterLab that runs in a job they would make a step of that job, with its partition and its GPUs.
    """
    if "SLURM_JOB_ID" not in variables and "SLURM_JOBID" not in variables:
        return dict(variables)
    mine = re.compile(r"(SLURM|SLURMD|SRUN|SBATCH|PMI|PMIX)_")
    return {name: value for name, value in variables.items() if name == "SLURM_CONF" or not mine.match(name)}
