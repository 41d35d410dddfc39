# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers for what conda, mamba and micromamba print with ``--json``. No I/O. Private to hpc.pytorch.

- conda (``conda/cli/common.py``, ``conda/models/records.py``: ``dist_fields_dump``): ``actions`` has LINK and UNLINK
  with names only, and FETCH with complete records of what is not in the package cache yet.
- mamba 2 and micromamba 2 (``libmamba/src/core/transaction.cpp``: ``log_json``): FETCH, LINK and UNLINK hold complete
  records; an empty list is null; if there is nothing to do, there may be no output at all (mamba-org/mamba#3583).
- Errors: conda prints one mapping with ``exception_name``, ``message`` and ``error``; the others ``solver_problems``,
  from 2.8.1 on ``log_records`` (mamba-org/mamba#1945), and lines ``critical libmamba ...`` on stderr.
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
_NETWORK = re.compile(
    r"HTTP|Connection|SSL|proxy|Could not resolve host|Download error|timed out|multi-download", re.IGNORECASE
)
_SPACE = re.compile(r"No space left|Disk quota exceeded|NoSpaceLeft|NotEnoughSpace|ENOSPC", re.IGNORECASE)
_SOLVER = (
    "UnsatisfiableError",
    "PackagesNotFound",
    "ResolvePackageNotFound",
    "SpecsConfigurationConflict",
    "InvalidMatchSpec",
)


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


_EXPECTED = {
    "solver": (
        "packages in %(channels)s that satisfy %(specs)s",
        "correct the match specs or the channels; set cuda where a package needs __cuda",
    ),
    "network": (
        "channels that answer: %(channels)s",
        "check the address, the credentials and the network, or correct the channels",
    ),
    "space": (
        "room for the packages",
        "check the disk's space and quota (package_cache moves the cache), then run again",
    ),
    "other": ("%(tool)s to succeed", "run it by hand to see what it complains about, or use engine rattler"),
}


def failure(
    tool: str, channels: t.Iterable[str], specs: t.Iterable[str], stdout: str, stderr: str, status: int
) -> UserError:
    """The error that *tool* printed, with a remedy; the solver's whole reason is in ``solver``."""
    kind, message = problem_in(stdout, stderr, status)
    expected, remedy = _EXPECTED[kind]
    shown = {
        "tool": tool,
        "channels": without_credentials(", ".join(channels)) or "the channels of the packages",
        "specs": without_credentials(", ".join(specs)) or "the request",
    }
    return UserError(expected % shown, message, remedy, **({"solver": message} if kind == "solver" else {}))


def reports_failure(stdout: str) -> bool:
    """Whether the output reports a failed solve, whatever the exit status."""
    return any(document.get("success") is False and document.get("solver_problems") for document in documents(stdout))


def problem_in(stdout: str, stderr: str, status: int) -> tuple[str, str]:
    """``solver``, ``network``, ``space`` or ``other``, and the tool's message without credentials."""
    kind, message = "other", ""
    for document in documents(stdout):
        problems = document.get("solver_problems")
        if problems:
            kind, message = "solver", "\n".join(str(problem) for problem in problems)
        elif document.get("exception_name") or document.get("error"):
            name = str(document.get("exception_name") or "")
            message = str(document.get("message") or document.get("error"))
            kind = "solver" if any(part in name for part in _SOLVER) else "other"
        elif document.get("success") is False and document.get("log_records"):
            message = "\n".join(_log_line(entry) for entry in document["log_records"])
    errors = [line for line in lines_of(stderr) if re.match(r"\s*(critical|error)\b", line)]
    if kind == "solver" and "libmamba" in stderr:
        # The tree on stderr has more detail than the JSON's list (mamba-org/mamba#2513).
        message = message + "\n" + stderr.strip()
    message = message or "\n".join(errors) or _end_of(stderr) or _end_of(stdout) or "exit status %d" % status
    if "Could not solve for environment" in message:
        kind = "solver"
    if kind == "other":
        kind = "space" if _SPACE.search(message) else "network" if _NETWORK.search(message) else "other"
    return kind, without_credentials(message.strip())


def _end_of(text: str) -> str:
    """The last three lines, where a traceback has its error."""
    return "\n".join(lines_of(text.strip())[-3:])


def _log_line(entry: t.Any) -> str:
    return str(entry.get("message") or entry) if isinstance(entry, dict) else str(entry)


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
