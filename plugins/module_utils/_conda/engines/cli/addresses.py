# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of each package, with credentials, also if conda leaves it out. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials, without_query
from ...._files.files import read_regular
from ...env.records import package_of
from .output import Record


def addresses_with_credentials(channels: t.Iterable[str]) -> dict[str, str]:
    """For each channel with credentials: from the address without them to the whole one."""
    pairs = (
        (without_credentials(channel).rstrip("/"), channel.rstrip("/")) for channel in map(without_query, channels)
    )
    return {clean: full for clean, full in pairs if clean != full}


def with_credentials(url: str, addresses: t.Mapping[str, str]) -> str:
    """*url* with the credentials of its channel, whatever the tool left of them."""
    clean = without_credentials(url)
    for address, full in addresses.items():
        if clean.startswith(address + "/"):
            return full + clean[len(address) :]
    return clean


def with_addresses(
    link: t.Iterable[Record], installed: t.Mapping[str, Record], package_caches: t.Callable[[], list[str]]
) -> list[Record]:
    """*link* with an address in each record.

    conda prints no address for what its package cache holds, so it is read from there, or from the *installed* records.

    :arg package_caches: the folders to search; called only if a record has no address.
    :raises UserError: an address that cannot be found.
    """
    found = []
    caches: list[str] | None = None
    for record in link:
        if not record.get("url"):
            caches = package_caches() if caches is None else caches
            same = [each for each in _cached_records(caches, str(record["dist_name"])) if _is_same(each, record)]
            same += [each for each in installed.values() if _is_same(each, record) and each.get("url")]
            if not same:
                raise UserError(
                    "the address of %s in the package cache (%s)" % (record["dist_name"], ", ".join(caches)),
                    "no info/repodata_record.json there that names it",
                    "remove that package from the cache, or give another package_cache",
                )
            record = dict(same[0])
        found.append(record)
    return found


def _cached_records(caches: t.Iterable[str], dist_name: str) -> t.Iterator[Record]:
    """The records that the package caches have of a package: its address and its hashes."""
    for cache in caches:
        with contextlib.suppress(OSError, ValueError):
            yield json.loads(read_regular(os.path.join(cache, dist_name, "info", "repodata_record.json")))


def _is_same(record: t.Mapping[str, t.Any], asked: t.Mapping[str, t.Any]) -> bool:
    """Whether *record* is the package that *asked* (an entry of conda's LINK) names by base address and platform."""
    folder = "%s/%s/" % (without_credentials(str(asked.get("base_url") or "")).rstrip("/"), asked["subdir"])
    return package_of(record)[:3] == package_of(asked)[:3] and without_credentials(
        str(record.get("url") or "")
    ).startswith(folder)
