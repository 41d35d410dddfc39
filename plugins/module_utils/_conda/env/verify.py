# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether the files of an env are as its packages installed them. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import typing as t

from ..._files.files import sha256_of_file
from .modes import Modes, label, read_modes
from .pip_records import Distribution, damaged_distributions, not_repaired, repairable
from .records import package_records

# Bytes. A sparse file of an exabyte costs its owner nothing, but a reader a year.
_LARGEST_FILE = 16 * 1024**3
_NOTHING_REMEMBERED = Modes(frozenset(), {})


class Damage(t.NamedTuple):
    """What to install again: *packages* by name, *distributions* of pip. *warnings* name what cannot be repaired."""

    packages: t.AbstractSet[str] = frozenset()
    distributions: t.Sequence[Distribution] = ()
    warnings: t.Sequence[str] = ()


def examine(prefix: str, pip_lines: t.Sequence[str], leaving: t.Container[str] = ()) -> Damage:
    """Read every file of the env.

    :arg pip_lines: requirements; only the distributions that they lead to can be repaired.
    :arg leaving: paths of ``.dist-info`` folders that are about to be removed.
    """
    found = [each for each in damaged_distributions(prefix) if each.dist_info not in leaving]
    wanted = repairable(found, pip_lines, prefix) if pip_lines else []
    return Damage(damaged_packages(prefix), wanted, [not_repaired(each) for each in found if each not in wanted])


def damaged_packages(prefix: str, only: t.Container[str] | None = None) -> set[str]:
    """Names of packages with a file that is missing, or whose content, target or mode has changed.

    :arg only: names of the packages to read; None for all.
    """
    modes = read_modes(prefix)
    records = package_records(prefix)
    return {
        str(meta.get("name"))
        for meta in records
        if (only is None or meta.get("name") in only)
        and _is_damaged(prefix, meta, modes.get(label(meta), _NOTHING_REMEMBERED))
    }


def _is_damaged(prefix: str, meta: t.Mapping[str, t.Any], modes: Modes) -> bool:
    entries = (meta.get("paths_data") or {}).get("paths") or []
    return any(_is_another(os.path.join(prefix, entry["_path"]), entry, modes) for entry in entries)


def _is_another(path: str, entry: t.Mapping[str, t.Any], modes: Modes) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return True
    kind = entry.get("path_type")
    if kind == "softlink":
        return not stat.S_ISLNK(mode) or modes.contradict(entry["_path"], path, mode)
    if kind == "directory":
        return not stat.S_ISDIR(mode)
    if not stat.S_ISREG(mode) or not mode & stat.S_IRUSR or modes.contradict(entry["_path"], path, mode):
        return True
    # Python rewrites .pyc files.
    return not path.endswith(".pyc") and _has_another_content(path, entry)


def _has_another_content(path: str, entry: t.Mapping[str, t.Any]) -> bool:
    wanted = entry.get("sha256_in_prefix")
    if not wanted and not entry.get("prefix_placeholder"):
        # A file with the prefix written into it has another size and hash than this record.
        wanted = entry.get("sha256")
        size = entry.get("size_in_bytes")
        if size is not None and os.path.getsize(path) != size:
            return True
    return bool(wanted) and (os.path.getsize(path) > _LARGEST_FILE or sha256_of_file(path) != wanted)
