# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reasons of a pending job that do not pass by themselves. Plain data, no I/O. Private to hpc.pytorch.

https://slurm.schedmd.com/job_reason_codes.html has all of them; those that are not here pass by themselves.
"""

from __future__ import annotations

import re

# What one job asks for is against a limit of its own, which does not depend on what else runs.
_PER_JOB = re.compile(r"(Assoc|QOS)Max\w+Per(Job|Node)(Limit)?|QOSMin\w+")
_LIMITS = frozenset(("MaxMemPerLimit", "PartitionConfig", "PartitionNodeLimit", "PartitionTimeLimit"))
_NOT_ALLOWED = frozenset(("AccountNotAllowed", "InvalidAccount", "InvalidQOS", "QOSNotAllowed", "ReservationDeleted"))
# A text in the place of the reason, with the names of partition, accounts and QOS (src/slurmctld/partition_mgr.c);
# scontrol writes "_" for each space.
_NOT_ALLOWED_TEXT = re.compile(r"Job's[ _](account|QOS)[ _]not[ _](known|permitted)[ _,].*", re.DOTALL)
_HELD = frozenset(("BurstBufferOperation", "JobHeldAdmin", "JobHeldUser", "JobHoldMaxRequeue"))
# Slurm writes such a reason as a text: "launch failed requeued held", user_env_retrieval_failed_requeued_held.
_HELD_TEXT = re.compile(r"(\w+[ _])*(requeued[ _]held|requeued[ _]in[ _]held[ _]state)")


def is_held(reason: str) -> bool:
    """Whether the job stays until a user or an administrator releases it: ``launch failed requeued held``."""
    return reason in _HELD or _HELD_TEXT.fullmatch(reason) is not None


def not_allowed(reason: str) -> bool:
    """Whether Slurm does not let the job's account or QOS use the partition."""
    return reason in _NOT_ALLOWED or _NOT_ALLOWED_TEXT.match(reason) is not None


def exceeds_limit(reason: str) -> bool:
    """Whether the job asks for more, or less, than it may ever have: ``QOSMaxGRESPerJob``."""
    return reason in _LIMITS or _PER_JOB.fullmatch(reason) is not None


def never_passes(reason: str, alone: bool = True, partitions: str = "") -> bool:
    """Whether a pending job with this reason will never start as it is.

    :arg alone: whether it is a job on its own. Slurm shows BadConstraints for every task of an array that has one such
        task.
    :arg partitions: as Slurm writes those that the job may start in: of several, one may have no such limit.
    """
    if is_held(reason):
        return True
    if not_allowed(reason) or exceeds_limit(reason):
        return "," not in partitions
    return alone and reason in ("BadConstraints", "DependencyNeverSatisfied")


def remedy_of(reason: str, job: str) -> str:
    """What to do about a job that will never start as it is."""
    if is_held(reason):
        return "see scontrol show job %s; correct the cause, then scontrol release %s, or scancel %s" % (job, job, job)
    if exceeds_limit(reason):
        return (
            "scancel %s, ask for what the limit allows in the script (sacctmgr show qos, sacctmgr show association and"
            " scontrol show partition have the limits), and submit it again" % job
        )
    if not_allowed(reason):
        return (
            "scancel %s, set an account, QOS and partition in the script that go together (sacctmgr show association"
            " and scontrol show partition have them), and submit it again" % job
        )
    return (
        "see scontrol show job %s; correct what the reason names with scontrol update and run it again to wait on, or"
        " scancel %s" % (job, job)
    )
