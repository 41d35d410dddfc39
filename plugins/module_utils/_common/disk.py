# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk that a path is on: its file system, and what is short when it is full. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import os
import re
import typing as t

from .errors import UserError
from .lines import lines_of

# File systems of one machine. Any other name counts as shared, so that in doubt nothing is removed.
_LOCAL = frozenset(
    ("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs", "tmpfs", "xfs", "zfs")
)
# How Python, rattler (``os error 28``), pip, conda, git and coreutils report a full disk.
_WORDS = {
    errno.EDQUOT: r"disk quota exceeded|\bEDQUOT\b",
    errno.EFBIG: r"file too large|\bEFBIG\b",
    errno.ENOSPC: r"no space left on device|\bENOSPC\b|NoSpaceLeft|NotEnoughSpace",
}
_FULL = {
    number: re.compile(r"%s|\bos error %d\b|\[Errno %d\]" % (words, number, number), re.IGNORECASE)
    for number, words in _WORDS.items()
}
# Up to a blank: the start of a path is enough to know its disk.
_PATH = re.compile(r"(?<![\w/.:-])/[^\s'\"`:,]+")
# Below this a file system counts as full: a write may need a few blocks for its own records.
_FEW_INODES = 16


def is_on_network(path: str) -> bool:
    """Whether *path* is on a file system that other machines may write to."""
    return file_system_of(path) not in _LOCAL


def file_system_of(path: str) -> str:
    """The kernel's name for the file system at *path*, such as ``ext4``; empty if it is not known."""
    return _mount_of(path)[1]


def mount_point_of(path: str) -> str:
    """The folder at which the file system of *path* is mounted; *path* itself if it is not known."""
    return _mount_of(path)[0] or path


def _mount_of(path: str) -> tuple[str, str]:
    """Mount point and kind of the file system at *path*."""
    mount, length = ("", ""), -1
    real = os.path.realpath(path)
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
    except OSError:
        return mount
    for line in lines_of(text):
        before, _dash, after = line.partition(" - ")
        # A user may mount at a path with any other kind of white space.
        fields = before.split(" ")
        if len(fields) < 5:
            continue
        # Blanks in paths are written as \040.
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), fields[4])
        holds = real == point or real.startswith(point.rstrip("/") + "/")
        # The last file system mounted at a place hides the earlier ones.
        if holds and len(point) >= length:
            mount, length = (point, after.split(" ")[0]), len(point)
    return mount


def full_disk(problem: BaseException | str, *paths: str) -> UserError | None:
    """The error to raise if *problem* is that a disk is full; None if it is something else.

    It names a path, the file system, and what is short there: space, inodes, quota or the size of one file.

    :arg problem: an exception, whose causes count too (zipfile hides the reason in them), or the output of a program.
    :arg paths: what was being written to, for a problem that does not name it. Of several, the one on the disk that
        the problem names is chosen, or else the one on the fullest disk. None is needed.
    """
    number, path, text = _what_is_full(problem)
    if not number:
        return None
    path = path or _on_disk_of(text, paths) or _fullest(paths)
    if number == errno.EFBIG:
        return UserError(
            "a file%s of any size" % (" at %s" % path if path else ""),
            "that it is too large for the file system, or for the file size limit of this process",
            "raise the limit (ulimit -f, or LimitFSIZE of the service), or use another file system, then run again",
        )
    goal = " for %s" % path if path else ""
    place = " on the file system at %s" % mount_point_of(path) if path else " on the disk"
    if number == errno.EDQUOT:
        return UserError(
            "a quota of uid %d that is large enough%s" % (os.geteuid(), goal),
            "that it is used up%s" % place,
            "delete files of this user there or have the quota raised, or choose another place, then run again",
        )
    short, rest = _shortage(path)
    return UserError(
        "enough free %s%s" % (short, goal),
        "none left%s%s" % (place, rest),
        "free some %s there or choose another place, then run again" % short,
    )


