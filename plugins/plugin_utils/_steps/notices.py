# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says that a step is still running, at growing intervals. Private to hpc.pytorch."""

from __future__ import annotations

import threading
import typing as t

# The first notice of a step; each further one comes after twice the time.
FIRST_SECONDS = 10.0


class Notices:
    """A thread that calls *show* when a step has been running for long.

    It waits on an event, so it costs nothing between notices. It dies with the process.
    """

    def __init__(self, show: t.Callable[[], None], first: float = FIRST_SECONDS) -> None:
        self._show = show
        self._first = first
        self._woken = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def begin_step(self) -> None:
        """Count from now on."""
        if self._thread is None:
            # Only when a run begins: the callback is also loaded by commands that run nothing.
            self._thread = threading.Thread(target=self._run, daemon=True, name="steps")
            self._thread.start()
        else:
            self._woken.set()

    def end(self) -> None:
        """No more notices."""
        self._ended = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        delay = self._first
        while not self._ended:
            if self._woken.wait(delay):
                self._woken.clear()
                delay = self._first
            else:
                self._show()
                delay *= 2
