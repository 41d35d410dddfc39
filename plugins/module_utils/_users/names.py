# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names hpc_users may hold. Private to hpc.pytorch.

Ansible writes become_user into a shell's command line without quotes (ansible/ansible#80146), so a name must mean the
same there as anywhere else: ``a.smith``, ``alice@campus.example`` and ``CAMPUS+alice`` do; ``CAMPUS\\alice`` and
``alice$`` do not.
"""

from __future__ import annotations

import re
import typing as t

from .._common.errors import UserError, shown

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
# Linux's LOGIN_NAME_MAX, with the final zero byte.
_LONGEST = 255
_LETTERS = "the letters A-Z a-z, digits and _ . @ + -"


def checked_names(value: t.Any) -> list[str]:
    """The names of hpc_users. An empty list is nobody.

    :raises UserError: it is no list, or one of the names is not safe, is root's or is given twice.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
        raise UserError(
            "hpc_users to be a list of user names",
            shown(value),
            "write each name in a list, such as [alice, bob], or leave hpc_users out to mean the connecting user",
        )
    names: list[str] = []
    for each in value:
        problem = _problem(each)
        if problem:
            raise UserError("hpc_users to be a list of user names", *problem)
        # A name that Ansible has tagged becomes a plain one.
        names.append(str(each))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(
            "each name once in hpc_users", "%s more than once" % ", ".join(twice), "remove the repeated names"
        )
    return names


def _problem(name: t.Any) -> tuple[str, str] | None:
    """What is found instead of a name, and the remedy."""
    if not isinstance(name, str):
        return shown(name), "write each name as id -un prints it, in quotes if it consists of digits"
    if not name:
        return "an empty name", "remove it; an empty list means no user"
    if name == "root" or (name.isdigit() and not name.strip("0")):
        return "%s, and root's home is not a user's" % name, "remove it; root's tasks need no hpc_users"
    if "\\" in name:
        return shown(name), "write it as id -un prints it with another separator, such as user@domain or domain+user"
    if not _NAME.fullmatch(name):
        return "%s, which has other characters than %s, or begins with one of . @ + -" % (shown(name), _LETTERS), (
            "write each name as id -un prints it; another user's name with such characters is not supported"
        )
    if len(name) > _LONGEST:
        return "a name of %d characters" % len(name), "write each name as id -un prints it"
    return None
