# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from a POSIX ACL whether it lets another user write. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import os
import struct

_ACL = "system.posix_acl_access"
# acl(5) in the kernel's form: a version, then entries of tag, permissions and id.
_HEADER = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_A_USER, _A_GROUP = 0x02, 0x08
_WRITE = 0x02


def acl_lets_others_write(path: str) -> bool:
    """Whether the POSIX ACL of *path*, if it has one, lets another user than root write.

    With an ACL the mode's group bits are the most that any user or group in it may do, so it matters only where they
    allow writing.

    :arg path: leads to the file or folder; ``/proc/self/fd/7`` for an open one.
    """
    try:
        return acl_names_a_writer(os.getxattr(path, _ACL))
    except OSError as error:
        # No ACL, or a file system without them. What cannot be read is not trusted.
        return error.errno not in (errno.ENODATA, errno.EOPNOTSUPP)


def acl_names_a_writer(acl: bytes) -> bool:
    """Whether the POSIX ACL lets a user or a group write that is not root.

    :arg acl: the value of the extended attribute ``system.posix_acl_access``.
    """
    entries = acl[_HEADER.size :]
    if len(entries) % _ENTRY.size:
        return True
    return any(
        tag in (_A_USER, _A_GROUP) and permissions & _WRITE and number != 0
        for tag, permissions, number in _ENTRY.iter_unpack(entries)
    )
