# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and completes conda's records of packages, ``conda-meta/*.json``. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ..._common.errors import UserError
from ..._common.redact import has_credentials, without_credentials
from ..._files.files import open_regular, umask, write_atomically
from .packages import Package


def installed_packages(prefix: str) -> list[Package]:
    """The packages that ``conda-meta`` lists, by name.

    :raises UserError: a record that cannot be read.
    """
    return sorted(package_of(meta) for meta in package_records(prefix))


def package_records(prefix: str) -> t.Iterator[dict[str, t.Any]]:
    """Each ``conda-meta/*.json``, unchanged, by file name.

    :raises UserError: a record that cannot be read.
    """
    folder = os.path.join(prefix, "conda-meta")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        path = os.path.join(folder, name)
        try:
            with open_regular(path) as stream:
                meta = json.load(stream)
            if not isinstance(meta, dict):
                raise ValueError("not a mapping")
        except (OSError, ValueError) as error:
            raise UserError(
                "a package record at %s" % path,
                str(error),
                "make it readable (chmod a+r), or remove the file and run conda_env to install that package again",
            ) from error
        yield meta


def package_of(meta: t.Mapping[str, t.Any]) -> Package:
    """The package that a ``conda-meta`` record describes."""
    return Package(
        name=str(meta.get("name", "")),
        version=str(meta.get("version", "")),
        build=str(meta.get("build", meta.get("build_string", ""))),
        channel=without_credentials(str(meta.get("channel", "") or "")),
        url=without_credentials(str(meta.get("url", "") or "")),
    )


def make_readable_records(prefix: str) -> None:
    """Let other users read the records, for ``conda list``, and remove credentials from them.

    rattler ignores the umask and writes them with mode 0600, and with the channel's URL as it was used.
    """
    mask = umask()
    folder = os.path.join(prefix, "conda-meta")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        status = os.lstat(path)
        # In an env that a group shares, only a record's owner can change its mode.
        if name.endswith(".json") and stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            if stat.S_IMODE(status.st_mode) | 0o644 & ~mask != stat.S_IMODE(status.st_mode):
                os.chmod(path, stat.S_IMODE(status.st_mode) | 0o644 & ~mask)
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            if has_credentials(" ".join(_strings_with_address(text))):
                write_atomically(path, _record_without_credentials(text).encode())


# For an explicit file conda reads these from the archive, without the channel's later corrections; libmamba 2.1.1 to
# 2.3.2 leaves them empty (mamba-org/mamba#4052, #4070).
_FROM_CHANNEL = (
    "depends",
    "constrains",
    "license",
    "timestamp",
    "size",
    "noarch",
    "track_features",
    "build_number",
    "md5",
    "sha256",
)


def complete_record(prefix: str, solved: t.Mapping[str, t.Any]) -> None:
    """Write the channel's data on a package into its record, for an engine that installed from a list of addresses."""
    path = os.path.join(prefix, "conda-meta", "%s-%s-%s.json" % (solved["name"], solved["version"], solved["build"]))
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError):
        # The caller checks next whether the right packages are installed.
        return
    published = {key: solved[key] for key in _FROM_CHANNEL if solved.get(key) not in (None, "")}
    if {key: record.get(key) for key in published} != published:
        write_atomically(path, (json.dumps(dict(record, **published), indent=2) + "\n").encode())


def _strings_with_address(text: str) -> t.Iterator[str]:
    # The record of a large package has megabytes of paths: a pattern over all of it would take longer than the
    # installation.
    at = text.find("://")
    while at != -1:
        end = text.find('"', at)
        yield text[text.rfind('"', 0, at) + 1 : end if end != -1 else len(text)]
        at = text.find("://", max(end, at + 3))


def _record_without_credentials(text: str) -> str:
    meta = json.loads(text)
    for key in ("url", "channel", "requested_spec"):
        if isinstance(meta.get(key), str):
            meta[key] = without_credentials(meta[key])
    if isinstance(meta.get("requested_specs"), list):
        meta["requested_specs"] = [without_credentials(str(spec)) for spec in meta["requested_specs"]]
    return json.dumps(meta, indent=2) + "\n"
