# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file system that a path is on. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re

from .._common.lines import lines_of

# File systems of one machine. Any other name counts as shared, so that in doubt nothing is removed.
_LOCAL = frozenset(
    ("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs", "tmpfs", "xfs", "zfs")
)


def is_on_network(path: str) -> bool:
    """Whether *path* is on a file system that other machines may write to."""
    return file_system_of(path) not in _LOCAL


def file_system_of(path: str) -> str:
    """The kernel's name for the file system at *path*, such as ``ext4``; empty if it is not known."""
    found, length = "", -1
    real = os.path.realpath(path)
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
            lines = lines_of(stream.read())
    except OSError:
        return ""
    for line in lines:
        before, _dash, after = line.partition(" - ")
        # Blanks in paths are written as \040.
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), before.split(" ")[4])
        holds = real == point or real.startswith(point.rstrip("/") + "/")
        # The last file system mounted at a place hides the earlier ones.
        if holds and len(point) >= length:
            found, length = after.split(" ")[0], len(point)
    return found
