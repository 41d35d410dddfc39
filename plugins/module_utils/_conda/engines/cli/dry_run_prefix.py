# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prefix of records without packages, for a dry run, and the records to compare with. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import typing as t

from ...._common.redact import without_credentials
from ...env.prefix import package_of
from .output import Record

PINNED = "conda-meta/pinned"
HISTORY = "conda-meta/history"


def make_shadow(folder: str, records: t.Iterable[Record], prefix: str | None) -> str:
    """A prefix below *folder* that holds these records and no package; with the pins of the env at *prefix*."""
    shadow = os.path.join(folder, "shadow")
    os.makedirs(os.path.join(shadow, "conda-meta"))
    written(os.path.join(shadow, HISTORY), "")
    if prefix:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(os.path.join(prefix, PINNED), os.path.join(shadow, PINNED))
    for record in records:
        name = "%s-%s-%s.json" % package_of(record)[:3]
        record = {"build_number": 0, "depends": [], "files": [], **record}
        written(os.path.join(shadow, "conda-meta", name), json.dumps(record))
    return shadow


def cached_records(caches: t.Iterable[str], dist_name: str) -> t.Iterator[Record]:
    """What the package caches know of a package: where it came from, and its hashes."""
    for cache in caches:
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(cache, dist_name, "info", "repodata_record.json"), encoding="utf-8") as stream:
                yield json.load(stream)


def is_same(record: t.Mapping[str, t.Any], asked: t.Mapping[str, t.Any]) -> bool:
    """Whether *record* is the package that conda's LINK names by its channel's base and its platform."""
    folder = "%s/%s/" % (without_credentials(str(asked.get("base_url") or "")).rstrip("/"), asked["subdir"])
    return package_of(record)[:3] == package_of(asked)[:3] and without_credentials(
        str(record.get("url") or "")
    ).startswith(folder)


def to_relink(before: t.Mapping[str, Record], after: t.Mapping[str, Record]) -> set[str]:
    """Modules without a platform, when Python's minor version changes: they lie below its folder."""
    minor = [
        ".".join(str(records["python"]["version"]).split(".")[:2]) for records in (before, after) if "python" in records
    ]
    if len(minor) < 2 or minor[0] == minor[1]:
        return set()
    return {name for name in after if name in before and before[name].get("noarch") == "python"}


def written(path: str, text: str) -> str:
    """*path*, after *text* was written there."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path
