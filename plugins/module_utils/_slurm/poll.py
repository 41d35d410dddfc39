# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polls Slurm: when to poll again, how long Slurm may be silent, and when to stop. Private to hpc.pytorch."""

from __future__ import annotations

import os
import select
import signal
import typing as t

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Turns signals to end into an answer of ``wait`` while it is open, so that its user can clean up.

    Over ssh without a terminal no signal comes when the run on the controller is interrupted: the reader of standard
    output goes away, and ``wait`` reports that too.
    """

    def __enter__(self) -> Stop:
        self._out, self._in = os.pipe()
        os.set_blocking(self._in, False)
        self._why = ""
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_error: t.Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._out)
        os.close(self._in)

    def _note(self, number: int, _frame: t.Any) -> None:
        self._why = signal.Signals(number).name
        try:
            os.write(self._in, b"x")
        except BlockingIOError:
            pass

    def wait(self, seconds: float) -> str:
        """Wait, and return why to stop; an empty string if the time has passed."""
        watch = select.poll()
        watch.register(self._out, select.POLLIN)
        # No event is asked for: errors and a reader that has gone are reported anyway.
        watch.register(1, 0)
        for number, _event in watch.poll(seconds * 1000):
            if number == 1 and not self._why:
                self._why = "the reader of the output has gone"
        return self._why


class Poller:
    """The times of a loop that polls Slurm. It reads no clock.

    :arg pauses: seconds between two polls, short at first; the last one repeats. Every poll is work for the controller.
    :arg patience: how many seconds Slurm may be silent.
    :arg now: the time of the start.
    """

    def __init__(self, stop: Stop, pauses: t.Sequence[float], patience: float, now: float) -> None:
        self._stop, self._pauses, self._patience = stop, pauses, patience
        self._turn = 0
        self._answered = now

    def answered(self, now: float) -> None:
        """Slurm has answered."""
        self._answered = now

    def is_away(self, now: float) -> bool:
        """Whether Slurm has been silent for too long."""
        return now - self._answered >= self._patience

    def changed(self) -> None:
        """Something has changed: poll more often again."""
        self._turn = 0

    def pause(self, longest: float | None = None) -> str:
        """Wait until the next poll, and return why to stop; an empty string to go on.

        :arg longest: how many seconds the pause may take at most.
        """
        seconds = self._pauses[min(self._turn, len(self._pauses) - 1)]
        self._turn += 1
        return self._stop.wait(seconds if longest is None else min(seconds, longest))


class Repeated:
    """Counts in how many polls in a row a thing was seen. Slurm may still be at work on what one poll finds.

    :arg needed: how many polls have to agree.
    """

    def __init__(self, needed: int = 2) -> None:
        self._needed = needed
        self._seen: dict[str, int] = {}

    def note(self, name: str, seen: bool) -> None:
        """Take in whether a poll has seen *name*."""
        self._seen[name] = self._seen.get(name, 0) + 1 if seen else 0

    def __contains__(self, name: object) -> bool:
        """Whether enough polls in a row have seen *name*."""
        return self._seen.get(str(name), 0) >= self._needed
