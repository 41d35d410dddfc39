# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As root, what is installed comes from files that root alone can write. Private to hpc.pytorch.

An address on the network is the caller's own trust. Ordinary users take what they want, so for them nothing is refused.
"""

from __future__ import annotations

import os
import re
import typing as t

from .._common.errors import UserError, one_line
from .._files.trust import require_trusted_env, require_trusted_place
from .parse import Source, parse
from .spec import channels_in_spec, packages_in_spec

# What a channel's folder holds besides packages: the platforms' folders, and in each what names the packages.
_PLATFORMS = ("noarch", "linux-64", "linux-aarch64", "linux-ppc64le", "linux-s390x", "linux-32") + (
    "osx-64",
    "osx-arm64",
    "win-64",
)
_INDEXES = tuple(
    name + ending
    for name in ("repodata", "current_repodata", "repodata_from_packages")
    for ending in (".json", ".json.zst", ".json.bz2")
) + ("repodata_shards.msgpack.zst", "shards")


def require_trusted_source(source: Source, option: str, what: str) -> None:
    """Refuse, as root, a path that another user can write, and a form that tools read differently.

    :arg option: the option that *source* comes from.
    :arg what: the name of what is there, for the message, such as ``a channel at``.
    :raises UserError: with the remedy.
    """
    if os.geteuid() != 0:
        return
    if source.kind == "unknown":
        raise UserError(
            "%s to have sources that every tool reads alike, as this runs as root (%s)" % (option, what),
            "%s, with %s" % (one_line(str(source.address)) or "nothing", source.why),
            "give an absolute path such as /srv/folder or file:///srv/folder, or an address such as https://host/folder",
        )
    for path in source.paths:
        require_trusted_place(path, what)


def require_trusted_channels(channels: t.Iterable[str], option: str = "channels") -> None:
    """Refuse, as root, a channel on disk that another user can write: its folder, its platforms' folders, its indexes.

    The packages that are used are checked when they are known, see :func:`require_trusted_packages`.

    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() != 0:
        return
    for channel in channels:
        # A channel may end with its platforms: /srv/channel[linux-64].
        for text in dict.fromkeys([channel, re.sub(r"\[[^\[\]]*\]\Z", "", channel)]):
            source = parse(text)
            require_trusted_source(source, option, "a channel at")
            for top in source.paths:
                for name in _PLATFORMS:
                    _require_trusted_entries(os.path.join(top, name), ("", *_INDEXES), "a channel with")


def require_trusted_specs(specs: t.Iterable[str], option: str = "packages") -> None:
    """Refuse, as root, a channel or a package that a match spec names if another user can write it.

    :raises UserError: with the remedy.
    """
    if os.geteuid() != 0:
        return
    for spec in specs:
        require_trusted_channels(channels_in_spec(spec), option)
        for text in packages_in_spec(spec):
            require_trusted_source(parse(text, named=False), option, "a package at")


def has_local(channels: t.Iterable[str], specs: t.Iterable[str]) -> bool:
    """Whether a channel, or a channel or package in a match spec, is on this machine."""
    named = [text for spec in specs for text in (*channels_in_spec(spec), *packages_in_spec(spec))]
    return any(parse(text).kind == "path" for text in (*channels, *named))


def require_trusted_packages(urls: t.Iterable[str], local: bool) -> None:
    """Refuse, as root, chosen packages that another user can write: a channel's index may name any address.

    :arg urls: the address of each package.
    :arg local: whether something in the request may be on this machine. Otherwise no package may be.
    :raises UserError: with the remedy.
    """
    if os.geteuid() != 0:
        return
    for url in urls:
        source = parse(url, named=False) if url else None
        if source is None or source.kind == "web":
            continue
        if source.kind == "path" and not local:
            raise UserError(
                "packages that come from the channels of the request",
                "a file of this machine, %s, in the index of a channel on the network" % source.path,
                "use another channel, or add the folder of that file to the channels",
            )
        require_trusted_source(source, "the channels' indexes", "a package at")


def require_trusted_folder(path: str, what: str) -> None:
    """Refuse, as root, a folder of wheels, or a tree of them, in which another user can write.

    Two levels count: the folders of the projects of an index, and their files.

    :raises UserError: with the remedy.
    """
    if os.geteuid() != 0 or not os.path.isdir(path):
        return
    with os.scandir(path) as entries:
        for entry in entries:
            require_trusted_place(entry.path, what)
            if entry.is_dir():
                _require_trusted_entries(entry.path, os.listdir(entry.path), what)


def require_trusted_tree(path: str, what: str) -> None:
    """Refuse, as root, a source tree in which another user can write any file: its build runs them.

    :raises UserError: with the remedy.
    """
    if os.path.isdir(path):
        require_trusted_env(path, what)


def _require_trusted_entries(folder: str, names: t.Iterable[str], what: str) -> None:
    for name in names:
        path = os.path.join(folder, name) if name else folder
        if os.path.lexists(path):
            require_trusted_place(path, what)
