# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the versions of a site env, and which of them is published under its name. Reads only.

Private to hpc.pytorch. The layout is role torch_env's: ``ENVS/.NAME/VERSION`` with ``VERSION.lock`` and
``VERSION.switched`` next to it, and the symlink ``ENVS/NAME``.
"""

from __future__ import annotations

import os
import re
import stat
import time
import typing as t

from ..._common.errors import UserError
from ..._files.leftovers import OWNER, is_abandoned, owner_tag
from ..._files.paths import nearest_existing
from ..._files.trust import require_trusted_place

# Files next to a version that are removed with it. The mtime of the second is when the version was last published, or
# replaced by another.
LOCK, SWITCHED = ".lock", ".switched"
# The names of _files.leftovers.private_path.
_LEFTOVER = re.compile(r"\.(?P<version>[^.].*?)\.(?P<owner>%s)\.(?P<purpose>removing|partial)\Z" % OWNER)
# After this time no other machine is still deleting a folder that it renamed for removal.
_FOREIGN_SECONDS = 24 * 3600


class Version(t.NamedTuple):
    """One prefix of the store.

    :arg switched: when it was last published or replaced, from the file next to it; None without that file.
    :arg made: when its packages last changed.
    """

    name: str
    prefix: str
    switched: float | None
    made: float


class Store(t.NamedTuple):
    """All versions of one env.

    :arg published: the version that is published; empty if none is.
    :arg link_time: when the symlink was made; without a symlink, when the folder that would hold it last changed.
    :arg links: for each version, the symlinks that lead to it.
    :arg leftovers: folders that an interrupted removal or creation left and no run uses.
    :arg foreign: entries that are neither versions nor files of a version.
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
    """The store of the env *name* below *envs_dir*; it may have no versions.

    :raises UserError: something else has the name, or root must not change what is there.
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
    companions = {version.name + ending for version in versions for ending in (LOCK, SWITCHED)}
    leftovers = tuple(
        os.path.join(folder, each) for each in names if _LEFTOVER.match(each) and is_left_over(folder, each)
    )
    known = {version.name for version in versions} | companions
    return Store(
        folder=folder,
        name=name,
        published=published,
        link_time=os.lstat(link if published else nearest_existing(envs_dir)).st_mtime,
        versions=versions,
        links=_links(envs_dir, folder, {version.name for version in versions}),
        leftovers=leftovers,
        foreign=tuple(each for each in names if each not in known and not _LEFTOVER.match(each)),
    )


def published_version(envs_dir: str, name: str) -> str:
    """The version that the symlink leads to now; empty if there is none."""
    try:
        target = os.readlink(os.path.join(envs_dir, name))
    except OSError:
        return ""
    parts = os.path.normpath(os.path.join(envs_dir, target)).rsplit("/", 2)
    return parts[2] if parts[1] == "." + name else ""


def version_of_leftover(path: str) -> str:
    """The version that a leftover was or would have become: ``.v1.HOST.PID.removing`` is ``v1``."""
    match = _LEFTOVER.match(os.path.basename(path))
    return match.group("version") if match else ""


def is_left_over(folder: str, name: str) -> bool:
    """Whether no run uses the leftover *name* any more."""
    match = _LEFTOVER.match(name)
    if match is None:
        return False
    if is_abandoned(match.group("owner"), os.path.join(folder, name)):
        return True
    if match.group("owner").rpartition(".")[0] == owner_tag().rpartition(".")[0]:
        return False
    # Of another machine: what is being deleted may be deleted later, what is being made stays.
    age = time.time() - os.lstat(os.path.join(folder, name)).st_ctime
    return match.group("purpose") == "removing" and age > _FOREIGN_SECONDS


def left_at(store: Store, version: Version) -> float:
    """The latest time at which *version* may have been published; when it was made, if it never was."""
    current = next((each for each in store.versions if each.name == store.published), None)
    if current and current.switched is not None and current.switched >= store.link_time:
        return version.made if version.switched is None else version.switched
    # Switched by hand, or by an interrupted run: the records do not tell which version was published before.
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
    """Every symlink in *envs_dir* and in the store that leads into a version."""
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
