# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers for what conda, mamba and micromamba print with ``--json``. No I/O. Private to hpc.pytorch.

- conda (``conda/cli/common.py``, ``conda/models/records.py``: ``dist_fields_dump``): ``actions`` has LINK and UNLINK
  with names only, and FETCH with complete records of what is not in the package cache yet.
- mamba 2 and micromamba 2 (``libmamba/src/core/transaction.cpp``: ``log_json``): FETCH, LINK and UNLINK hold complete
  records; an empty list is null; if there is nothing to do, there may be no output at all (mamba-org/mamba#3583).

Errors are read in :mod:`.failure`.
"""

from __future__ import annotations

import json
import re
import typing as t

from ...._common.errors import UserError
from ...._common.lines import lines_of
from ...._common.redact import without_credentials
from ...env.dependencies import needed_names

Record = t.Dict[str, t.Any]

_ARCHIVE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+?)(?P<suffix>\.conda|\.tar\.bz2)\Z")


class Actions(t.NamedTuple):
    """What a tool would do: records to link, in its order; names to unlink; records to download."""

    link: list[Record]
    unlink: list[str]
    fetch: list[Record]


def documents(text: str) -> list[Record]:
    """Every JSON mapping in *text*: ``documents('solving {"a": 1} done')`` is ``[{"a": 1}]``."""
    decoder = json.JSONDecoder()
    found, position = [], text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError:
            end = position + 1
        else:
            found.append(value)
        position = text.find("{", end)
    return found


def actions_in(stdout: str) -> Actions:
    """The actions that a dry run printed. conda's records to link have no ``url`` if the package is in its cache."""
    actions: t.Mapping[str, t.Any] = {}
    for document in documents(stdout):
        if isinstance(document.get("actions"), dict):
            actions = document["actions"]
    fetch = [_normal(entry) for entry in actions.get("FETCH") or []]
    complete = {_key(record): record for record in fetch}
    link = []
    for entry in actions.get("LINK") or []:
        record = _normal(entry)
        known = complete.get(_key(record), {})
        # A field that one list lacks may be in the other (mamba-org/mamba#2346: hashes).
        link.append(dict(record, **{key: value for key, value in known.items() if not record.get(key)}))
    return Actions(link, [str(entry["name"]) for entry in actions.get("UNLINK") or []], fetch)


def _normal(entry: t.Mapping[str, t.Any]) -> Record:
    record = dict(entry)
    record["build"] = str(entry.get("build") or entry.get("build_string") or "")
    record["subdir"] = str(entry.get("subdir") or entry.get("platform") or "")
    for key in ("depends", "constrains"):
        if key in record:
            record[key] = list(record[key] or [])
    for key in ("noarch", "license"):
        if record.get(key) in ("", "None"):
            del record[key]
    return record


def _key(record: t.Mapping[str, t.Any]) -> tuple[str, str, str, str]:
    return str(record["name"]), str(record["version"]), str(record["build"]), str(record["subdir"])


def read_explicit(text: str, path: str) -> list[Record]:
    """The packages of an explicit file, in its order.

    ``https://host/c/linux-64/numpy-2.3.0-py312_0.conda#MD5`` is numpy 2.3.0 py312_0 of ``https://host/c``.

    :raises UserError: it is not an explicit file, or has a line that is not a package's address.
    """
    lines = [line.strip() for line in lines_of(text)]
    if "@EXPLICIT" not in lines:
        raise UserError(
            "a lock file that conda reads (with a line @EXPLICIT, as conda list --explicit prints) at %s" % path,
            "a lock file of rattler" if re.search(r"^version: *\d", text, re.MULTILINE) else "no line @EXPLICIT",
            "use engine rattler, another lock_file, or state latest to write this one again",
        )
    records = []
    for line in lines:
        if not line or line.startswith(("#", "@")):
            continue
        url, unused, digest = line.partition("#")
        folder, unused, filename = url.rpartition("/")
        match = _ARCHIVE.match(filename)
        if not match or not folder:
            raise UserError(
                "a package's address in each line of %s" % path,
                without_credentials(line),
                "remove it to have it written again",
            )
        digest = digest[len("sha256:") :] if digest.startswith("sha256:") else digest
        records.append(
            {
                "name": match.group("name"),
                "version": match.group("version"),
                "build": match.group("build"),
                "fn": filename,
                "url": url,
                "channel": folder.rpartition("/")[0],
                "subdir": folder.rpartition("/")[2],
                "sha256" if len(digest) == 64 else "md5": digest or None,
            }
        )
    return records


def in_order(records: t.Iterable[Record]) -> list[Record]:
    """*records*, each after its dependencies: mamba links in the file's order, and needs Python before its modules."""
    by_name = {str(record["name"]): record for record in records}
    ordered: dict[str, Record] = {}
    begun: set[str] = set()
    for name in by_name:
        # Without recursion: dependency chains are long, and some are circular.
        pending = [(name, False)]
        while pending:
            current, needs_done = pending.pop()
            if needs_done:
                ordered.setdefault(current, by_name[current])
            elif current in by_name and current not in begun:
                begun.add(current)
                pending.append((current, True))
                pending += [(need, False) for need in reversed(needed_names(by_name[current]))]
    return list(ordered.values())
