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

from .._common.errors import UserError
from .._common.process import check
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


# Bytes. No text of ours, of conda's or of pip's is longer: the largest records of packages have some 20 MB.
LARGEST = 64 * 1024 * 1024


def open_regular(path: str, follow: bool = True) -> t.BinaryIO:
    """Open a regular file to read it. A fifo or a device is an error, since reading one could wait forever.

    :arg follow: whether the last part of *path* may be a symlink.
    :raises OSError: it is not a regular file, or cannot be read.
    """
    # To open a device may already do something, so it is not opened before its kind is known.
    place = os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    try:
        mode = os.fstat(place).st_mode
        if not stat.S_ISREG(mode):
            found = "a symlink" if stat.S_ISLNK(mode) else "not a regular file"
            raise OSError(errno.EINVAL, found, path)
        try:
            handle = os.open("/proc/self/fd/%d" % place, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(place)
    return os.fdopen(handle, "rb")


def read_regular(path: str, longest: int = LARGEST, follow: bool = True) -> bytes:
    """The content of a regular file, which another user may have put there.

    :arg longest: bytes; a longer file is an error.
    :raises OSError: it is not a regular file, is too long, or cannot be read.
    """
    with open_regular(path, follow) as stream:
        content = stream.read(longest + 1)
    if len(content) > longest:
        raise OSError(errno.EINVAL, "longer than %d bytes" % longest, path)
    return content


def require_regular(paths: t.Iterable[str], reader: str) -> None:
    """Refuse what *reader*, a program that is about to read these files, would wait for.

    :arg paths: files that need not exist.
    :raises UserError: one of them is a fifo, a device or a folder.
    """
    for path in paths:
        try:
            mode = os.stat(path).st_mode
        except OSError:
            continue
        # To read the null device is the usual way to have no settings.
        if not stat.S_ISREG(mode) and not (stat.S_ISCHR(mode) and os.path.realpath(path) == os.devnull):
            raise UserError(
                "a file at %s, as %s reads it" % (path, reader), "something else, such as a fifo", "move it away"
            )


def sha256_of_file(path: str) -> str:
    """Hex digest of the file's content."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            check()
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
