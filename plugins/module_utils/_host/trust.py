# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether root may execute a file: only where nobody but root could have put it there. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import typing as t

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


def untrusted_because(path: str) -> t.Optional[str]:
    """Why somebody other than root could change what *path* leads to, or None."""
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
        if writable and not (sticky and pending):
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
