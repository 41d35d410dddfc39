# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which root reads and writes files where others may write. Private to hpc.pytorch.

A folder is opened step by step, by descriptor. As root each step is judged on the open descriptor, and a symlink is
followed only if root made it where only root can write. All else happens below that descriptor: between the look and
the write nobody can put another folder or a link in its way. An ordinary user's folders are theirs, so they are opened
as they are.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from .._common.errors import UserError
from .entries import LARGEST, STEP, Folder
from .trust import cure

__all__ = ["LARGEST", "Folder", "open_existing", "open_folder", "open_parent"]

_MOST_LINKS = 40


@contextlib.contextmanager
def open_folder(path: str, what: str, make: bool = False, sticky: bool = False, top: str = "/") -> t.Iterator[Folder]:
    """Open the folder *path*.

    :arg path: an absolute path.
    :arg what: what it is for, as the message says it: ``a folder for modulefiles at``.
    :arg make: make what is missing, with mode 0755.
    :arg sticky: whether root may also work in a sticky folder such as /tmp, in which others can make entries of
        their own. For files and links that are replaced whole; never for what is read and believed.
    :arg top: the folder that stands for ``/``, such as a chroot. It is never left, not even by an absolute symlink or
        ``..`` in it. As root what is made in it is root's.
    :raises UserError: as root, another user could write there or on the way.
    :raises OSError: it is missing, no folder, or cannot be made.
    """
    with contextlib.ExitStack() as stack:
        yield _walk(path, what, make, sticky, stack, top=top)


@contextlib.contextmanager
def open_parent(
    path: str, what: str, make: bool = False, sticky: bool = False, top: str = "/", will_make: bool = False
) -> t.Iterator[tuple[Folder, str]]:
    """Open the folder of the file *path*; yield it and the file's name in it.

    A symlink in the place of the file is followed by the rules of :func:`open_folder`, so the folder and the name are
    those of the file that it leads to.

    :arg will_make: the caller predicts what ``make`` will do.
    :raises UserError: as :func:`open_folder`; or the symlink is not root's.
    """
    with contextlib.ExitStack() as stack:
        for _link in range(_MOST_LINKS):
            parent, name = os.path.split(path)
            folder = _walk(parent, what, make, sticky, stack, will_make, top)
            status = folder.stat(name)
            if status is None or not stat.S_ISLNK(status.st_mode):
                yield folder, name
                return
            if os.geteuid() == 0:
                _judge_link(folder, name, status, path, what)
            # normpath would take away `..` after a symlink; _walk resolves both in order.
            path = os.path.join(parent, folder.target(name))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


@contextlib.contextmanager
def open_existing(path: str, what: str, sticky: bool = False, top: str = "/") -> t.Iterator[Folder | None]:
    """Open the folder *path* to predict what will be made in it; yield None if it, or one on the way, is missing.

    :arg sticky: as for :func:`open_folder`; what is missing is never made in a sticky folder.
    :raises UserError: as :func:`open_folder` with ``make``: as root, another user could write there or on the way.
    :raises OSError: it is no folder.
    """
    with contextlib.ExitStack() as stack:
        folder = None
        with contextlib.suppress(FileNotFoundError):
            folder = _walk(path, what, False, sticky, stack, will_make=True, top=top)
        yield folder


def _walk(
    path: str,
    what: str,
    make: bool,
    sticky: bool,
    stack: contextlib.ExitStack,
    will_make: bool = False,
    top: str = "/",
) -> Folder:
    """Open *path* step by step. ``stack`` closes all descriptors.

    :arg will_make: only judge whether what is missing may be made.
    """
    if not os.path.isabs(path):
        raise ValueError("not an absolute path: %r" % path)
    is_root = os.geteuid() == 0
    # Judged below, as each folder on the way is.
    way = [_top(stack) if top == "/" else _walk(top, what, make, True, stack, will_make)]
    pending = [part for part in path.split("/") if part and part != "."]
    links = 0
    while True:
        folder = way[-1]
        if is_root:
            _judge(folder, path, what, sticky if not pending else True)
        if not pending:
            return folder
        name = pending.pop(0)
        if name == "..":
            way[1:] = way[1:-1]
            continue
        status = folder.stat(name)
        if status is not None and stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if is_root:
                _judge_link(folder, name, status, path, what)
            target = folder.target(name)
            if target.startswith("/"):
                del way[1:]
            pending[:0] = [part for part in target.split("/") if part and part != "."]
            continue
        if status is None:
            if is_root and (make or will_make):
                # In a sticky folder another user could have made it first.
                _judge(folder, path, what, False)
            if not make:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.path.join(folder.path, name))
            with contextlib.suppress(FileExistsError):
                # A tree that becomes a machine has modes that no umask decides.
                in_tree = top != "/"
                folder.make(name, 0o755 if is_root or in_tree else None, (0, 0) if is_root and in_tree else None)
        handle = folder.open_entry(name)
        stack.callback(os.close, handle)
        way.append(Folder(handle, os.path.join(folder.path, name)))


def _top(stack: contextlib.ExitStack) -> Folder:
    handle = os.open("/", STEP)
    stack.callback(os.close, handle)
    return Folder(handle, "/")


def _judge(folder: Folder, path: str, what: str, sticky: bool) -> None:
    status = folder.status()
    if status.st_uid != 0:
        raise _refusal(what, path, "%s belongs to uid %d" % (folder.path, status.st_uid))
    if not (sticky and status.st_mode & stat.S_ISVTX) and folder.is_shared():
        raise _refusal(what, path, "%s has mode %04o" % (folder.path, stat.S_IMODE(status.st_mode)))


def _judge_link(folder: Folder, name: str, status: os.stat_result, path: str, what: str) -> None:
    if status.st_uid != 0:
        raise _refusal(what, path, "%s belongs to uid %d" % (os.path.join(folder.path, name), status.st_uid))
    # Where the kernel lets users make hard links to files of others, root's own link may be put in a sticky folder.
    if status.st_nlink != 1 and folder.is_shared():
        raise _refusal(what, path, "%s is a hard link to a symlink" % os.path.join(folder.path, name))


def _refusal(what: str, path: str, reason: str) -> UserError:
    return UserError(
        "%s %s that only root can write, as this runs as root" % (what, path),
        reason,
        cure(reason),
    )
