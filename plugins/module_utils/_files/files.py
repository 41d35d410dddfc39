# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes files so that no reader sees half of one, and hashes them. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import typing as t

from .folder import open_parent


def write_atomically(path: str, content: bytes, default_mode: int = 0o644) -> None:
    """Replace *path* by one rename. Mode, owner and a symlink at *path* are kept.

    :arg default_mode: mode of a new file, before the umask.
    :raises UserError: as root, another user could write there or on the way.
    :raises OSError: the old file is then unchanged.
    """
    with open_parent(path, "a place for the file", sticky=True) as (folder, name):
        old = folder.stat(name)
        if old is None:
            folder.write(name, content, default_mode & ~umask())
        elif os.geteuid() == 0 and old.st_uid != 0 and folder.is_shared():
            # The new file would be theirs, and so would what root writes into it later.
            raise PermissionError(
                errno.EACCES, "belongs to uid %d, in a folder that others can write" % old.st_uid, path
            )
        else:
            folder.write(name, content, stat.S_IMODE(old.st_mode), (old.st_uid, old.st_gid))


def open_regular(path: str) -> t.BinaryIO:
    """Open a regular file to read it. A fifo or a device is an error, since reading one could wait forever.

    :raises OSError: it is not a regular file, or cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return os.fdopen(handle, "rb")


def sha256_of_file(path: str) -> str:
    """Hex digest of the file's content."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_json(value: t.Any) -> str:
    """Hex digest of *value* in a canonical JSON form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def umask() -> int:
    """The process's umask."""
    # The kernel offers no other way to read it from Python; modules are single-threaded here.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def readable_if_root() -> t.Iterator[None]:
    """Let all users read, and none write, what root creates in this context, whatever the node's umask is."""
    old = umask()
    if os.geteuid() == 0:
        os.umask(old & ~0o055 | 0o022)
    try:
        yield
    finally:
        os.umask(old)
