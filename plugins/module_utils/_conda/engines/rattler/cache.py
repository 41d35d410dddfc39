# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rattler's package cache on disk: who is at work in it, and what killed runs left there. Private to hpc.pytorch.

As py-rattler 0.28.0 has it: an install holds ``.cache.lock`` (flock, exclusive) from its first package to its last, and unpacks
NAME-VERSION-BUILD into ``.NAME-VERSION-BUILDxxxxxx`` beside the ``NAME-VERSION-BUILD.lock`` that stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import socket
import time
import typing as t

from ...._common.mounts import is_on_network

_LOCK = ".cache.lock"
_UNPACKING = re.compile(r"\.(?P<package>.+)[A-Za-z0-9]{6}\Z")
_SCRATCH = ".hpc-pytorch-fetch."
# No package takes as long to unpack, so nobody is at work there, on whichever machine.
_ABANDONED_SECONDS = 24 * 3600


def scratch_prefix(cache: str) -> str:
    """A throwaway prefix in the cache, named after this process."""
    return os.path.join(cache, "%s%s.%d" % (_SCRATCH, socket.gethostname(), os.getpid()))


def is_busy(cache: str) -> bool:
    """Whether another run holds the cache's lock, so that an install would wait for it."""
    with _lock_of(cache) as held:
        return held is False


def remove_leftovers(cache: str) -> None:
    """Delete what killed runs of this user left in the cache, and nothing that a live one may use.

    Scratch prefixes by host and process, like :func:`.lifecycle.remove_leftovers`. Half unpacked packages bear no host: they go
    while rattler's own lock is ours, at once on this machine's own file systems. On a network file system a machine whose locks
    do not reach us may be at work, so there they go after a day.
    """
    names = _names(cache)
    for name in names:
        if name.startswith(_SCRATCH) and _is_of_dead_process(name):
            _remove(os.path.join(cache, name))
    halves = [name for name in names if _is_half_unpacked(name, names)]
    if not halves:
        return
    with _lock_of(cache) as held:
        if held is False:
            return
        at_once = held is True and not is_on_network(cache)
        for name in halves:
            path = os.path.join(cache, name)
            if at_once or _age(path) > _ABANDONED_SECONDS:
                _remove(path)


def _names(cache: str) -> set[str]:
    try:
        return set(os.listdir(cache))
    except OSError:
        return set()


def _is_half_unpacked(name: str, names: t.Container[str]) -> bool:
    match = _UNPACKING.match(name)
    return match is not None and match.group("package") + ".lock" in names


def _is_of_dead_process(name: str) -> bool:
    host, _dot, pid = name[len(_SCRATCH) :].rpartition(".")
    return host == socket.gethostname() and pid.isdigit() and not os.path.exists("/proc/%s" % pid)


def _age(path: str) -> float:
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return 0


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        # In a cache that users share, what others left is theirs to remove.
        if os.lstat(path).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _lock_of(cache: str) -> t.Iterator[bool | None]:
    """Whether rattler's lock could be taken; None where there is none yet or locks do not work."""
    try:
        stream = open(os.path.join(cache, _LOCK), "r+b")
    except OSError:
        yield None
        return
    with stream:
        held: bool | None = True
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # An NFS server's clients hold these for its own processes.
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = False
        except OSError:
            held = None
        yield held