def nearly_full(path: str, megabytes: int) -> UserError | None:
    """The error for a program that failed without a reason while fewer *megabytes* or few inodes are free at *path*.

    Some programs hide why they failed: ``python -m venv`` does not show what ensurepip printed.
    """
    space, inodes = _free(path)
    return full_disk("ENOSPC", path) if space < megabytes * 10**6 or inodes < _FEW_INODES else None


def _what_is_full(problem: BaseException | str) -> tuple[int, str, str]:
    """The error number, 0 if it is another problem; the absolute path that the exception names; the text."""
    if isinstance(problem, str):
        return next((number for number, words in _FULL.items() if words.search(problem)), 0), "", problem
    if isinstance(problem, UserError):
        # The code that raised it chose its words.
        return _what_is_full(problem.found)
    seen: set[int] = set()
    error: BaseException | None = problem
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            # A file that is too large to be read is no full disk. It has the number, but other words than the kernel's.
            if error.errno == errno.EFBIG and error.strerror != os.strerror(errno.EFBIG):
                return 0, "", ""
            name = error.filename2 or error.filename
            name = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
            return error.errno or 0, name if os.path.isabs(name) else "", ""
        # shutil.Error keeps the reasons as text only. The text of another OSError may hold a file's name.
        if not isinstance(error, OSError) or error.errno is None:
            found = _what_is_full(str(error))
            if found[0]:
                return found
        error = error.__cause__ or error.__context__
    return 0, "", ""


def _on_disk_of(text: str, paths: t.Sequence[str]) -> str:
    """The first of *paths* on the disk of the last path in *text*: a copy names its target last. Empty if none is."""
    named = _PATH.findall(text)
    place = mount_point_of(named[-1]) if named else ""
    return next((path for path in paths if path and mount_point_of(path) == place), "")


def _fullest(paths: t.Sequence[str]) -> str:
    """The one of *paths* whose disk has the least space; the first of several on one disk."""
    known = [path for path in paths if path]
    free: dict[str, int] = {}
    for path in known:
        # A disk is read once, since others may write to it meanwhile.
        place = mount_point_of(path)
        if place not in free:
            free[place] = _free(path)[0]
    return min(known, key=lambda path: free[mount_point_of(path)], default="")


def _free(path: str) -> tuple[int, int]:
    """Bytes and inodes that this user may still use; a large number of those that are not counted."""
    many = 1 << 62
    try:
        disk = os.statvfs(path)
    except (FileNotFoundError, NotADirectoryError):
        parent = os.path.dirname(path)
        return _free(parent) if parent != path else (many, many)
    except OSError:
        return many, many
    inodes = disk.f_ffree if os.geteuid() == 0 else disk.f_favail
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    # btrfs and some network file systems count no inodes.
    return blocks * disk.f_frsize, inodes if disk.f_files else many


def _shortage(path: str) -> tuple[str, str]:
    """What a file system without room is short of, and how much it has free by now."""
    if not path:
        return "space", ""
    space, inodes = _free(path)
    # What was half written is removed by now, so there may be some of both again.
    if inodes < _FEW_INODES or _share_of_inodes_is_smaller(path):
        return "inodes", " (%d inodes are free now, which was not enough, and %s)" % (inodes, _megabytes(space))
    return "space", " (%s are free now, which was not enough)" % _megabytes(space) if space < 1 << 62 else ""


def _share_of_inodes_is_smaller(path: str) -> bool:
    """Whether a part of the inodes is free that is less than half of the part of the space that is free."""
    try:
        disk = os.statvfs(path)
    except (FileNotFoundError, NotADirectoryError):
        parent = os.path.dirname(path)
        return parent != path and _share_of_inodes_is_smaller(parent)
    except OSError:
        return False
    return 2 * disk.f_ffree * disk.f_blocks < disk.f_bfree * disk.f_files


def _megabytes(count: int) -> str:
    return "%.1f MB" % (count / 1e6)
