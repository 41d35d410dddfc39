# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths: checked where they come in, and the nearest part of one that exists. Private to hpc.pytorch."""

from __future__ import annotations

import os

from .._common.errors import UserError, printable, shown


def require_absolute(option: str, value: str | None, existing: bool = False, where: str = "") -> None:
    """Refuse *value* unless it is an absolute path of printable characters, or None.

    :arg option: the name of the option that *value* comes from, for the message.
    :arg existing: accept every path that a file can have, as this one is only read and not written into other files.
    :arg where: the machine, if it could be mistaken, for the message: `` on the controller``.
    :raises UserError: the path is relative, empty, or holds control characters.
    """
    if value is None:
        return
    if not os.path.isabs(value) or "\0" in value or not (existing or printable(value)):
        expected = "%s to be an absolute path%s" % (option, where)
        remedy = "give the whole path, starting with /"
        if os.path.isabs(value):
            remedy = "take the control characters out of it"
        # Imported here: every module checks paths, and few of them are wrong.
        from .._common.redact import without_credentials

        # Cut only after that: half an address no longer looks like one with credentials.
        raise UserError(expected, shown(without_credentials(value)), remedy)


def nearest_existing(path: str) -> str:
    """*path*, or the nearest of its parents that exists. A dangling symlink exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def require_visible(path: str) -> None:
    """Refuse a path below a folder that this account may not enter: what is there would be called absent.

    So it is for root on a file system of the network that takes root for nobody (NFS with root_squash).

    :raises UserError: a folder on the way may not be entered.
    """
    try:
        os.lstat(path)
    except PermissionError:
        folder = os.path.dirname(path)
        while folder != os.path.dirname(folder) and _is_barred(folder):
            folder = os.path.dirname(folder)
        remedy = "run the task as the owner of the files"
        if os.geteuid() == 0:
            remedy += " (become_user): root may not enter it, as in a home on NFS with root_squash"
        else:
            remedy += ", or let this account enter it"
        raise UserError(
            "a path that this account may enter: %s" % path, "no permission to enter %s" % folder, remedy
        ) from None
    except OSError:
        pass


def _is_barred(path: str) -> bool:
    try:
        os.lstat(path)
    except PermissionError:
        return True
    except OSError:
        pass
    return False
