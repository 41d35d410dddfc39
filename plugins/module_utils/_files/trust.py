# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses to let root execute a file that another user could have written. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import os
import stat

from .._common.errors import UserError
from .paths import nearest_existing


def require_trusted(path: str, what: str) -> None:
    """Refuse *path* if this process is root and another user could have written it.

    Every parent folder counts, and those of each symlink on the way. A sticky folder is safe for what root owns in it.

    :arg path: absolute path of what would be executed.
    :arg what: its name for the message, e.g. ``engine``.
    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() == 0:
        _refuse(path, what, untrusted_because(path))


def require_trusted_place(path: str, what: str) -> None:
    """Like :func:`require_trusted` for a file to be written at *path*: its nearest existing folder counts.

    :raises UserError: with ``become_user`` as the remedy.
    """
    require_trusted(nearest_existing(path), what)


def require_root_only(path: str) -> None:
    """Like :func:`require_trusted_place` for a file that only saves work or helps to find an env, so callers can go on.

    :raises OSError: as root, another user could have planted what is at *path*, which a variable such as HOME led to.
    """
    path = nearest_existing(path)
    reason = untrusted_because(path) if os.geteuid() == 0 else None
    if reason:
        raise PermissionError(errno.EACCES, "root writes only where no other user can: %s" % reason, path)


def require_trusted_env(prefix: str, what: str) -> None:
    """Like :func:`require_trusted` for an environment: every file in it counts, as its interpreter may load any.

    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() == 0:
        _refuse(prefix, what, untrusted_because(prefix) or untrusted_within(prefix))


def _refuse(path: str, what: str, reason: str | None) -> None:
    if reason:
        raise UserError(
            "%s %s that only root can write, as this runs as root" % (what, path),
            reason,
            "run the task as the owner with become_user, or give it and its folders to root (chown root, chmod go-w;"
            " with -R if it is an environment)",
        )


def may_make(path: str) -> bool:
    """Whether this process may create *path*: root may only if no other user could move its folder."""
    return os.geteuid() != 0 or untrusted_because(os.path.dirname(path), for_new=True) is None


def untrusted_within(prefix: str) -> str | None:
    """Why another user than root could change what an interpreter in *prefix* loads, or None.

    Files may be writable for the group root: packages bring such modes.
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
    """Why another user could change a folder that the ``.pth`` file at *path* adds to ``sys.path``, or None."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            folder = line.strip()
            if folder.startswith(os.sep) and os.path.exists(folder):
                reason = untrusted_because(folder)
                if reason:
                    return "%s, which %s names" % (reason, path)
    return None


def untrusted_because(path: str, for_new: bool = False) -> str | None:
    """Why another user than root could change what *path* leads to, or None.

    :arg for_new: root creates something new in the folder *path*, which may then be sticky itself.
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
