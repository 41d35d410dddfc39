# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for a job: what is known of its parts over time, and when there is nothing more to wait for.

Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import time
import typing as t

from ..._common.errors import UserError
from ..._files.progress import Progress
from ..client import Slurm
from ..errors import SlurmError
from ..model.controller import Settings
from ..model.job.part import Part
from ..model.job.shown import Shown, siblings
from ..model.states import PENDING, REVOKED
from ..poll import Poller, Stop
from .parts import JobParts

# Seconds between two polls.
_PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)
# How many seconds the controller may be away.
_PATIENCE = 300.0
_REUSED = "its number is another job's now"


class JobWait:
    """Waits for one job.

    :arg settings: reads the controller's settings, when they are needed.
    :arg save: records what is known; called whenever a part has ended.
    :arg own: whether the job is known to be this user's.
    :arg is_another: whether what scontrol shows is another job, which has its number now.
    """

    def __init__(
        self,
        slurm: Slurm,
        job: str,
        known: JobParts,
        settings: t.Callable[[], Settings],
        progress: Progress,
        save: t.Callable[[], None],
        own: bool = False,
        is_another: t.Callable[[Shown], bool] = lambda _shown: False,
    ) -> None:
        self._slurm, self.job, self.known = slurm, job, known
        self._settings, self._progress, self.save = settings, progress, save
        self._own, self._is_another = own, is_another
        # The cluster of a federation that has taken the job, empty for the one that was asked first.
        self.elsewhere = ""
        # Whether the number is another job's now, as far as is known.
        self.reused = False
        # Why the last poll could not say where a part of the job is; empty if it could.
        self.unanswered = ""
        # As result_of takes it.
        self.owner: int | None = None if own else -1

    def poll(self) -> None:
        """Ask Slurm once."""
        before = self.known.ended
        shown = self._followed(self._slurm.shown(self.job, self._own))
        self.reused = self._is_another(shown)
        seen = [] if self.reused else shown.parts
        if not self._own and not self.reused and len(shown.owners) == 1:
            (self.owner,) = shown.owners
        recorded: list[Part] | None = []
        self.unanswered = ""
        if self.known.unknown_to(seen) and self._settings().accounting:
            try:
                recorded = self._recorded(shown)
            except SlurmError as error:
                # It may know how the job ended.
                recorded, self.unanswered = None, str(error)
        accounting = self._settings().accounting
        self.known.update(seen, recorded, accounting, time.monotonic(), _REUSED if self.reused else "")
        if self.known.ended != before:
            self.save()

    def _followed(self, shown: Shown) -> Shown:
        """The same job on the cluster of a federation that took it, which is asked from then on."""
        if not shown.parts or any(part.state != REVOKED for part in shown.parts):
            taken = {part.name for part in shown.parts if part.state != REVOKED}
            return shown._replace(
                parts=[part for part in shown.parts if part.state != REVOKED or part.name not in taken]
            )
        for cluster in siblings(shown.text) if shown.sure or self._own else ():
            there = self._slurm.on(cluster)
            found = there.shown(self.job, self._own)
            if any(part.state != REVOKED for part in found.parts):
                self._slurm, self.elsewhere = there, cluster
                return self._followed(found)
        return shown

    def cancel(self) -> None:
        """End the job and all its tasks, on the cluster that has it."""
        self._slurm.cancel([self.job])

    def _recorded(self, shown: Shown) -> list[Part]:
        if not self.reused:
            return self._slurm.recorded_parts(self.job)
        me = os.geteuid()
        # Of two jobs of one user the database shows the later one.
        return [] if me in shown.owners else self._slurm.recorded_parts(self.job, me)

    def until_over(self, stop: Stop, timeout: float | None, patience: bool = False) -> str:
        """Wait until every part has ended: an empty string, or why the wait ended before.

        :arg timeout: in seconds.
        :arg patience: whether to wait also for a job that will not start by itself.
        :raises UserError: an interruption, or a controller that is away.
        """
        begin = time.monotonic()
        poller = Poller(stop, _PAUSES, _PATIENCE, begin)
        shown = ""
        while True:
            self._poll_if_possible(poller)
            if self.known.over:
                return ""
            now = time.monotonic()
            if self.known.parts:
                words = self._words()
                if shown and words != shown:
                    poller.changed()
                shown = words
                self._progress.report("job %s" % self.job, words)
                held = None if patience else self.known.held
                if held is not None:
                    return "will not start by itself: %s" % (held.reason or held.state)
            left = None if timeout is None else timeout - (now - begin)
            if left is not None and left <= 0:
                return "did not end within %d s" % t.cast(float, timeout)
            longest = self._longest()
            why = poller.pause(longest if left is None else min(longest, max(0.1, left)))
            if why:
                raise UserError(
                    "no interruption of the wait for job %s" % self.job,
                    "an interruption (%s)" % why,
                    "run it again to wait on; the job continues, scancel %s ends it" % self.job,
                )

    def _poll_if_possible(self, poller: Poller) -> None:
        try:
            self.poll()
            if self.unanswered:
                raise SlurmError(self.unanswered)
        except SlurmError as error:
            if poller.is_away(time.monotonic()):
                raise UserError(
                    "an answer from Slurm about job %s" % self.job,
                    str(error),
                    "check that the controller runs: scontrol ping; run it again to wait on",
                ) from error
            self._progress.report("job %s" % self.job, "Slurm does not answer: %s" % error)
        else:
            poller.answered(time.monotonic())

    def _longest(self) -> float:
        """The longest pause: without a database, a job must not end and be forgotten between two polls."""
        return _PAUSES[-1] if self._settings().accounting else max(0.5, self._settings().remembers / 2)

    def _words(self) -> str:
        part, count = self.known.leading, len(self.known.parts)
        words = part.state or "not known to Slurm"
        if part.state in PENDING and part.reason:
            words += " (%s)" % part.reason
        return words if count == 1 else "%s, %d of %d tasks have ended" % (words, self.known.ended, count)
