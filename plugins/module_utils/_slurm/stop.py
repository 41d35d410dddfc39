# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting that ends at once when nobody wants the answer any more. Private to hpc.pytorch."""

from __future__ import annotations

import os
import select
import signal
import typing as t

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """While this is open, a signal to end is kept until somebody asks; whoever holds jobs asks, and tidies up.

    Over ssh without a terminal no signal comes when the run on the controller is interrupted: only the reader of
    standard output goes away.
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
        """Wait; why to stop, or an empty string when the time has passed."""
        watch = select.poll()
        watch.register(self._out, select.POLLIN)
        # No event asked for: an error or a reader that has gone is told all the same.
        watch.register(1, 0)
        for number, _event in watch.poll(seconds * 1000):
            if number == 1 and not self._why:
                self._why = "whoever asked has gone"
        return self._why
