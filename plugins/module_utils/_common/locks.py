# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks between runs on one machine. Private to hpc.pytorch."""

from __future__ import annotations

import fcntl
import typing as t


def hold(file: int | t.IO[t.Any], waiting: t.Callable[[], None]) -> bool:
    """Take the exclusive lock of an open file, for as long as it is open. False: its file system knows no locks.

    :arg waiting: called when another run holds it, before this one waits.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
