# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of temporary files that name their process, and whether that process has ended. Private to hpc.pytorch.

A process is named by its host, its number, its start, the boot of the kernel and the view that it has of numbers and
times (its namespaces). So a number that another process has by now, a reboot or a container keep nothing for ever, and
a container does not take the files of another one for its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import re
import shutil
import socket
import time
import typing as t

from .._common.disk import is_on_network

# The text of a tag in a regular expression. Earlier releases wrote HOST.PID alone.
OWNER = r".+\.\d+(?:-\d+-[0-9a-f]{8}-[0-9a-f]{8})?"
_TAG = re.compile(r"(?P<host>.+)\.(?P<pid>\d+)(?:-(?P<start>\d+)-(?P<boot>[0-9a-f]{8})-(?P<view>[0-9a-f]{8}))?\Z")
# Where nothing else tells, nobody works that long on one folder without changing an entry in it.
_ABANDONED_SECONDS = 24 * 3600


def owner_tag() -> str:
    """``HOST.PID-START-BOOT-VIEW`` of this process, to be part of a file's name."""
    number = os.getpid()
    return "%s.%d-%s-%s-%s" % (socket.gethostname(), number, _start_of(number) or "0", _boot(), _view())


def is_abandoned(tag: str, folder: str = "") -> bool:
    """Whether the process that *tag* names has ended. In doubt it has not: False.

    A process on another host may still be running, so its files are not abandoned.

    :arg folder: the path of the leftover, if it is a folder that its owner holds (:func:`new_folder`, :func:`held`).
        It helps where the process cannot be seen from here: in another container, or on a host of the same name.
    """
    match = _TAG.match(tag)
    if match is None:
        return False
    is_this_host, pid = match.group("host") == socket.gethostname(), int(match.group("pid"))
    if match.group("boot") is None:
        ended = is_this_host and not _is_running(pid, None)
    elif match.group("boot") == _boot():
        if match.group("view") != _view():
            return bool(folder) and _is_unused(folder)
        ended = not _is_running(pid, match.group("start"))
    elif not folder:
        ended = is_this_host
    elif is_on_network(folder):
        return is_this_host and _is_old(folder)
    else:
        # No other kernel writes to this file system, so the process was one of an earlier boot.
        ended = True
    return ended and (not folder or _lock_is_free(folder) is not False)


def private_path(path: str, purpose: str) -> str:
    """A name next to *path* that only this process uses: ``/envs/.torch.OWNER.PURPOSE`` for ``/envs/torch``."""
    parent, name = os.path.split(path)
    return os.path.join(parent, ".%s.%s.%s" % (name, owner_tag(), purpose))


def remove_abandoned(path: str, purpose: str) -> None:
    """Remove the folders that ended processes left under names of :func:`private_path`."""
    parent, name = os.path.split(path)
    start, end = os.path.join(parent, ".%s." % name), "." + purpose
    for each in glob.glob(glob.escape(start) + "*" + glob.escape(end)):
        if is_abandoned(each[len(start) : -len(end)], each):
            shutil.rmtree(each, ignore_errors=True)


@contextlib.contextmanager
def new_folder(path: str, mode: int) -> t.Iterator[None]:
    """Make the folder *path* and hold it in this context, so that no run takes it for abandoned.

    :raises OSError: it cannot be made.
    """
    while True:
        os.mkdir(path, mode)
        with held(path) as is_there:
            if is_there:
                yield
                return


@contextlib.contextmanager
def held(path: str) -> t.Iterator[bool]:
    """Hold the folder *path*, whose name may change. Yields whether it is still there; other runs may have removed it.

    On a file system without such locks nothing is held.
    """
    with contextlib.ExitStack() as stack:
        try:
            handle = _open_folder(path)
        except FileNotFoundError:
            yield False
            return
        except OSError:
            yield True
            return
        stack.callback(os.close, handle)
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            is_there = os.path.samestat(os.fstat(handle), os.lstat(path))
        except OSError:
            is_there = False
        yield is_there


def _open_folder(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_unused(folder: str) -> bool:
    """Whether no process of this kernel uses the folder, in whatever container it runs."""
    free = None if is_on_network(folder) else _lock_is_free(folder)
    return _is_old(folder) if free is None else free


def _lock_is_free(folder: str) -> bool | None:
    """Whether no process holds the folder; None if that cannot be known."""
    try:
        handle = _open_folder(folder)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    finally:
        os.close(handle)
    return True


def _is_old(path: str) -> bool:
    try:
        return time.time() - os.lstat(path).st_ctime > _ABANDONED_SECONDS
    except OSError:
        return False


def _is_running(pid: int, start: str | None) -> bool:
    """Whether the process runs.

    :arg start: as :func:`_start_of` tells it. Another process that has the number by now has another one.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        # Of another user.
        pass
    found = _start_of(pid)
    # /proc may hide the processes of others.
    return found is None or (found != "" and start in (None, "0", found))


def _start_of(pid: int) -> str | None:
    """When a process started, in clock ticks since the boot; empty if it has ended; None if that cannot be read."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stream:
            # The name, in parentheses, may hold blanks and parentheses.
            fields = stream.read().rpartition(b")")[2].split()
        state, start = fields[0], fields[19].decode("ascii")
    except OSError as error:
        return "" if error.errno == errno.ESRCH else None
    except (IndexError, ValueError):
        return None
    # A zombie does nothing any more; in a container it may stay for ever.
    return "" if state in (b"Z", b"X") else start


def _boot() -> str:
    """Eight digits for this boot of the kernel."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as stream:
            return _digest(stream.read())
    except OSError:
        return "0" * 8


def _view() -> str:
    """Eight digits for the namespaces that give processes their numbers and times."""
    spaces = []
    for name in ("pid", "time"):
        try:
            spaces.append(os.readlink("/proc/self/ns/" + name))
        except OSError:
            spaces.append("")
    return _digest(repr(spaces).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
