# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wakes a loop that polls when a signal comes. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t


class Signals:
    """Notes signals instead of dying of them; :attr:`fd` becomes readable.

    :arg numbers: those to note.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self.fd, self._write = os.pipe()
        for end in (self.fd, self._write):
            os.set_blocking(end, False)
        self._came: set[int] = set()
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: t.Any) -> None:
        self._came.add(number)

    def take(self) -> set[int]:
        """The signals since the last call."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, 512):
                pass
        came, self._came = self._came, set()
        return came
