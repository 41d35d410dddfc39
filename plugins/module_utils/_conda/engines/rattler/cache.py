# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages on disk before they are installed: rattler's cache, and channels in a folder. Private to hpc.pytorch.

py-rattler 0.28.0 holds ``.cache.lock`` (flock, exclusive) during an install, and unpacks NAME-VERSION-BUILD into
``.NAME-VERSION-BUILDxxxxxx``, next to a ``NAME-VERSION-BUILD.lock`` that stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
import typing as t
import urllib.parse

from ...._common.disk import is_on_network
from ...._common.errors import UserError
from ...._files.files import sha256_of_file
from ...._files.leftovers import is_abandoned, owner_tag

_LOCK = ".cache.lock"
_UNPACKING = re.compile(r"\.(?P<package>.+)[A-Za-z0-9]{6}\Z")
_SCRATCH = ".hpc-pytorch-fetch."
# No package takes that long to unpack, so no machine is still unpacking it.
_ABANDONED_SECONDS = 24 * 3600


def scratch_prefix(cache: str) -> str:
    """The path of a temporary prefix in the cache, for this process only."""
    return os.path.join(cache, _SCRATCH + owner_tag())


def is_busy(cache: str) -> bool:
    """Whether another run holds the cache's lock, so that an install would wait for it."""
    with _lock_of(cache) as held:
        return held is False


def remove_abandoned(cache: str) -> None:
    """Delete what killed runs of this user left in the cache, and nothing that a running one may use.

    The names of scratch prefixes tell their host and process. Half-unpacked packages do not: on a local file system
    they are deleted while this process holds rattler's lock. On a network file system a machine whose locks do not
    reach us may be unpacking them, so there they are deleted after a day.
    """
    names = _names(cache)
    for name in names:
        if name.startswith(_SCRATCH) and is_abandoned(name[len(_SCRATCH) :]):
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


def check_local_archive(record: t.Any) -> None:
    """Check the hash of an archive in a channel on disk: rattler checks only what it downloads.

    :raises UserError: the file is missing, or differs from the channel's index.
    """
    if not record.url.startswith("file://"):
        return
    path = urllib.parse.unquote(urllib.parse.urlsplit(record.url).path)
    wanted = record.sha256.hex() if record.sha256 else None
    try:
        found = sha256_of_file(path)
    except OSError as error:
        raise UserError("a package at %s" % path, str(error), "publish the channel again") from error
    if wanted and found != wanted:
        raise UserError(
            "a package %s with sha256 %s, as in the channel's index" % (path, wanted),
            "sha256 %s" % found,
            "the file was changed after the channel was indexed: publish the channel again",
        )
