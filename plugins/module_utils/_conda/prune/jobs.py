# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the Slurm jobs that may use a version of a site env. Private to hpc.pytorch.

If Slurm is installed and does not answer, every version is in doubt.
"""

from __future__ import annotations

import os
import shutil
import typing as t

from ..._slurm.client import Slurm
from ..._slurm.errors import SlurmError
from ..._slurm.model.states import is_final
from ..._slurm.model.times import moment

# The clocks of the controller and the file server differ by less than this.
CLOCKS_DIFFER = 600.0
_CONFIGURED = (
    "/etc/slurm/slurm.conf",
    "/etc/slurm-llnl/slurm.conf",
    "/usr/local/etc/slurm.conf",
    "/run/slurm/conf/slurm.conf",
)


class Job(t.NamedTuple):
    """A job that has not ended.

    :arg submitted: None if Slurm does not show it, or if the job was requeued, which resets it.
    :arg text: everything that Slurm prints about the job, with its batch script.
    """

    number: str
    state: str
    submitted: float | None
    text: str


def jobs_of(bin_dir: str | None) -> tuple[list[Job], list[str]]:
    """Every job that waits or runs; and what could not be found out about them."""
    if not shutil.which("scontrol", path=bin_dir or os.environ.get("PATH") or os.defpath):
        configured = [
            path for path in (os.environ.get("SLURM_CONF", ""), *_CONFIGURED) if path and os.path.exists(path)
        ]
        if bin_dir:
            return [], ["scontrol is not in %s" % bin_dir]
        return [], ["scontrol is not on PATH, though Slurm is here (%s)" % configured[0]] if configured else []
    slurm = Slurm(bin_dir)
    jobs: list[Job] = []
    doubts: list[str] = []
    scripts: dict[str, str] = {}
    try:
        for pairs in slurm.jobs():
            job = job_from(pairs)
            if job is None:
                continue
            if pairs.get("BatchFlag", "0") != "0":
                # All tasks of an array have the same script.
                array = pairs.get("ArrayJobId", job.number)
                if array not in scripts:
                    scripts[array] = slurm.batch_script(job.number)
                    if not scripts[array] and not _has_ended(slurm, job.number):
                        doubts.append("Slurm does not show the script of job %s" % job.number)
                job = job._replace(text=job.text + "\n" + scripts[array])
            jobs.append(job)
    except SlurmError as error:
        doubts.append("Slurm does not answer: %s" % error)
    return jobs, doubts


def job_from(pairs: t.Mapping[str, str]) -> Job | None:
    """The job from the pairs of ``scontrol show job``; None if it has ended."""
    states = pairs.get("JobState", "").split(",")
    if all(is_final(state) for state in states):
        return None
    submitted = None if pairs.get("Restarts", "0") != "0" else moment(pairs.get("SubmitTime", ""))
    return Job(pairs.get("JobId", "?"), states[0], submitted, " ".join(pairs.values()))


def may_use(job: Job, left_at: float) -> str | None:
    """Why a job may use the version that was published until *left_at*, though it does not name it; or None.

    A job resolves the name when it starts, or its submitting shell did so when it was submitted: neither is before its
    submission.
    """
    if job.submitted is None:
        return "job %s (%s) may have been submitted while it was published" % (job.number, job.state)
    if job.submitted <= left_at + CLOCKS_DIFFER:
        return "job %s (%s) was submitted before another version was published" % (job.number, job.state)
    return None


def _has_ended(slurm: Slurm, number: str) -> bool:
    try:
        return not any(job_from(pairs) for pairs in slurm.show_job(number))
    except SlurmError as error:
        if "invalid job id" in str(error).lower():
            return True
        raise
