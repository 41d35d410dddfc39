# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and completes conda's records of packages, ``conda-meta/*.json``. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import typing as t

from ..._common.errors import UserError
from ..._common.redact import has_credentials, without_credentials
from ..._files.files import open_regular, read_regular, umask, write_atomically
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
    if os.geteuid() == 0 and os.path.islink(folder):
        raise UserError(
            "a folder of records at %s" % folder, "a symlink to %s" % os.readlink(folder), "put the folder in its place"
        )
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        path = os.path.join(folder, name)
        try:
            meta = json.loads(read_in_env(prefix, path))
            _require_form(meta)
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(
                "a package record at %s" % path,
                str(error),
                "make it readable (chmod a+r), or remove the file and run conda_env to install that package again",
            ) from error
        yield meta


def read_in_env(prefix: str, path: str) -> bytes:
    """The content of a record at *path*, which in another user's env may lead to a file that only root can read.

    :raises OSError: it is a symlink out of the env, as root any symlink or another user's hard link, or cannot be read.
    """
    follow = os.geteuid() != 0 and os.path.realpath(path).startswith(os.path.realpath(prefix) + os.sep)
    with open_regular(path, follow) as stream:
        status = os.fstat(stream.fileno())
        if os.geteuid() == 0 and status.st_nlink > 1 and status.st_uid != os.stat(prefix).st_uid:
            raise OSError(
                errno.EPERM, "a hard link to a file of uid %d, who does not own the env" % status.st_uid, path
            )
    return read_regular(path, follow=follow)


def _require_form(meta: t.Any) -> None:
    """Refuse a record that readers would stumble over. Which package it describes is not checked.

    :raises ValueError: with what is wrong.
    """
    paths = (meta.get("paths_data") or {}) if isinstance(meta, dict) else None
    entries = (paths.get("paths") or []) if isinstance(paths, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a record of a package")
    for entry in entries:
        path = entry.get("_path") if isinstance(entry, dict) else None
        if not isinstance(path, str) or "\0" in path:
            raise ValueError("a list of paths that holds something else")


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
    """Let other users read the records, for ``conda list``; remove credentials, and hashes that conda reads otherwise.

    rattler ignores the umask and writes them with mode 0600, and with the channel's URL as it was used. For a symlink
    it records the hash of the link's text, where conda records and checks that of the file behind it
    (``conda doctor``). The target is remembered in :mod:`.modes`.
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
            text = read_regular(path, follow=False).decode("utf-8")
            clean = _without_hashes_of_links(text)
            if has_credentials(" ".join(_strings_with_address(clean))):
                clean = _record_without_credentials(clean)
            if clean != text:
                write_atomically(path, clean.encode())


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
        record = json.loads(read_regular(path, follow=False))
    except (OSError, ValueError):
        # The caller checks next whether the right packages are installed.
        return
    published = {key: solved[key] for key in _FROM_CHANNEL if solved.get(key) not in (None, "")}
    if {key: record.get(key) for key in published} != published:
        write_atomically(path, (json.dumps(dict(record, **published), indent=2) + "\n").encode())


_HASH_IN_PREFIX = re.compile(r',\s*"sha256_in_prefix":\s*"[^"]*"')


def _without_hashes_of_links(text: str) -> str:
    # To parse and write the megabytes of a large record would take longer than its installation.
    parts, done = [], 0
    at = text.find('"softlink"')
    while at != -1:
        start, end = text.rfind("{", done, at), text.find("}", at)
        if start == -1 or end == -1:
            break
        parts += [text[done:start], _HASH_IN_PREFIX.sub("", text[start:end])]
        done = end
        at = text.find('"softlink"', end)
    return "".join([*parts, text[done:]])


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
