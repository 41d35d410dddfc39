# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses to let root execute a file that another user could have written. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import functools
import grp
import os
import pwd
import shlex
import stat

from .._common.errors import UserError
from .acl import acl_lets_others_write
from .paths import nearest_existing

# Accounts with gid 0 of an EL machine (sync, shutdown, halt, operator) run one command or nothing.
_NO_LOGIN = (
    "/sbin/nologin",
    "/usr/sbin/nologin",
    "/bin/false",
    "/usr/bin/false",
    "/bin/sync",
    "/sbin/shutdown",
    "/sbin/halt",
)


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


def require_root_only_folder(path: str) -> None:
    """Refuse *path* if this process is root and another user could write it, its parents or a file in it.

    For what root puts on the PATH of other users. A missing path is judged by its nearest existing folder.

    :arg path: absolute path of a folder or a file. Of a folder each file and symlink counts, but no folder in it.
    :raises UserError: with another path as the remedy.
    """
    if os.geteuid() != 0:
        return
    existing = nearest_existing(path)
    reason = untrusted_because(existing)
    if reason is None and existing == path and os.path.isdir(path):
        inside = os.path.realpath(path) + os.sep
        with os.scandir(path) as entries:
            found = (_untrusted_entry(each.path, inside) for each in entries if not each.is_dir(follow_symlinks=False))
            reason = next(filter(None, found), None)
    if reason:
        raise UserError(
            "a path that only root can write at %s, as other users, and root, will run what is in it" % path,
            reason,
            "install it where only root can write, and name that path" + _closing(reason),
        )


def _refuse(path: str, what: str, reason: str | None) -> None:
    if reason:
        raise UserError(
            "%s %s that only root can write, as this runs as root" % (what, path),
            reason,
            cure(reason),
        )


def cure(reason: str) -> str:
    """The remedy for a *reason* of :func:`untrusted_because` or :func:`untrusted_within`.

    To take a home or a folder that all may write in from its users would do harm, so only what is root's and not
    sticky is to be closed.
    """
    return "run the task as the owner with become_user, or choose a place that only root can write" + _closing(reason)


def _closing(reason: str) -> str:
    """The end of a remedy that closes what is root's, empty if that would do harm."""
    path, found, mode = reason.rpartition(" has mode ")
    if not found or int(mode[:4], 8) & stat.S_ISVTX:
        return ""
    return ", or take the others' permission away if they do not need it: chmod go-w %s" % shlex.quote(path)


def others_can_write(status: os.stat_result, path: str) -> bool:
    """Whether another user than root can write what root owns, by its mode or its ACL.

    :arg path: leads to it; ``/proc/self/fd/7`` for an open one.
    """
    return others_may_write(status) or (bool(status.st_mode & 0o020) and acl_lets_others_write(path))


def others_may_write(status: os.stat_result) -> bool:
    """Whether another user than root may write what root owns, by its mode.

    A group of root's own counts as root while it has no other member: packages bring files that it may write, and
    conda makes ``~/.conda`` with mode 2775.
    """
    mode = status.st_mode
    return bool(mode & 0o002) or (bool(mode & 0o020) and not (status.st_gid == 0 and _group_is_only_root()))


@functools.lru_cache(maxsize=None)
def _group_is_only_root() -> bool:
    """Whether the group with gid 0 has no member but root and accounts that cannot log in (operator, on EL)."""
    try:
        members = [pwd.getpwnam(name) for name in grp.getgrgid(0).gr_mem]
    except KeyError:
        return False
    own = [each for each in pwd.getpwall() if each.pw_gid == 0 and each.pw_shell not in _NO_LOGIN]
    return all(each.pw_uid == 0 for each in [*members, *own])


def may_make(path: str) -> bool:
    """Whether this process may create *path*: root may only if no other user could move its folder."""
    return os.geteuid() != 0 or untrusted_because(os.path.dirname(path), for_new=True) is None


def untrusted_within(prefix: str) -> str | None:
    """Why another user than root could change what an interpreter in *prefix* loads, or None."""
    inside = os.path.realpath(prefix) + os.sep
    for top, folders, names in os.walk(prefix):
        for name in [*folders, *names]:
            reason = _untrusted_entry(os.path.join(top, name), inside)
            if reason:
                return reason
    return None


def _untrusted_entry(path: str, inside: str) -> str | None:
    """Why another user could change the entry itself, or what it leads to outside of *inside*, or None."""
    status = os.lstat(path)
    if status.st_uid != 0:
        return "%s belongs to uid %d" % (path, status.st_uid)
    if stat.S_ISLNK(status.st_mode):
        if not os.path.realpath(path).startswith(inside):
            # Of a dangling one, another user may be able to make the target.
            return untrusted_because(path if os.path.exists(path) else nearest_existing(os.path.realpath(path)))
    elif others_can_write(status, path):
        return None if _is_lock(path, status) else "%s has mode %04o" % (path, stat.S_IMODE(status.st_mode))
    elif path.endswith(".pth") and stat.S_ISREG(status.st_mode):
        return _untrusted_in_path_file(path)
    return None


def _is_lock(path: str, status: os.stat_result) -> bool:
    """Whether nothing loads or runs the file: uv makes an empty ``.lock`` of mode 0666 in each venv that it fills."""
    return path.endswith(".lock") and stat.S_ISREG(status.st_mode) and not status.st_mode & 0o111


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
    # Not abspath, which takes away `..` after a symlink: the kernel goes to the parent of its target.
    absolute = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)
    pending = [part for part in absolute.split(os.sep) if part]
    current = os.sep
    links = 0
    while True:
        status = os.lstat(current)
        if status.st_uid != 0:
            return "%s belongs to uid %d" % (current, status.st_uid)
        is_link = stat.S_ISLNK(status.st_mode)
        writable = not is_link and others_can_write(status, current)
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
