# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages of a lock file belong to the channels of a request. Private to hpc.pytorch."""

from __future__ import annotations

import os
import posixpath
import re
import typing as t
import urllib.parse

from .._common.errors import UserError, one_line, some
from .._common.redact import without_credentials
from .parse import parse
from .spec import channels_in_spec, packages_in_spec

# conda's documentation: channel_alias, default_channels.
_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = (
    "https://repo.anaconda.com/pkgs/main",
    "https://repo.anaconda.com/pkgs/r",
    "https://repo.anaconda.com/pkgs/msys2",
)
_PORTS = {"http": ":80", "https": ":443"}


class ChannelNames(t.NamedTuple):
    """What a condarc makes of a channel's name: the first part of most addresses, and the names with their own."""

    alias: str = _ALIAS
    addresses: t.Mapping[str, t.Sequence[str]] = {}

    def of(self, name: str) -> list[str]:
        """The addresses of the channel *name*: ``conda-forge`` is ``https://conda.anaconda.org/conda-forge``."""
        known = self.addresses.get(name)
        if known is None and name == "defaults":
            known = _DEFAULTS
        if known is None:
            return ["%s/%s" % (self.alias.rstrip("/"), name)]
        return [text if parse(text).kind != "name" else "%s/%s" % (self.alias.rstrip("/"), text) for text in known]


def require_own_packages(
    urls: t.Iterable[str], channels: t.Iterable[str], specs: t.Iterable[str], path: str, names: ChannelNames
) -> None:
    """Refuse, as root, a lock file with packages of other places than the request's channels and match specs.

    :arg urls: the address of each package.
    :arg path: the lock file.
    :raises UserError: with the first of them.
    """
    if os.geteuid() != 0:
        return
    specs = list(specs)
    wanted = [*channels, *(channel for spec in specs for channel in channels_in_spec(spec))]
    bases = {place for channel in wanted for text in _addresses(channel, names) for place in _places(text)}
    single = {place for spec in specs for text in packages_in_spec(spec) for place in _places(text)}
    # A package is in the folder of a platform, in its channel.
    other = [url for url in urls if not single.intersection(_places(url)) and _places(url, 2)[0] not in bases]
    if other:
        raise UserError(
            "a lock file whose packages come from the channels of the request, as this runs as root (%s)" % path,
            one_line(some([without_credentials(url) for url in other], 3)),
            "add the channel that holds them to channels, or use state latest to write the file again",
        )


def _addresses(channel: str, names: ChannelNames) -> list[str]:
    channel = re.sub(r"\[[^\[\]]*\]\Z", "", channel).rstrip("/")
    return names.of(channel) if parse(channel).kind == "name" else [channel]


def _places(text: str, above: int = 0) -> list[str]:
    """*text* in a form that can be compared: its real path, or its address without credentials.

    :arg above: how many folders above it count.
    """

    def folder(path: str) -> str:
        for _level in range(above):
            path = posixpath.dirname(path)
        return path

    source = parse(text, named=False)
    if source.kind == "path":
        return [os.path.realpath(folder(path)) for path in source.paths]
    if source.kind != "web":
        return ["?" + text]
    parts = urllib.parse.urlsplit(without_credentials(text))
    server = parts.netloc.lower()
    port = _PORTS.get(parts.scheme.lower(), "")
    server = server[: -len(port)] if port and server.endswith(port) else server
    path = posixpath.normpath("/" + urllib.parse.unquote(parts.path).lstrip("/"))
    return ["%s://%s%s" % (parts.scheme.lower(), server, folder(path).rstrip("/"))]
