# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks between runs on one machine. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import fcntl
import os
import typing as t

from .progress import Progress


class Lock(t.NamedTuple):
    """A lock file while it is open. ``held`` is False where its file system has no locks."""

    handle: int
    held: bool


@contextlib.contextmanager
def file_lock(path: str, progress: Progress, place: str, mode: int = 0o600) -> t.Iterator[Lock]:
    """Hold the exclusive lock of the file *path*, which is made if needed; wait for another run that holds it.

    :arg place: what the lock protects. While this run waits, the progress line says ``wait for another run that is at
        work on PLACE``.
    :raises OSError: the file cannot be opened. A symlink is not followed.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, flags, mode)
    try:
        waiting = "another run that is at work on %s" % place
        yield Lock(handle, hold(handle, lambda: progress.report("wait for", waiting)))
    finally:
        os.close(handle)


def hold(file: int | t.IO[t.Any], waiting: t.Callable[[], None]) -> bool:
    """Take the exclusive lock of an open file, for as long as it is open. False: its file system has no locks.

    :arg waiting: called when another run holds the lock, before this one waits.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
