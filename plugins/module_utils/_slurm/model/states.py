# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state of a job that Slurm 18.08 to 25.11 knows, and what it means for who waits. Plain data. Private to hpc.pytorch.

https://slurm.schedmd.com/job_state_codes.html: base states and flags. squeue, scontrol and sacct print one word, a flag's
where there is one.
"""

from __future__ import annotations

import typing as t

WAITING, RUNS, SUCCEEDED, FAILED = "waiting", "running", "succeeded", "failed"
# Ours, not Slurm's: the job has gone from its memory, and nobody has seen how it ended.
VANISHED = "VANISHED"


class State(t.NamedTuple):
    """What a state means.

    :arg phase: waiting, running, succeeded or failed; the last two are final.
    :arg meaning: for a person.
    :arg remedy: what helps, for one that failed or will not go on by itself.
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
        "raise the script's time, or let it save its work before the end (signal) and go on from there",
    ),
    "OUT_OF_MEMORY": State(
        FAILED,
        "needed more memory than it had asked for",
        "raise mem (or mem_per_cpu, mem_per_gpu), or lower the batch size or the loader's workers",
    ),
    "NODE_FAIL": State(
        FAILED,
        "lost a node",
        "submit it again with force: true; requeue: true in the script lets Slurm do that by itself",
    ),
    "BOOT_FAIL": State(
        FAILED, "its nodes did not start", "tell the administrators, and submit it again with force: true"
    ),
    "LAUNCH_FAILED": State(
        FAILED,
        "could not be started on its nodes",
        "see that its folder and output file can be written there, then submit it again with force: true",
    ),
    "PREEMPTED": State(
        FAILED,
        "had to give its nodes to a job of higher priority",
        "submit it again with force: true; requeue: true in the script lets Slurm do that by itself",
    ),
    "DEADLINE": State(FAILED, "could not end before its deadline", "give it a later deadline or a shorter time"),
    "REVOKED": State(
        FAILED, "was taken over by another cluster of the federation", "ask for it there: squeue --federation"
    ),
    VANISHED: State(
        FAILED,
        "is not known to Slurm any more, and nobody saw how it ended",
        "look at its output; where it did not do its work, submit it again with force: true",
    ),
}

# A state that a later Slurm may bring is waited for: a job must not count as ended before it has.
_UNKNOWN = State(RUNS, "is in a state that is not known here")

PENDING = frozenset(name for name, state in STATES.items() if state.phase == WAITING)
RUNNING = frozenset(name for name, state in STATES.items() if state.phase == RUNS)

# Held states, in which a job stays until a person does something.
HELD = frozenset(("REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"))

# With these Slurm says that a pending job as it stands will never start; the rest passes by itself.
NEVER = frozenset(
    (
        "AccountNotAllowed",
        "InvalidAccount",
        "InvalidQOS",
        "JobHeldAdmin",
        "JobHeldUser",
        "PartitionNodeLimit",
        "PartitionTimeLimit",
        "QOSNotAllowed",
        "ReservationDeleted",
    )
)
# Slurm writes this at every task of an array that has one such task.
NEVER_ALONE = NEVER | {"BadConstraints"}
# The same in long words, and what makes sense only for a job that stands for itself.
_NEVER_AGAIN = NEVER_ALONE | {
    "DependencyNeverSatisfied",
    "launch failed requeued held",
    "job requeued in held state",
    "launch_failed_requeued_held",
    "job_requeued_in_held_state",
}


def state_of(name: str) -> State:
    """What state *name* means, as scontrol, squeue or sacct wrote it (``CANCELLED by 2000``, ``COMPLETED+``)."""
    return STATES.get(plain(name), _UNKNOWN)


def plain(name: str) -> str:
    """The state alone: ``CANCELLED by 2000`` is CANCELLED, and the sign for a word that was cut off goes."""
    return name.strip().split(" ", 1)[0].rstrip("+")


def is_final(name: str) -> bool:
    """Whether a job in this state has ended."""
    return state_of(name).phase in (SUCCEEDED, FAILED)


def will_never_start(name: str, reason: str) -> bool:
    """Whether a job in this state stays in it until a person does something."""
    return plain(name) in HELD or (plain(name) in PENDING and reason in _NEVER_AGAIN)
