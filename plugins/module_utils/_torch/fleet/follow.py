# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks of an array are still worth waiting for. Plain data, no I/O, no clock. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import typing as t

from ..._slurm.model.listing import Task
from ..._slurm.model.reasons import never_passes
from ..._slurm.model.states import PENDING, RUNNING
from .outcome import NoAnswer, Outcome

# A network file system may show a file some seconds after the task that wrote it has ended.
SETTLING = 10.0
# slurmd ends a task late, by KillWait and the time of the epilog.
ENDING = 120.0
# Slurm schedules pending tasks when something happens, and every so often by itself.
STUCK = 20.0


class Limits(t.NamedTuple):
    """In seconds.

    :arg wait: how long a task may stay pending while no other starts, runs or ends.
    :arg run: how long a task may run, which Slurm enforces.
    """

    wait: float
    run: float


class Follow:
    """Finds the tasks that will give no answer, from polls of the queue and the answers that have come.

    :arg jobs: the job array of each task, by the task's number.
    """

    def __init__(self, jobs: t.Mapping[int, str], limits: Limits, now: float) -> None:
        self._limits = limits
        self._job = dict(jobs)
        self._phase = dict.fromkeys(jobs, ("pending", now))
        self._moved = now
        self._job_moved = dict.fromkeys(jobs.values(), now)

    @property
    def waiting(self) -> list[int]:
        """The tasks that may still answer."""
        return list(self._phase)

    def update(self, tasks: t.Mapping[int, Task], answered: t.Iterable[int], now: float) -> dict[int, Outcome]:
        """Take in a poll: the tasks to give up, with the reason. Those that have answered are done.

        :arg tasks: tasks in the queue; one that is missing is unknown to Slurm.
        """
        for number in answered:
            if self._phase.pop(number, None):
                self._note(number, now)
        for number, (before, _since) in list(self._phase.items()):
            phase = _phase(tasks.get(number))
            if phase != before:
                self._phase[number] = (phase, now)
                self._note(number, now)
            elif phase == "running":
                # It has a time limit of its own, and others may be waiting for its place.
                self._note(number, now)
        given_up = {}
        sizes = self._sizes()
        for number, (phase, since) in list(self._phase.items()):
            alone = sizes[self._job[number]] == 1
            outcome = self._given_up(phase, now - since, tasks.get(number), alone, now)
            if outcome is not None:
                given_up[number] = outcome
                del self._phase[number]
        return given_up

    def stuck(self, now: float) -> list[int]:
        """The tasks of arrays in which nothing has moved for a while, although none of them runs."""
        sizes = self._sizes()
        jobs = {job for job, moved in self._job_moved.items() if now - moved >= STUCK and sizes[job] > 1}
        return [number for number in self._phase if self._job[number] in jobs]

    def move(self, number: int, job: str, now: float) -> None:
        """The task is in another job from now on."""
        self._job[number] = job
        self._phase[number] = ("pending", self._phase[number][1])
        self._job_moved[job] = now

    def drop(self, number: int) -> None:
        """Stop waiting for the task."""
        del self._phase[number]

    def _note(self, number: int, now: float) -> None:
        self._moved = self._job_moved[self._job[number]] = now

    def _sizes(self) -> t.Counter[str]:
        return collections.Counter(self._job[number] for number in self._phase)

    def _given_up(self, phase: str, since: float, task: Task | None, alone: bool, now: float) -> Outcome | None:
        if phase == "pending" and task is not None:
            reason = task.reason if task.reason not in ("", "None") else task.state
            if never_passes(task.reason, alone):
                return Outcome(reason=NoAnswer.NEVER_STARTS, detail="will never start: %s" % reason)
            if now - self._moved >= self._limits.wait:
                words = "did not start within %d s: %s" % (self._limits.wait, reason)
                return Outcome(reason=NoAnswer.NOT_STARTED, detail=words)
        elif phase == "running" and task is not None:
            if since >= self._limits.run + ENDING:
                words = "is still %s %d s after its start, longer than its time limit" % (task.state, since)
                return Outcome(reason=NoAnswer.ENDED, detail=words)
        elif phase == "ended" and since >= SETTLING:
            if task is None:
                return Outcome(reason=NoAnswer.ENDED, detail="is not known to Slurm any more")
            reason = " (%s)" % task.reason if task.reason not in ("", "None") else ""
            return Outcome(reason=NoAnswer.ENDED, detail="ended %s%s" % (task.state, reason))
        return None


def _phase(task: Task | None) -> str:
    if task is not None and task.state in PENDING:
        return "pending"
    if task is not None and task.state in RUNNING:
        return "running"
    return "ended"
