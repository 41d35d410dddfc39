# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which modes and ACLs let another user write. The statuses are made up, so any user can run this."""

from __future__ import annotations

import errno
import os
import stat
import struct

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import acl as acls, trust

NOBODY = 0xFFFFFFFF


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


OWNER, MASK, OTHER = (0x01, 7, NOBODY), (0x10, 7, NOBODY), (0x20, 5, NOBODY)


@pytest.mark.parametrize(
    "value, expected",
    [
        (acl(OWNER, (0x04, 7, NOBODY), OTHER), False),
        (acl(OWNER, (0x02, 7, 1000), MASK, OTHER), True),
        (acl(OWNER, (0x02, 5, 1000), MASK, OTHER), False),
        (acl(OWNER, (0x02, 7, 0), MASK, OTHER), False),
        (acl(OWNER, (0x08, 2, 50), MASK, OTHER), True),
        (acl(OWNER, (0x08, 7, 0), (0x08, 1, 9), MASK, OTHER), False),
        (acl(OWNER)[:-3], True),
        (b"", False),
    ],
)
def test_an_acl_that_names_a_writer(value: bytes, expected: bool) -> None:
    assert acls.acl_names_a_writer(value) is expected


@pytest.mark.parametrize(
    "mode, gid, expected",
    [
        (stat.S_IFDIR | 0o755, 5, False),
        (stat.S_IFDIR | 0o2755, 5, False),
        (stat.S_IFDIR | 0o775, 5, True),
        (stat.S_IFDIR | 0o775, 0, False),
        (stat.S_IFDIR | 0o2775, 0, False),
        (stat.S_IFDIR | 0o777, 0, True),
        (stat.S_IFDIR | 0o1777, 0, True),
        (stat.S_IFREG | 0o602, 0, True),
    ],
)
def test_modes(monkeypatch: pytest.MonkeyPatch, mode: int, gid: int, expected: bool) -> None:
    monkeypatch.setattr(trust, "_group_is_only_root", lambda: True)

    def no_acl(path: str, name: str) -> bytes:
        raise OSError(errno.ENODATA, "none")

    monkeypatch.setattr(acls.os, "getxattr", no_acl)
    assert trust.others_can_write(os.stat_result((mode, 0, 0, 1, 0, gid, 0, 0, 0, 0)), "/x") is expected


@pytest.mark.parametrize("number, expected", [(errno.EOPNOTSUPP, False), (errno.EACCES, True), (errno.EIO, True)])
def test_an_acl_that_cannot_be_read_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, number: int, expected: bool
) -> None:
    def failing(path: str, name: str) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(acls.os, "getxattr", failing)
    monkeypatch.setattr(trust, "_group_is_only_root", lambda: True)
    status = os.stat_result((stat.S_IFDIR | 0o775, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    assert trust.others_can_write(status, "/x") is expected
