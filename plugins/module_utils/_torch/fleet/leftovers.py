# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what a run over many nodes would leave: its jobs and its folder. Private to hpc.pytorch."""

from __future__ import annotations

import os
import shutil
import time
import typing as t

from ..._slurm.client import Slurm
from ..._slurm.errors import SlurmError


def found_again(slurm: Slurm, lost: t.Sequence[str], warn: t.Callable[[str], None]) -> list[str]:
    """The arrays that Slurm has all the same, by their marks."""
    jobs = []
    for mark in lost:
        try:
            found = slurm.marked(mark)
        except SlurmError:
            warn(
                "there may still be a job, which Slurm ends a day after its submission: squeue --user=$USER"
                " --format='%%A %%k' shows it with the comment %s" % mark
            )
        else:
            jobs += [] if found is None else [found[0]]
    return jobs


def clean_up(slurm: Slurm, jobs: list[str], folder: str, warn: t.Callable[[str], None]) -> None:
    """Cancel the jobs and remove the folder; warn of what stays."""
    if not cancel(slurm, jobs):
        warn("there may still be jobs, which Slurm ends a day after their submission: scancel %s" % " ".join(jobs))
    # A task that is being ended may write once more.
    for _attempt in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.25)
    warn("%s could not be removed" % folder)


def cancel(slurm: Slurm, jobs: list[str]) -> bool:
    """End jobs; whether Slurm has taken that."""
    for attempt in range(3 if jobs else 0):
        try:
            slurm.cancel(jobs)
            return True
        except SlurmError:
            # A controller that fails over or is busy refuses for a moment; a second scancel does no harm.
            if attempt < 2:
                time.sleep(1)
    return not jobs
