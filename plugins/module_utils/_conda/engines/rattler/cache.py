# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs leave in rattler's package cache, and its lock. Private to hpc.pytorch.

py-rattler 0.28.0 holds ``.cache.lock`` (flock, exclusive) during an install, and unpacks NAME-VERSION-BUILD into
``.NAME-VERSION-BUILDxxxxxx``, next to a ``NAME-VERSION-BUILD.lock`` that stays.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import re
import shutil
import stat
import time
import typing as t

from ...._common.disk import is_on_network
from ...._files.leftovers import is_abandoned, owner_tag

_LOCK = ".cache.lock"
_UNPACKING = re.compile(r"\.(?P<package>.+)[A-Za-z0-9]{6}\Z")
_SCRATCH = ".hpc-pytorch-fetch."
# No package takes that long to unpack, so no machine is still unpacking it.
_ABANDONED_SECONDS = 24 * 3600


def scratch_prefix(cache: str) -> str:
    """The path of a temporary prefix in the cache, for this process only."""
    return os.path.join(cache, _SCRATCH + owner_tag())


def make_own_folder(path: str) -> None:
    """Make the folder and its parents, writable for their owner only, whatever the umask is.

    :raises OSError: one cannot be made.
    """
    if os.path.isdir(path):
        return
    make_own_folder(os.path.dirname(os.path.abspath(path)))
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o755)
    if not os.path.isdir(path):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


def is_shared(path: str) -> bool:
    """Whether other users can change what is in the folder: it is theirs, or they may write there.

    As root only what is root's counts; the caller has refused everything else already.
    """
    status = os.stat(path)
    if os.geteuid() == 0:
        return False
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_private_group(status.st_gid)


def _is_private_group(gid: int) -> bool:
    """Whether the group has this user alone, by the convention of useradd: both have one name."""
    try:
        return grp.getgrgid(gid).gr_name == pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False


def close_to_others(path: str) -> None:
    """Let no other user write into this user's own folder."""
    status = os.stat(path)
    if status.st_uid == os.geteuid() and status.st_mode & 0o022:
        os.chmod(path, stat.S_IMODE(status.st_mode) & ~0o022)


def is_busy(cache: str) -> bool:
    """Whether another run holds the cache's lock, so that an install would wait for it."""
    with _lock_of(cache) as held:
        return held is False


@contextlib.contextmanager
def cache_lock(cache: str) -> t.Iterator[int | None]:
    """rattler's lock file, opened and made if it is missing; None if this user may not. Closing it frees the lock."""
    try:
        handle = os.open(os.path.join(cache, _LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except PermissionError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def remove_abandoned(cache: str) -> None:
    """Delete what killed runs of this user left in the cache, and nothing that a running one may use.

    The names of scratch prefixes tell their process. Those of half-unpacked packages do not: on a local file system
    they are deleted while this process holds rattler's lock. On a network file system a machine whose locks do not
    reach us may be unpacking them, so there they are deleted after a day.
    """
    names = _names(cache)
    for name in names:
        path = os.path.join(cache, name)
        if name.startswith(_SCRATCH) and is_abandoned(name[len(_SCRATCH) :], path):
            _remove(path)
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


def _age(path: str) -> float:
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return 0


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        # In a shared cache each user removes their own leftovers only.
        if os.lstat(path).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _lock_of(cache: str) -> t.Iterator[bool | None]:
    """Whether rattler's lock could be taken; None if there is no lock file yet or locks do not work."""
    try:
        stream = open(os.path.join(cache, _LOCK), "r+b")
    except OSError:
        yield None
        return
    with stream:
        held: bool | None = True
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # On an NFS server, clients hold locks of this kind.
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = False
        except OSError:
            held = None
        yield held
