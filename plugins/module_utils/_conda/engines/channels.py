# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that are folders of this machine. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t
import urllib.parse

from ..._files.trust import require_trusted_place


def channel_folder(channel: str) -> str | None:
    """The folder of a channel on disk: ``file:///srv/my%20channel`` is ``/srv/my channel``. None for any other."""
    if channel.startswith("file://"):
        path = urllib.parse.unquote(channel[len("file://") :])
    else:
        path = os.path.expanduser(channel)
    return path if path.startswith("/") else None


def require_trusted_channels(channels: t.Iterable[str]) -> None:
    """Refuse, as root, a channel on disk that another user can write.

    :raises UserError: with ``become_user`` as the remedy.
    """
    for channel in channels:
        folder = channel_folder(channel)
        if folder:
            require_trusted_place(folder, "a channel at")


def missing_channel(channels: t.Iterable[str]) -> str | None:
    """The first channel on disk that does not exist (yet), or None."""
    for channel in channels:
        folder = channel_folder(channel)
        if folder and not os.path.exists(os.path.join(folder, "noarch", "repodata.json")):
            return channel
    return None
