# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an image as an archive: the same bytes for the same files. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from .._common.errors import UserError, shown

# 1980-01-01, the first day that every tool takes: tar warns about a time of 0.
_TIME = 315532800
_FOLDER_MODE = 0o755
_BLOCK = 512
# Of the ustar format, in bytes: the name, and the folders in front of it.
_LONGEST_NAME, _LONGEST_PREFIX = 100, 155


class Member(t.NamedTuple):
    """A regular file, by its absolute path on the machine."""

    path: str
    mode: int
    content: bytes


def archive_of(members: t.Iterable[Member]) -> bytes:
    """An archive in the ustar format with *members* and their folders, all root's, sorted, with one fixed time.

    The folders are in it because the umask of the person who unpacks it would decide about their modes otherwise. The
    headers are written here because those of the module tarfile differ between versions of Python.

    >>> tarfile.open(fileobj=io.BytesIO(archive_of([Member("/etc/a", 0o644, b"")]))).getnames()
    ['etc', 'etc/a']

    :raises UserError: a path is too long for the format.
    """
    files = {member.path.strip("/"): member for member in members}
    names = set(files)
    for name in files:
        while os.path.dirname(name):
            name = os.path.dirname(name)
            names.add(name)
    parts = []
    for name in sorted(names):
        if name in files:
            content = files[name].content
            parts += [_header(name, files[name].mode, len(content), b"0"), content, b"\0" * (-len(content) % _BLOCK)]
        else:
            parts.append(_header(name + "/", _FOLDER_MODE, 0, b"5"))
    # Two empty blocks end it.
    return b"".join([*parts, b"\0" * (2 * _BLOCK)])


def _header(name: str, mode: int, size: int, kind: bytes) -> bytes:
    """The block in front of a member, as POSIX.1-2017 (pax, "ustar Interchange Format") has it.

    :arg kind: ``0`` for a regular file, ``5`` for a folder.
    """
    prefix, rest = _split(os.fsencode(name))
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, size, _TIME)
    start = rest.ljust(_LONGEST_NAME, b"\0") + numbers
    end = kind + b"\0" * 100 + b"ustar\00000" + (b"root".ljust(32, b"\0") * 2) + b"0000000\0" * 2
    end += prefix.ljust(_LONGEST_PREFIX, b"\0")
    # The sum of all bytes, counted with blanks in its own place.
    total = sum(start) + sum(end) + sum(b" " * 8)
    return (start + b"%06o\0 " % total + end).ljust(_BLOCK, b"\0")


def _split(name: bytes) -> tuple[bytes, bytes]:
    """*name* as the format takes it: ``(b"", name)``, or the folders in front of a slash and the rest."""
    if len(name) <= _LONGEST_NAME:
        return b"", name
    # Not at the slash at the end of a folder's name.
    slash = name.find(b"/", len(name) - _LONGEST_NAME - 1, len(name) - 1)
    if slash < 1 or slash > _LONGEST_PREFIX:
        raise UserError(
            "paths of at most %d bytes in an archive" % (_LONGEST_NAME + _LONGEST_PREFIX),
            shown(os.fsdecode(name)),
            "choose a shorter folder, or write to a folder with root",
        )
    return name[:slash], name[slash + 1 :]
