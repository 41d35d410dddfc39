# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a job until there is nothing more to wait for. Private to hpc.pytorch."""

from __future__ import annotations

import time
import typing as t

from ..._common.errors import UserError
from ..._common.progress import Progress
from ..client import Slurm, SlurmError
from ..model.controller import Settings
from ..model.states import PENDING
from ..stop import Stop
from .follow import JobFollow

# Between two looks, in seconds: soon at first, and rarely when it takes long. Every look is work for the controller.
_PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)
# How long a controller may be away before waiting for it is given up.
_AWAY = 300.0


class JobWait:
    """Waits for one job.

    :arg settings: gives the controller's, where they count.
    :arg save: keeps what is known; called whenever a part has ended.
    """

    def __init__(
        self,
        slurm: Slurm,
        job: str,
        follow: JobFollow,
        settings: t.Callable[[], Settings],
        progress: Progress,
        save: t.Callable[[], None],
    ) -> None:
        self._slurm, self.job, self.follow = slurm, job, follow
        self._settings, self._progress, self.save = settings, progress, save

    def look(self) -> None:
        """Look once."""
        before = self.follow.ended
        seen = self._slurm.parts(self.job)
        recorded = []
        if self.follow.unknown_to(seen) and self._settings().accounting:
            try:
                recorded = self._slurm.recorded_parts(self.job)
            except SlurmError:
                # A database that is away is asked again.
                pass
        self.follow.look(seen, recorded, self._settings().accounting, time.monotonic())
        if self.follow.ended != before:
            self.save()

    def until_over(self, stop: Stop, timeout: float | None, patience: bool = False) -> str:
        """Wait until all has ended: an empty string, or why the wait ended before.

        :arg timeout: in seconds.
        :arg patience: whether a job that will not start by itself is waited for, too.
        :raises UserError: an interruption, or a controller that is away.
        """
        begin = heard = time.monotonic()
        turn, shown = 0, ""
        while True:
            try:
                self.look()
                heard = time.monotonic()
            except SlurmError as error:
                if time.monotonic() - heard >= _AWAY:
                    raise UserError(
                        "Slurm to say how job %s is" % self.job,
                        str(error),
                        "look whether the controller runs: scontrol ping; run it again to wait on",
                    ) from error
                self._progress.report("job %s" % self.job, "Slurm does not answer: %s" % error)
            if self.follow.over:
                return ""
            now = time.monotonic()
            if self.follow.parts:
                words = self._words()
                turn = 0 if words != shown and shown else turn
                shown = words
                self._progress.report("job %s" % self.job, words)
                held = None if patience else self.follow.held
                if held is not None:
                    return "will not start by itself: %s" % (held.reason or held.state)
            if timeout is not None and now - begin >= timeout:
                return "did not end within %d s" % timeout
            pause = min(_PAUSES[min(turn, len(_PAUSES) - 1)], self._longest())
            if timeout is not None:
                pause = min(pause, max(0.1, timeout - (now - begin)))
            turn += 1
            why = stop.wait(pause)
            if why:
                raise UserError(
                    "to wait for job %s" % self.job,
                    "an interruption (%s)" % why,
                    "run it again to wait on; the job goes on, scancel %s ends it" % self.job,
                )

    def _longest(self) -> float:
        """A job must not come to its end and be forgotten between two looks, where nobody else writes it down."""
        return _PAUSES[-1] if self._settings().accounting else max(0.5, self._settings().remembers / 2)

    def _words(self) -> str:
        part, count = self.follow.leading, len(self.follow.parts)
        words = part.state or "not known to Slurm"
        if part.state in PENDING and part.reason:
            words += " (%s)" % part.reason
        return words if count == 1 else "%s, %d of %d tasks have ended" % (words, self.follow.ended, count)
