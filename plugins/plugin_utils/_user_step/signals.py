# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps signals back for a few lines. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import signal
import typing as t


@contextlib.contextmanager
def blocked(numbers: t.Iterable[int]) -> t.Iterator[t.AbstractSet[int]]:
    """This thread gets none of the signals *numbers*, nor do threads and processes that it starts meanwhile.

    Gives the signals that were blocked before. Other threads still take theirs.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
