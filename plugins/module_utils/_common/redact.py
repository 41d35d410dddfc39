# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes credentials from addresses before they are shown or stored. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .errors import UserError

# conda's documentation: basic authentication as user:password@ before the host, a token as /t/TOKEN in the path.
# Up to the last @ before the host's end: passwords are often not escaped.
_USERINFO = re.compile(r"(?<=://)[^/\s\"]*@")
_ADDRESS = re.compile(r"https?://[^\s\"']+")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TOKEN = re.compile(r"/t/([^/\s\"']+)")


def without_credentials(text: str) -> str:
    """*text* without users, passwords and tokens. ``https://u:p@host/t/TOKEN/c`` becomes ``https://host/c``."""
    return _ADDRESS.sub(lambda match: _TOKEN.sub("", match.group()), _USERINFO.sub("", text))


def secrets_in(texts: t.Iterable[str]) -> set[str]:
    """Users with passwords, passwords and tokens in *texts*, escaped or not, for Ansible's ``no_log_values``.

    A part of less than four letters is left out: masking it would blank every such syllable of the output.
    """
    found: set[str] = set()
    for text in texts:
        for match in _USERINFO.findall(text):
            found |= {match[:-1], match[:-1].partition(":")[2]}
        for address in _ADDRESS.findall(text):
            found |= set(_TOKEN.findall(address))
    found |= {urllib.parse.unquote(secret) for secret in found}
    return {secret for secret in found if len(secret) > 3}


def has_credentials(text: str) -> bool:
    """Whether *text* holds a URL with a user, a password or a token."""
    return without_credentials(text) != text


def shown_channels(channels: t.Iterable[str]) -> list[str]:
    """The channels without credentials, for messages."""
    return [without_credentials(channel) for channel in channels]


def filled_in(channels: t.Iterable[str], environment: t.Mapping[str, str]) -> list[str]:
    """The channels with ``$NAME`` and ``${NAME}`` replaced from *environment*, as conda does in a condarc.

    ``$NAME`` may be part of a password, so it is kept if there is no such variable.

    :raises UserError: a variable in braces is not set; a server would only answer 401.
    """

    def value(match: t.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name not in environment:
            if match.group(2):
                return match.group()
            raise UserError(
                "the environment variable %s, which a channel's address names, to be set" % name,
                "not set on this machine",
                "set it in the environment of the user that the task runs as, or correct the channels",
            )
        return environment[name]

    return [_VARIABLE.sub(value, channel) for channel in channels]
