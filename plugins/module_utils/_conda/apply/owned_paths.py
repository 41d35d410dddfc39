# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that what an env's own records name lies inside the env, before an engine deletes it. Private to hpc.pytorch.

A package may have been installed by another tool, or before this was checked. Engines delete whatever its record lists.
"""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..env.records import package_records
from ..package.names import bad_path

_REMEDY = "remove the env (state absent), which follows no symlink, and make it again"


def require_sound_records(prefix: str, remedy: str = _REMEDY) -> None:
    """Refuse an env whose records are not files of its own, or name files outside it.

    :arg remedy: for the message.
    :raises UserError: nothing was touched.
    """
    folder = os.path.join(prefix, "conda-meta")
    with os.scandir(folder) as found:
        for entry in found:
            # A site may link its pins; nothing writes there.
            if entry.name != "pinned" and (entry.is_symlink() or not (entry.is_file() or entry.is_dir())):
                raise _unsound(prefix, "%s, which is a symlink or a device" % entry.path, remedy)
    if os.path.islink(folder):
        raise _unsound(prefix, "%s, which is a symlink" % folder, remedy)
    real = os.path.realpath(prefix)
    folders: dict[str, bool] = {"": True}
    for meta in package_records(prefix):
        for path in _paths_of(meta, remedy):
            reason = bad_path(path)
            if reason:
                found_at = "the package %s with a file %.200r, %s" % (meta.get("name"), path, reason)
                raise _unsound(prefix, found_at, remedy)
            above = path.rpartition("/")[0]
            if above not in folders:
                folders[above] = _is_inside(os.path.join(real, above), real)
            if not folders[above]:
                raise _unsound(
                    prefix,
                    "the package %s with a file %.200r, behind a symlink that leads outside" % (meta.get("name"), path),
                    remedy,
                )


def _paths_of(meta: t.Mapping[str, t.Any], remedy: str) -> t.Iterator[str]:
    """Every path that an engine takes from the record."""
    files, paths_data = meta.get("files") or [], meta.get("paths_data") or {}
    entries = paths_data.get("paths") or [] if isinstance(paths_data, dict) else paths_data
    if not isinstance(files, list) or not isinstance(entries, list):
        raise _malformed(meta, remedy)
    yield from files
    for entry in entries:
        if not isinstance(entry, dict) or "_path" not in entry:
            raise _malformed(meta, remedy)
        yield entry["_path"]
        if entry.get("original_path") is not None:
            yield entry["original_path"]


def _is_inside(folder: str, real_prefix: str) -> bool:
    return (os.path.realpath(folder) + os.sep).startswith(real_prefix + os.sep)


def _malformed(meta: t.Mapping[str, t.Any], remedy: str) -> UserError:
    return UserError(
        "a record of the package %s with lists of files" % meta.get("name"),
        "other values",
        remedy,
    )


def _unsound(prefix: str, found: str, remedy: str) -> UserError:
    return UserError(
        "an env at %s whose records name only its own files" % prefix,
        found,
        remedy,
    )
