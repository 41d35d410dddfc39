# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a job in Slurm 18.08 to 25.11, and what each means for a wait. Plain data. Private to hpc.pytorch.

https://slurm.schedmd.com/job_state_codes.html has base states and flags. squeue, scontrol and sacct print one word: a
flag's if the job has one.
"""

from __future__ import annotations

import typing as t

from .reasons import never_passes

WAITING, RUNS, SUCCEEDED, FAILED = "waiting", "running", "succeeded", "failed"
# Ours, not Slurm's: Slurm has forgotten the job, and no poll has seen how it ended.
VANISHED = "VANISHED"
# Another cluster of the federation has the job.
REVOKED = "REVOKED"


class State(t.NamedTuple):
    """The meaning of a state.

    :arg phase: waiting, running, succeeded or failed; the last two are final.
    :arg meaning: continues a sentence that starts with the job.
    :arg remedy: what to do about a job that failed, or that will not start by itself.
    """

    phase: str
    meaning: str
    remedy: str = ""


STATES: dict[str, State] = {
    "PENDING": State(WAITING, "waits for resources"),
    "CONFIGURING": State(WAITING, "its nodes start"),
    "POWER_UP_NODE": State(WAITING, "its nodes are powered up"),
    "REQUEUED": State(WAITING, "is put back into the queue"),
    "REQUEUE_FED": State(WAITING, "is put back into the queue of a federation"),
    "EXPEDITING": State(WAITING, "is put back into the queue with precedence"),
    "RECONFIG_FAIL": State(WAITING, "its nodes could not be set up, it is put back into the queue"),
    "REQUEUE_HOLD": State(
        WAITING, "was put back into the queue, and is held there", "see why, then scontrol release it"
    ),
    "SPECIAL_EXIT": State(
        WAITING, "was put back into the queue for its exit code, and is held there", "see why, then scontrol release it"
    ),
    "RESV_DEL_HOLD": State(
        WAITING,
        "is held, as its reservation was deleted",
        "scontrol update it with another reservation and release it, or cancel it",
    ),
    "RUNNING": State(RUNS, "runs"),
    "SUSPENDED": State(RUNS, "is suspended, others have its CPUs"),
    "STOPPED": State(RUNS, "is stopped and keeps its CPUs"),
    "SIGNALING": State(RUNS, "is being signalled"),
    "RESIZING": State(RUNS, "changes its size"),
    "STAGE_OUT": State(RUNS, "brings its files out"),
    "COMPLETING": State(RUNS, "is ending on its nodes"),
    "UPDATE_DB": State(RUNS, "is being written to the accounting database"),
    "COMPLETED": State(SUCCEEDED, "ended with exit code 0"),
    "FAILED": State(FAILED, "ended with another exit code than 0", "see the end of its output"),
    "CANCELLED": State(
        FAILED,
        "was cancelled by its user or an administrator",
        "ask who cancelled it, or submit it again with force: true",
    ),
    "TIMEOUT": State(
        FAILED,
        "ran into its time limit",
        "raise the script's time, or let it save its work before the end (signal) and continue from there",
    ),
    "OUT_OF_MEMORY": State(
        FAILED,
        "needed more memory than it had requested",
        "raise mem (or mem_per_cpu, mem_per_gpu), or lower the batch size or the loader's workers",
    ),
    "NODE_FAIL": State(
        FAILED,
        "lost a node",
        "submit it again with force: true; requeue: true in the script lets Slurm do that by itself",
    ),
    "BOOT_FAIL": State(
        FAILED, "its nodes did not start", "report it to the administrators, and submit it again with force: true"
    ),
    "LAUNCH_FAILED": State(
        FAILED,
        "could not be started on its nodes",
        "check that its folder and output file can be written there, then submit it again with force: true",
    ),
    "PREEMPTED": State(
        FAILED,
        "had to give its nodes to a job of higher priority",
        "submit it again with force: true; requeue: true in the script lets Slurm do that by itself",
    ),
    "DEADLINE": State(FAILED, "could not end before its deadline", "give it a later deadline or a shorter time"),
    REVOKED: State(FAILED, "was taken over by another cluster of the federation", "find it there: squeue --federation"),
    VANISHED: State(
        FAILED,
        "is not known to Slurm any more, and no poll saw how it ended",
        "check its output; if it did not finish its work, submit it again with force: true",
    ),
}

# A state of a later Slurm: wait on, since a job must not count as ended before it has.
_UNKNOWN = State(RUNS, "is in an unknown state")

PENDING = frozenset(name for name, state in STATES.items() if state.phase == WAITING)
RUNNING = frozenset(name for name, state in STATES.items() if state.phase == RUNS)

# Held states: the job stays in them until a user releases it.
HELD = frozenset(("REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"))


def state_of(name: str) -> State:
    """The meaning of a state as scontrol, squeue or sacct writes it: ``CANCELLED by 2000``, ``COMPLETED+``."""
    return STATES.get(plain(name), _UNKNOWN)


def plain(name: str) -> str:
    """The state alone: ``CANCELLED by 2000`` is ``CANCELLED``. A ``+`` marks a word that was cut off."""
    return name.strip().split(" ", 1)[0].rstrip("+")


def is_final(name: str) -> bool:
    """Whether a job in this state has ended."""
    return state_of(name).phase in (SUCCEEDED, FAILED)


def will_never_start(name: str, reason: str, partitions: str = "") -> bool:
    """Whether a job in this state will not start until a user changes something.

    :arg partitions: as never_passes has it.
    """
    return plain(name) in HELD or (plain(name) in PENDING and never_passes(reason, partitions=partitions))
