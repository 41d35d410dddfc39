# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel's own record of what was published, from which request and with which digests. Private to hpc.pytorch.

It is a file in the channel. With it the target's own Python can decide whether there is anything to do.
"""

from __future__ import annotations

import json
import os
import typing as t

from .._common.errors import UserError
from .._conda.package.described import SUBDIRS, SUFFIXES
from .._files.files import sha256_of_file

RECORD_NAME = "hpc-pytorch-channel.json"
INDEX_NAMES = ("repodata.json", "repodata.json.zst")

Stat = t.List[int]


def empty_record() -> dict[str, t.Any]:
    """The record of a channel that does not exist yet."""
    return {"format": 1, "request": None, "watched": {}, "packages": {}, "index": {}}


def read_record(path: str) -> dict[str, t.Any]:
    """The record of the channel at *path*; an empty one if there is none or it cannot be read."""
    try:
        with open(os.path.join(path, RECORD_NAME), encoding="utf-8") as stream:
            record = json.load(stream)
        if record["format"] == 1 and isinstance(record["packages"], dict) and isinstance(record["index"], dict):
            return t.cast("t.Dict[str, t.Any]", record)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return empty_record()


def dump_record(record: t.Mapping[str, t.Any]) -> bytes:
    """The record as the content of its file."""
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()


def stat_of(path: str) -> Stat | None:
    """Size, times and inode, which change if a file is replaced. No copy can set the change time back."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def archives_in(path: str) -> list[str]:
    """Every package archive of the channel, as ``subdir/file``."""
    found = []
    for subdir in SUBDIRS:
        folder = os.path.join(path, subdir)
        if os.path.isdir(folder):
            found += [
                "%s/%s" % (subdir, name) for name in os.listdir(folder) if name.endswith(SUFFIXES) and name[0] != "."
            ]
    return sorted(found)


def watched_stats(paths: t.Iterable[str]) -> dict[str, t.Any]:
    """Size and time of the inputs of a publication, to recognise that they are unchanged."""
    result = {}
    for path in sorted(set(paths)):
        stat = stat_of(path)
        result[path] = stat[:2] if stat else None
    return result


def is_unchanged(path: str, record: t.Mapping[str, t.Any], key: str) -> bool:
    """Whether the channel at *path* is as the request *key* made it, and its inputs are unchanged."""
    if record["request"] != key or not record["packages"]:
        return False
    if any(stat_of(os.path.join(path, name)) != entry.get("stat") for name, entry in record["packages"].items()):
        return False
    if any(stat_of(os.path.join(path, name)) != entry["stat"] for name, entry in record["index"].items()):
        return False
    if archives_in(path) != sorted(record["packages"]):
        return False
    return watched_stats(record["watched"]) == record["watched"]


def check_archives(path: str, record: t.Mapping[str, t.Any]) -> list[str]:
    """The recorded archives that exist and are unchanged. Those whose times changed are read again.

    :raises UserError: the content of an archive was changed after it was published.
    """
    whole = []
    for name, entry in sorted(record["packages"].items()):
        file = os.path.join(path, name)
        stat = stat_of(file)
        if stat is None:
            continue
        if stat != entry.get("stat") and sha256_of_file(file) != entry["sha256"]:
            raise UserError(
                "an archive %s with sha256 %s, as it was published" % (file, entry["sha256"]),
                "other content: the archive was changed or replaced since",
                "find out who changed it; then delete the file, and the next run makes it again",
            )
        whole.append(name)
    return whole


def package_list(record: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """The channel's packages as the module returns them."""
    keys = ("name", "version", "build", "subdir", "file_name", "sha256", "size")
    return [{key: entry[key] for key in keys} for _name, entry in sorted(record["packages"].items())]
