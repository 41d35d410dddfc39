# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group and mode of a file as a task asks for them, in numbers. Private to hpc.pytorch.

A file is made with them and then renamed into place, so that none is changed by path afterwards.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._common.errors import UserError, shown


class Attributes(t.NamedTuple):
    """Permissions without the file's type, and ids."""

    mode: int
    uid: int
    gid: int

    def shown(self) -> dict[str, t.Any]:
        """As in Ansible's diffs."""
        return {"mode": "%04o" % self.mode, "owner": self.uid, "group": self.gid}


def of_file(status: os.stat_result) -> Attributes:
    """Those of an existing file."""
    return Attributes(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def asked(params: t.Mapping[str, t.Any], start: Attributes) -> Attributes:
    """*start*, changed by the options ``mode``, ``owner`` and ``group`` if they are given.

    :arg start: those of the existing file, or of a new one.
    :raises UserError: there is no such user or group, or no such mode.
    """
    return Attributes(
        start.mode if params["mode"] is None else _mode(params["mode"], start.mode),
        start.uid if params["owner"] is None else _number("owner", params["owner"], lambda n: pwd.getpwnam(n).pw_uid),
        start.gid if params["group"] is None else _number("group", params["group"], lambda n: grp.getgrnam(n).gr_gid),
    )


def _number(option: str, name: str, find: t.Callable[[str], int]) -> int:
    try:
        return int(name) if name.isdigit() else find(name)
    except KeyError:
        raise UserError(
            "%s to be known on this machine" % option, shown(name), "correct %s, or give its number" % option
        ) from None


def _mode(value: t.Any, start: int) -> int:
    if isinstance(value, int):
        return value
    value = str(value)
    try:
        return int(value, 8)
    except ValueError:
        pass
    try:
        status = os.stat_result((stat.S_IFREG | start, *[0] * 9))
        return int(AnsibleModule._symbolic_mode_to_octal(status, value))
    except ValueError:
        raise UserError(
            "mode to be an octal number or letters as chmod takes them", shown(value), 'correct it, as in "0755" or u+x'
        ) from None
