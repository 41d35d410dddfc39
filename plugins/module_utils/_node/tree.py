# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tree says before files are written to it: whose a file is, which folders exist, who can write them.

Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import stat
import typing as t

from .._common.errors import UserError
from .._files.folder import open_existing
from .._files.trust import others_can_write, require_root_only_folder
from .._host.request import WantedFile

_WHAT = "a place for files at"
_WHAT_RUNS = "a path at"
_MOST_LINKS = 40


def is_ours(wanted: WantedFile, begins_with: t.Sequence[str]) -> bool:
    """Whether a regular file is at the path, belongs to this user and begins with one of the texts."""
    folder = os.path.dirname(wanted.path)
    # Not judged where nothing is to be removed.
    if wanted.top == "/" and not os.path.lexists(wanted.path):
        return False
    with open_existing(folder, _WHAT, top=wanted.top) as opened:
        name = os.path.basename(wanted.path)
        status = opened.stat(name) if opened else None
        if opened is None or status is None or not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return False
        try:
            content = opened.read(name) or b""
        except OSError:
            # A larger one than any of ours, or one that this user must not read.
            return False
    return any(content.startswith(text.encode("utf-8", "surrogateescape")) for text in begins_with)


def has_folder(path: str, top: str) -> bool:
    """Whether the folder exists on the machine, or in the tree."""
    if top == "/":
        return os.path.isdir(path)
    try:
        with open_existing(path, _WHAT, top=top) as folder:
            return folder is not None
    except NotADirectoryError:
        return False


def require_root_only(path: str, top: str) -> None:
    """As root, refuse *path* if another user could write it, its parents or a file in it.

    :raises UserError: with another path as the remedy.
    """
    if top == "/":
        require_root_only_folder(path)
    elif os.geteuid() == 0:
        _require_in_tree(path, top)


def _require_in_tree(path: str, top: str) -> None:
    """As :func:`require_root_only_folder`, with the symlinks of the tree resolved in it.

    What is missing in the tree may be on a file system that the machine mounts later, and is judged there.
    """
    try:
        with open_existing(path, _WHAT_RUNS, top=top) as folder:
            for name in folder.names() if folder else []:
                _require_entry(os.path.join(path, name), top, _MOST_LINKS)
    except NotADirectoryError:
        _require_entry(path, top, _MOST_LINKS)


def _require_entry(path: str, top: str, links: int) -> None:
    """Judge a file, and what a symlink leads to. A folder is another place, with files that nobody runs by name."""
    parent, name = os.path.split(path)
    with open_existing(parent, _WHAT_RUNS, sticky=True, top=top) as folder:
        if folder is None:
            return
        status = folder.stat(name)
        full, reason = os.path.join(folder.path, name), None
        if status is None:
            reason = "%s does not exist, and others can make it" % full if folder.is_shared() else None
        elif status.st_uid != 0:
            reason = "%s belongs to uid %d" % (full, status.st_uid)
        elif stat.S_ISLNK(status.st_mode):
            if links:
                _require_entry(os.path.join(parent, folder.target(name)), top, links - 1)
        elif not stat.S_ISDIR(status.st_mode) and others_can_write(status, full):
            reason = "%s has mode %04o" % (full, stat.S_IMODE(status.st_mode))
    if reason:
        raise UserError(
            "%s %s in the tree that only root can write, as other users, and root, will run it" % (_WHAT_RUNS, path),
            reason,
            "make it root's, with no permission to write for others, or name another path",
        )
