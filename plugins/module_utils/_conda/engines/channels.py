# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that are folders of this machine. Private to hpc.pytorch."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ..._source.parse import parse


def channel_folder(channel: str) -> str | None:
    """The folder of a channel on disk: ``file:///srv/my%20channel`` is ``/srv/my channel``. None for any other."""
    return parse(channel).path


def in_usual_form(channel: str) -> str:
    """A channel on disk in a form that every engine reads alike: ``FILE:/srv/c`` is ``file:///srv/c``."""
    folder = channel_folder(channel)
    if folder is None or channel.startswith(("/", "~", "file:///")):
        return channel
    return pathlib.Path(folder).as_uri()


def missing_channel(channels: t.Iterable[str]) -> str | None:
    """The first channel on disk that does not exist (yet), or None."""
    for channel in channels:
        folder = channel_folder(channel)
        if folder and not os.path.exists(os.path.join(folder, "noarch", "repodata.json")):
            return channel
    return None
