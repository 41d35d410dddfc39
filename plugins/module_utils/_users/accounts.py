# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of hpc_users on this machine. Private to hpc.pytorch."""

from __future__ import annotations

import pwd
import typing as t

from .._common.errors import UserError, some
from .names import checked_names


class Account(t.TypedDict):
    """A user as the machine knows it."""

    name: str
    uid: int
    home: str


def describe_accounts(names: t.Any) -> dict[str, t.Any]:
    """The accounts of *names*, for the result of a module.

    :raises UserError: a name is not safe, is not known on this machine, or is another name of root's.
    """
    accounts: list[Account] = []
    unknown: list[str] = []
    of_root: list[str] = []
    for name in checked_names(names):
        try:
            # The system's own list and what it is joined with (LDAP, SSSD, winbind).
            found = pwd.getpwnam(name)
        except KeyError:
            unknown.append(name)
            continue
        if found.pw_uid == 0:
            of_root.append(name)
        accounts.append(Account(name=name, uid=found.pw_uid, home=found.pw_dir))
    if of_root:
        raise UserError(
            "hpc_users to be ordinary users",
            "%s with uid 0" % some(of_root),
            "remove it; root's tasks need no hpc_users",
        )
    if unknown:
        raise UserError(
            "hpc_users that this machine knows",
            "no user %s" % some(unknown),
            "correct the name, make the account, or remove it from hpc_users",
        )
    return {"users": [dict(account) for account in accounts], "changed": False}
