# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers which files of a package are executable and where its symlinks lead. Private to hpc.pytorch.

conda's records lack both, so they are written down right after the installation. The package cache does not help: a
hard link shares its mode, so a ``chmod`` changes it there too.
"""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ..._common.errors import UserError
from ..._files.files import umask
from .prefix import write_own
from .records import package_records, read_in_env

MODES = "conda-meta/hpc_pytorch.modes"


class Modes(t.NamedTuple):
    """For one package: the executable paths, and each symlink's target."""

    executable: frozenset[str]
    links: t.Mapping[str, str]

    def contradict(self, path: str, full_path: str, mode: int) -> bool:
        """Whether *full_path* (*path* in the package) lost its executable bit or leads elsewhere."""
        if stat.S_ISLNK(mode):
            return path in self.links and os.readlink(full_path) != self.links[path]
        return path in self.executable and not mode & stat.S_IXUSR


def read_modes(prefix: str) -> dict[str, Modes]:
    """The modes by :func:`label`. Packages that another tool installed are missing."""
    try:
        found = json.loads(read_in_env(prefix, os.path.join(prefix, MODES)))
        return {name: Modes(frozenset(each["executable"]), dict(each["links"])) for name, each in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def set_permissions(prefix: str) -> None:
    """Restore the owner's read and execute bits; drop write bits that the umask excludes.

    rattler ignores the umask and makes entry points writable for the group; packages bring files of any mode. As root,
    no other user may write a file. New packages are remembered, removed ones are forgotten.

    :raises UserError: as root, a file that another user owns came from the package cache.
    """
    old = read_modes(prefix)
    user, mask = os.geteuid(), umask()
    kept = {}
    # A torch env has 24,000 files of a handful of modes.
    decided: dict[tuple[int, bool], int] = {}
    for meta in package_records(prefix):
        name = label(meta)
        known = old.get(name)
        was_executable = known.executable if known else frozenset()
        executable: list[str] = []
        links = {}
        for path, full_path, mode, owner in _files(prefix, meta):
            if owner and user == 0:
                raise _foreign(full_path, owner)
            if stat.S_ISLNK(mode):
                links[path] = os.readlink(full_path)
            elif stat.S_ISREG(mode):
                if mode & stat.S_IXUSR:
                    executable.append(path)
                key = (mode, path in was_executable)
                if key not in decided:
                    decided[key] = _wanted(*key, mask, user == 0)
                # In a cache that a group shares, a file may belong to another user.
                if decided[key] != mode and user in (0, owner):
                    os.chmod(full_path, stat.S_IMODE(decided[key]))
        kept[name] = known or Modes(frozenset(executable), links)
    content = {name: {"executable": sorted(each.executable), "links": each.links} for name, each in kept.items()}
    write_own(prefix, MODES, (json.dumps(content, sort_keys=True) + "\n").encode())


def _wanted(mode: int, was_executable: bool, mask: int, as_root: bool) -> int:
    wanted = mode
    if not mode & stat.S_IRUSR:
        wanted |= 0o644 & ~mask
    if was_executable and not mode & stat.S_IXUSR:
        # For everyone who can read it.
        wanted |= (wanted & 0o444) >> 2
    if as_root:
        wanted &= ~0o022
    elif wanted & stat.S_IXUSR:
        wanted &= ~(0o022 & mask)
    return wanted


def _foreign(path: str, owner: int) -> UserError:
    return UserError(
        "packages from a cache that root owns, as this runs as root",
        "%s belongs to uid %d" % (path, owner),
        "run the task as that user with become_user, give the package cache to root, or set package_cache to another",
    )


def label(meta: t.Mapping[str, t.Any]) -> str:
    """The key of a package: ``numpy-2.3.0-py312_0``."""
    return "%s-%s-%s" % (meta.get("name"), meta.get("version"), meta.get("build"))


def _files(prefix: str, meta: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str, int, int]]:
    for entry in (meta.get("paths_data") or {}).get("paths") or []:
        full_path = prefix + "/" + entry["_path"]
        try:
            status = os.lstat(full_path)
        except OSError:
            continue
        yield entry["_path"], full_path, status.st_mode, status.st_uid
