# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own record in an env: which request led to which packages. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import typing as t

from ..._files.files import sha256_of_json
from .packages import Package
from .pip_records import required_name
from .prefix import kind_of, site_packages_folders, write_own
from .records import read_in_env
from .request import EnvRequest

# Not .json: conda takes every such file in conda-meta for a package.
RECORD = "conda-meta/hpc_pytorch.record"


def read_record(prefix: str) -> dict[str, t.Any]:
    """Our record; empty if it is missing or cannot be read."""
    try:
        record = json.loads(read_in_env(prefix, os.path.join(prefix, RECORD)))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def pip_of(prefix: str) -> list[str]:
    """The names of the distributions that the recorded request has in ``pip``: in another user's env, perhaps lies."""
    names = read_record(prefix).get("pip")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def write_record(prefix: str, request: EnvRequest, engine: str, packages: t.Iterable[Package]) -> None:
    """Record that *request* led to what is now in *prefix*.

    :arg packages: with the versions that the env's Python imports.
    """
    record = {
        "request_sha256": request.sha256(),
        "compiled": request.compiled,
        "listing_sha256": listing_sha256(prefix),
        "engine": engine,
        "imported": True,
        "pip": sorted({required_name(line) for line in request.pip if not line.startswith("-")} - {""}),
        "packages": [package.as_result() for package in sorted(packages)],
    }
    content = json.dumps(record, indent=1, sort_keys=True) + "\n"
    write_own(prefix, RECORD, content.encode())


def record_if_unchanged(prefix: str, request_sha256: str) -> dict[str, t.Any] | None:
    """Our record if the same request led to what is in *prefix* now, else None. Needs no engine."""
    if kind_of(prefix) != "env":
        return None
    record = read_record(prefix)
    if record.get("request_sha256") != request_sha256 or record.get("listing_sha256") != listing_sha256(prefix):
        return None
    return record


def listing_sha256(prefix: str) -> str:
    """Hash of which packages are installed, by the names of conda's and pip's records. Opens no file."""
    found: list[tuple[str, int]] = []
    with os.scandir(os.path.join(prefix, "conda-meta")) as entries:
        found.extend((entry.name, entry.stat().st_size) for entry in entries if entry.name.endswith(".json"))
    for folder in site_packages_folders(prefix):
        with os.scandir(folder) as entries:
            found.extend((entry.name, -1) for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
    return sha256_of_json(sorted(found))
