# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what is at a path with what is wanted there; refuses what root must not write. Private to hpc.pytorch."""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t

from .._common.errors import UserError
from .._files.folder import LARGEST, Folder, open_existing, open_parent
from .._files.trust import cure, others_can_write
from .request import WantedFile

# What the messages of the door call a place.
WHAT = "a place for files at"
_KINDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a symlink"),
    (stat.S_ISFIFO, "a fifo"),
    (stat.S_ISSOCK, "a socket"),
)
# The mode of a new file or folder, whatever the umask is: others read what root writes here.
NEW_FILE, NEW_FOLDER = 0o644, 0o755


class Look(t.NamedTuple):
    """What is at a path, and whether it differs from what is wanted.

    :arg before: the content, the target of a symlink, or a word; None if nothing is there.
    :arg mode: of what is there, None if nothing is.
    :arg owner: uid and gid of a file that is there.
    """

    wanted: WantedFile
    changed: bool
    before: bytes | None = None
    mode: int | None = None
    owner: tuple[int, int] | None = None


def look(wanted: WantedFile) -> Look:
    """Judge the place of *wanted* and compare; nothing is changed.

    :raises UserError: as root, another user could write there or on the way; or something else is at the path.
    :raises OSError: it cannot be read.
    """
    if wanted.state == "directory":
        return _look_at_folder(wanted)
    parent, name = os.path.split(wanted.path)
    with open_existing(parent, WHAT, top=wanted.top) as folder:
        if folder is None:
            return Look(wanted, wanted.state != "absent")
        if wanted.state != "file":
            return _LOOKS[wanted.state](wanted, folder, name, folder.stat(name))
    # A symlink of root's in its place is followed, as an admin expects who keeps such files in one folder.
    try:
        with open_parent(wanted.path, WHAT, top=wanted.top, will_make=True) as (folder, name):
            return _look_at_file(wanted, folder, name, folder.stat(name))
    except FileNotFoundError:
        # It leads to a folder that is missing, and that will be made.
        return Look(wanted, True)


def read_trusted(path: str) -> bytes | None:
    """The content of the regular file at *path*; None if there is none.

    :raises UserError: it is not a regular file of bounded size; or as root, another user could write it.
    """
    with open_existing(os.path.dirname(path), WHAT) as folder:
        if folder is None:
            return None
    with open_parent(path, "a file at") as (folder, name):
        status = folder.stat(name)
        if status is None:
            return None
        reason = None
        if os.geteuid() == 0 and status.st_uid != 0:
            reason = "%s belongs to uid %d" % (path, status.st_uid)
        elif os.geteuid() == 0 and others_can_write(status, os.path.join(folder.path, name)):
            reason = "%s has mode %04o" % (path, stat.S_IMODE(status.st_mode))
        if reason:
            raise UserError("a file at %s that only root can write, as this runs as root" % path, reason, cure(reason))
        return _read(folder, name, path, status)


def _look_at_file(wanted: WantedFile, folder: Folder, name: str, status: os.stat_result | None) -> Look:
    if status is None:
        return Look(wanted, True)
    before = _read(folder, name, wanted.path, status)
    mode = stat.S_IMODE(status.st_mode)
    changed = not _has_content(before, wanted) or wanted.mode not in (None, mode) or _has_other_owner(status, wanted)
    return Look(wanted, changed, before, mode, (status.st_uid, status.st_gid))


def _has_content(before: bytes, wanted: WantedFile) -> bool:
    if wanted.sha256:
        return hashlib.sha256(before).hexdigest() == wanted.sha256
    return before == wanted.content


def _look_at_folder(wanted: WantedFile) -> Look:
    # Judged first, with everything that a symlink of root's leads to.
    with open_existing(wanted.path, WHAT, top=wanted.top) as folder:
        if folder is None:
            return Look(wanted, True)
    parent, name = os.path.split(wanted.path)
    # Root's own folder may be in a sticky one: nobody else can move it.
    with open_existing(parent, WHAT, sticky=True, top=wanted.top) as folder:
        status = folder.stat(name) if folder else None
        if status is None:
            return Look(wanted, True)
        mode = stat.S_IMODE(status.st_mode)
        # A folder that only a symlink leads to has the mode that it needs elsewhere.
        lacks = (wanted.mode or 0) & ~mode if stat.S_ISDIR(status.st_mode) else 0
        return Look(wanted, bool(lacks), b"", mode)


def _look_at_link(wanted: WantedFile, folder: Folder, name: str, status: os.stat_result | None) -> Look:
    if status is None:
        return Look(wanted, True)
    if not stat.S_ISLNK(status.st_mode):
        raise _other(wanted.path, "a symlink", status)
    before = folder.target(name)
    return Look(wanted, before != wanted.target or _is_not_ours(status), os.fsencode(before))


def _look_at_removed(wanted: WantedFile, folder: Folder, name: str, status: os.stat_result | None) -> Look:
    if status is None:
        return Look(wanted, False)
    if stat.S_ISDIR(status.st_mode):
        with open_existing(wanted.path, WHAT, top=wanted.top) as inside:
            if inside is not None and inside.names():
                raise UserError(
                    "an empty folder at %s, a file, a symlink or nothing" % wanted.path,
                    "a folder with %d entries" % len(inside.names()),
                    "move them away, or keep the folder",
                )
    return Look(wanted, True, _kind(status).encode(), stat.S_IMODE(status.st_mode))


def _look_at_touched(wanted: WantedFile, folder: Folder, name: str, status: os.stat_result | None) -> Look:
    if status is None:
        return Look(wanted, True)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or _is_not_ours(status):
        raise _other(wanted.path, "a file of this user", status)
    return Look(wanted, True, b"", stat.S_IMODE(status.st_mode))


_LOOKS = {"link": _look_at_link, "absent": _look_at_removed, "touched": _look_at_touched}


def _has_other_owner(status: os.stat_result, wanted: WantedFile) -> bool:
    uid, gid = wanted.owner or (-1, -1)
    other = _is_not_ours(status) if uid == -1 else status.st_uid != uid
    return other or gid not in (-1, status.st_gid)


def _is_not_ours(status: os.stat_result) -> bool:
    """Whether root should replace the entry by its own: its owner could change what is written."""
    return os.geteuid() == 0 and status.st_uid != 0


def _read(folder: Folder, name: str, path: str, status: os.stat_result) -> bytes:
    if not stat.S_ISREG(status.st_mode):
        raise _other(path, "a file", status)
    if status.st_size > LARGEST:
        raise UserError(
            "a file of at most %d bytes at %s" % (LARGEST, path), "%d bytes" % status.st_size, "move it away"
        )
    return folder.read(name) or b""


def _kind(status: os.stat_result) -> str:
    return next((kind for test, kind in _KINDS if test(status.st_mode)), "a device")


def _other(path: str, expected: str, status: os.stat_result) -> UserError:
    found = _kind(status)
    if found == expected or expected.startswith(found):
        found = "%s of uid %d with %d names" % (found, status.st_uid, status.st_nlink)
    return UserError("%s at %s, or nothing" % (expected, path), found, "move it away, or name another path")
