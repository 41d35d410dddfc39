# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a site env that lie beside each other, and which of them bears the name. Reads only.

Private to hpc.pytorch. The layout is role torch_env's: ``ENVS/.NAME/VERSION`` with ``VERSION.lock`` and
``VERSION.switched`` beside it, and the symlink ``ENVS/NAME``.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import time
import typing as t

from ..._common.errors import UserError
from ..._common.trust import require_trusted_place

# What lies beside a version and goes with it. The mtime of the second says when the name last came to it, or left it.
LOCK, SWITCHED = ".lock", ".switched"
_LEFTOVER = re.compile(r"\.(?P<version>[^.].*?)\.(?P<host>.+)\.(?P<pid>\d+)\.(?P<purpose>removing|partial)\Z")
# Long after this nobody on another machine is still at work on a folder that it set out to delete.
_FOREIGN_SECONDS = 24 * 3600


class Version(t.NamedTuple):
    """One prefix of the store.

    :arg switched: when the name last came to it or left it, by the record beside it; None where there is no record.
    :arg made: when its packages last changed.
    """

    name: str
    prefix: str
    switched: float | None
    made: float


class Store(t.NamedTuple):
    """All versions of one env.

    :arg published: name of the version that bears the env's name; empty where none does.
    :arg link_time: when that symlink was made; where there is none, when the folder that would hold it last changed.
    :arg links: of each version, the symlinks that lead to it.
    :arg leftovers: folders that an interrupted removal or creation left; nobody is at work on them.
    :arg foreign: entries that are neither versions nor what lies beside one.
    """

    folder: str
    name: str
    published: str
    link_time: float
    versions: tuple[Version, ...]
    links: t.Mapping[str, t.Sequence[str]]
    leftovers: tuple[str, ...]
    foreign: tuple[str, ...]


def read_store(envs_dir: str, name: str) -> Store:
    """What lies below *envs_dir* for the env *name*; no versions where there is nothing.

    :raises UserError: something else bears the name, or root must not change what lies there.
    """
    folder, link = os.path.join(envs_dir, "." + name), os.path.join(envs_dir, name)
    require_trusted_place(folder, "a store of envs at")
    if os.path.islink(folder) or (os.path.lexists(folder) and not os.path.isdir(folder)):
        raise UserError(
            "a folder at %s, or nothing" % folder, "something else", "give the envs_dir that site envs are published in"
        )
    published = published_version(envs_dir, name)
    if os.path.lexists(link) and not published:
        raise UserError(
            "a symlink into .%s/, or nothing, at %s" % (name, link), "something else", "correct envs_dir or name"
        )
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    versions = tuple(_version(folder, each) for each in names if _is_version(folder, each))
    beside = {version.name + ending for version in versions for ending in (LOCK, SWITCHED)}
    leftovers = tuple(
        os.path.join(folder, each) for each in names if _LEFTOVER.match(each) and is_left_over(folder, each)
    )
    known = {version.name for version in versions} | beside
    return Store(
        folder=folder,
        name=name,
        published=published,
        link_time=os.lstat(link if published else _nearest(envs_dir)).st_mtime,
        versions=versions,
        links=_links(envs_dir, folder, {version.name for version in versions}),
        leftovers=leftovers,
        foreign=tuple(each for each in names if each not in known and not _LEFTOVER.match(each)),
    )


def published_version(envs_dir: str, name: str) -> str:
    """The version that the symlink leads to now; empty where there is none."""
    try:
        target = os.readlink(os.path.join(envs_dir, name))
    except OSError:
        return ""
    parts = os.path.normpath(os.path.join(envs_dir, target)).rsplit("/", 2)
    return parts[2] if parts[1] == "." + name else ""


def grave_of(prefix: str) -> str:
    """Where a prefix is renamed to before it is deleted: a name that :func:`read_store` knows as a leftover."""
    folder, name = os.path.split(prefix)
    return os.path.join(folder, ".%s.%s.%d.removing" % (name, socket.gethostname(), os.getpid()))


def version_of_leftover(path: str) -> str:
    """The version that a leftover was, or was to become."""
    match = _LEFTOVER.match(os.path.basename(path))
    return match.group("version") if match else ""


def is_left_over(folder: str, name: str) -> bool:
    """Whether nobody is at work on it any more."""
    match = _LEFTOVER.match(name)
    if match is None:
        return False
    if match.group("host") == socket.gethostname():
        return not os.path.exists("/proc/%s" % match.group("pid"))
    # Its deletion was decided; what is being made on another machine stays.
    age = time.time() - os.lstat(os.path.join(folder, name)).st_ctime
    return match.group("purpose") == "removing" and age > _FOREIGN_SECONDS


def left_at(store: Store, version: Version) -> float:
    """The latest moment at which *version* may still have borne the name (its making where it never did)."""
    bearer = next((each for each in store.versions if each.name == store.published), None)
    if bearer and bearer.switched is not None and bearer.switched >= store.link_time:
        return version.made if version.switched is None else version.switched
    # Switched by hand, or by a run that was interrupted: the records do not tell which one it left.
    return max(store.link_time, version.switched or 0.0, version.made)


def _is_version(folder: str, name: str) -> bool:
    path = os.path.join(folder, name)
    return not name.startswith(".") and not os.path.islink(path) and os.path.isdir(os.path.join(path, "conda-meta"))


def _version(folder: str, name: str) -> Version:
    prefix = os.path.join(folder, name)
    try:
        switched: float | None = os.lstat(prefix + SWITCHED).st_mtime
    except FileNotFoundError:
        switched = None
    return Version(name, prefix, switched, os.stat(os.path.join(prefix, "conda-meta")).st_mtime)


def _links(envs_dir: str, folder: str, versions: t.AbstractSet[str]) -> dict[str, list[str]]:
    """Every symlink beside the name, and in the store, that leads into a version."""
    found: dict[str, list[str]] = {}
    real = os.path.realpath(folder)
    for place in (envs_dir, folder):
        for entry in sorted(os.listdir(place)) if os.path.isdir(place) else ():
            path = os.path.join(place, entry)
            if stat.S_ISLNK(os.lstat(path).st_mode):
                below = os.path.relpath(os.path.realpath(path), real).split("/")[0]
                if below in versions:
                    found.setdefault(below, []).append(path)
    return found


def _nearest(path: str) -> str:
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path
