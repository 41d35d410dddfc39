# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials in channel addresses: kept for the engine, removed from all that is shown or stored. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

# https://docs.conda.io: tokens stand as /t/TOKEN/ in the path, basic authentication as user:password@ before the host.
_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")
_TOKEN = re.compile(r"(://[^/\s]+)/t/[^/\s\"']+")


def without_credentials(text: str) -> str:
    """*text* with every user, password and token in it taken out, so that URLs still point to the same place."""
    return _TOKEN.sub(r"\1", _USERINFO.sub("", text))


def has_credentials(text: str) -> bool:
    """Whether *text* holds a URL with a user, a password or a token."""
    return without_credentials(text) != text


def shown_channels(channels: t.Iterable[str]) -> t.List[str]:
    """The channels as they may be printed."""
    return [without_credentials(channel) for channel in channels]
