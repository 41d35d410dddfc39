# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether root may execute a file: only where nobody but root could have put it there. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat

from .errors import UserError


def require_trusted(path: str, what: str) -> None:
    """Refuse *path* when this process is root and somebody other than root could have written it.

    Every folder on the way counts, those of each symlink too. A sticky folder is safe for what root owns in it.

    :arg path: absolute path of what would be executed.
    :arg what: its name for the message, e.g. ``engine``.
    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() != 0:
        return
    reason = untrusted_because(path)
    if reason:
        raise UserError(
            "%s %s that only root can write, as this runs as root" % (what, path),
            reason,
            "run the task as the owner with become_user, or give the file and its folders to root",
        )


def require_trusted_place(path: str, what: str) -> None:
    """As :func:`require_trusted` for something to be written at *path*: its nearest part that is there counts.

    :raises UserError: with ``become_user`` as the remedy.
    """
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    require_trusted(path, what)


def may_make(path: str) -> bool:
    """Whether this process may make a file anew at *path*: root only where nobody else could move its folder."""
    return os.geteuid() != 0 or untrusted_because(os.path.dirname(path), for_new=True) is None


def require_trusted_env(prefix: str, what: str) -> None:
    """As :func:`require_trusted` for a whole env or venv: everything in it counts, as its interpreter may load any file.

    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() != 0:
        return
    require_trusted(prefix, what)
    reason = untrusted_within(prefix)
    if reason:
        raise UserError(
            "%s %s in which only root can write, as this runs as root" % (what, prefix),
            reason,
            "run the task as the owner with become_user, or give all of it to root (chown -R root, chmod -R go-w)",
        )


def untrusted_within(prefix: str) -> str | None:
    """Why somebody other than root could change what an interpreter in *prefix* loads, or None.

    A group of root's own may write: packages bring files of such a mode.
    """
    inside = os.path.realpath(prefix) + os.sep
    for top, folders, names in os.walk(prefix):
        for name in [*folders, *names]:
            path = os.path.join(top, name)
            status = os.lstat(path)
            if status.st_uid != 0:
                return "%s belongs to uid %d" % (path, status.st_uid)
            if stat.S_ISLNK(status.st_mode):
                if not os.path.realpath(path).startswith(inside) and os.path.exists(path):
                    reason = untrusted_because(path)
                    if reason:
                        return reason
            elif status.st_mode & 0o002 or (status.st_mode & 0o020 and status.st_gid != 0):
                return "%s has mode %04o" % (path, stat.S_IMODE(status.st_mode))
            elif name.endswith(".pth") and stat.S_ISREG(status.st_mode):
                reason = _untrusted_in_path_file(path)
                if reason:
                    return reason
    return None


def _untrusted_in_path_file(path: str) -> str | None:
    """Of the folders that a path file of Python's adds, the first that somebody else can write."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            folder = line.strip()
            if folder.startswith(os.sep) and os.path.exists(folder):
                reason = untrusted_because(folder)
                if reason:
                    return "%s, which %s names" % (reason, path)
    return None


def untrusted_because(path: str, for_new: bool = False) -> str | None:
    """Why somebody other than root could change what *path* leads to, or None.

    :arg for_new: *path* is a folder in which root makes something new: then it may be a sticky one itself.
    """
    pending = [part for part in os.path.abspath(path).split(os.sep) if part]
    current = os.sep
    links = 0
    while True:
        status = os.lstat(current)
        if status.st_uid != 0:
            return "%s belongs to uid %d" % (current, status.st_uid)
        is_link = stat.S_ISLNK(status.st_mode)
        writable = bool(status.st_mode & 0o022) and not is_link
        sticky = stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)
        if writable and not (sticky and (pending or for_new)):
            return "%s has mode %04o" % (current, stat.S_IMODE(status.st_mode))
        if is_link:
            links += 1
            if links > 40:
                return "%s has too many symlinks" % path
            target = os.readlink(current)
            rest = [part for part in target.split(os.sep) if part]
            pending = rest + pending
            current = os.sep if os.path.isabs(target) else os.path.dirname(current)
            continue
        if not pending:
            return None
        part = pending.pop(0)
        if part == "..":
            current = os.path.dirname(current)
        elif part != ".":
            current = os.path.join(current, part)
        if not os.path.lexists(current):
            return "%s does not exist" % current
