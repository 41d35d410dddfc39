# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As root, what an env is made of comes from where only root can write: root runs what it holds. Private to hpc.pytorch.

An address on the network is the play's own trust; this is about files of this machine.
"""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from ..._common.errors import UserError
from ..._common.trust import require_trusted_place

# An absolute path in a line of a requirements file: alone, after an option, or as an address.
_PATH = re.compile(r"(?:^(?:-[rcef])?|[\s=@]|file://)(/[^\s;#]+)")


def require_trusted_sources(params: t.Mapping[str, t.Any], condarcs: t.Iterable[str]) -> None:
    """Refuse condarc files, a lock file or what pip is pointed to where somebody other than root can write it.

    :arg params: conda_env's options.
    :raises UserError: nothing was read yet.
    """
    for path in condarcs:
        require_trusted_place(path, "a condarc at")
    lock_file = params["lock_file"]
    if lock_file:
        if os.path.lexists(lock_file) and not os.path.isfile(lock_file):
            raise UserError(
                "a file or nothing at lock_file", "%s, which is neither" % lock_file, "remove it, or correct lock_file"
            )
        require_trusted_place(lock_file, "a lock file at")
    for line in params["pip"]:
        for path in _PATH.findall(line):
            require_trusted_place(path, "what pip is to install, at")


def require_trusted_caches(*folders: str) -> None:
    """Refuse a cache that somebody else can write: its files become the env's, by hard link."""
    for folder in folders:
        require_trusted_place(folder, "a cache at")


def require_trusted_channels(channels: t.Iterable[str]) -> None:
    """Refuse a channel on disk that somebody else can write."""
    for channel in channels:
        path = (
            urllib.parse.unquote(channel[len("file://") :])
            if channel.startswith("file://")
            else os.path.expanduser(channel)
        )
        if path.startswith("/"):
            require_trusted_place(path, "a channel at")
