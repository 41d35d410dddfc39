# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from ``dist-info`` folders what pip installed, and whether it is complete. Private to hpc.pytorch."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import typing as t

from ..._common.redact import without_credentials
from ..._files.files import open_regular, read_regular, sha256_of_file, write_atomically
from .prefix import site_packages_folders
from .records import package_records

# Bytes. A sparse file of an exabyte costs its owner nothing, but a reader a year.
_LARGEST_FILE = 16 * 1024**3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXACT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==\s*(?P<version>[A-Za-z0-9.!+-]+))?\s*\Z")


class Distribution(t.NamedTuple):
    """An installed distribution. *name* is normalized; *finished* is False if pip was killed while installing it.

    pip unpacks the wheel's own RECORD with the other files, then writes INSTALLER, then the RECORD that lists it.
    """

    name: str
    version: str
    dist_info: str
    finished: bool


def damaged_distributions(prefix: str) -> list[Distribution]:
    """The unfinished ones, and those whose files were deleted or changed. Files of conda packages are not checked."""
    owned = set()
    for meta in package_records(prefix):
        owned |= {os.path.dirname(str(path)) for path in meta.get("files") or [] if ".dist-info/" in str(path)}
    found = []
    for folder in site_packages_folders(prefix):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if (
                name.endswith(".dist-info")
                and os.path.relpath(path, prefix) not in owned
                and not _is_whole(folder, path)
            ):
                found.append(_distribution(path))
    return found


def installed_versions(prefix: str, without: t.Container[str] = ()) -> dict[str, str]:
    """From the normalized name of each distribution, conda's too, to its version.

    :arg without: names of packages whose distributions are left out.
    """
    leaving: set[str] = set()
    for meta in package_records(prefix) if without else ():
        if meta.get("name") in without:
            leaving |= {os.path.dirname(str(path)) for path in meta.get("files") or [] if ".dist-info/" in str(path)}
    found = {}
    for folder in site_packages_folders(prefix):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name.endswith(".dist-info") and os.path.relpath(path, prefix) not in leaving:
                found[_distribution(path).name] = _distribution(path).version
    return found


def has_distribution(prefix: str, name: str) -> bool:
    """Whether the env has the distribution *name*, a normalized one: from a conda package, or pip finished it."""
    for folder in site_packages_folders(prefix):
        for each in os.listdir(folder):
            found = _distribution(os.path.join(folder, each)) if each.endswith(".dist-info") else None
            if found and found.name == name and found.finished:
                return True
    return any(meta.get("name") == name for meta in package_records(prefix))


def is_satisfied(requirement: str, versions: t.Mapping[str, str]) -> bool:
    """Whether one of *versions* satisfies a requirement of a name, perhaps with one exact version: ``six==1.16.0``.

    False for any other requirement: only pip can tell.
    """
    match = _EXACT.match(requirement)
    version = versions.get(normalized(match.group("name"))) if match else None
    return match is not None and version is not None and match.group("version") in (None, version)


def repairable(damaged: t.Iterable[Distribution], lines: t.Sequence[str], prefix: str) -> list[Distribution]:
    """Those of *damaged* that pip can install again for the requirements *lines*; and unfinished ones."""
    reached: set[str] = set()
    requirements = [
        line
        for line in lines
        if not line.startswith("-") or line.startswith(("-e", "--editable", "-r", "--requirement"))
    ]
    pending = [name for name in map(required_name, requirements) if name]
    needs = dependencies(prefix)
    if len(pending) < len(requirements):
        # Paths, URLs and requirement files have no name here; pip marks what was requested explicitly.
        pending += [name for name, (unused, requested) in needs.items() if requested]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(needs.get(name, ([], False))[0])
    return [each for each in damaged if not each.finished or each.name in reached]


def lines_for(damaged: t.Iterable[Distribution], lines: t.Sequence[str]) -> list[str]:
    """Requirements that install exactly *damaged* again: a line of *lines* if it has an address or a hash."""
    options = [
        line
        for line in lines
        if line.startswith("-") and not line.startswith(("-e", "--editable", "-r", "--requirement"))
    ]
    by_name = {
        required_name(line): line for line in lines if not line.startswith("-") and ("@" in line or "--hash" in line)
    }
    return options + [by_name.get(each.name) or "%s==%s" % (each.name, each.version) for each in damaged]


def remove_credentials(prefix: str) -> None:
    """Take credentials out of what pip stores on where a distribution came from, ``direct_url.json``.

    pip itself leaves query strings in it. Its hash and size in the distribution's RECORD are corrected.
    """
    for folder in site_packages_folders(prefix):
        for name in os.listdir(folder):
            path = os.path.join(folder, name, "direct_url.json")
            if name.endswith(".dist-info") and os.path.isfile(path):
                with open_regular(path) as stream:
                    text = stream.read().decode("utf-8", "replace")
                clean = without_credentials(text)
                if clean != text:
                    write_atomically(path, clean.encode())
                    _correct_record(os.path.join(folder, name, "RECORD"), name + "/direct_url.json", clean.encode())


def _correct_record(record: str, name: str, content: bytes) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
    with open_regular(record) as stream:
        rows = list(csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline="")))
    corrected = io.StringIO()
    entry = [name, "sha256=" + digest, str(len(content))]
    csv.writer(corrected, lineterminator="\n").writerows(entry if row[:1] == [name] else row for row in rows)
    write_atomically(record, corrected.getvalue().encode())


def not_repaired(damaged: Distribution) -> str:
    """The warning about a damaged distribution that is left as it is."""
    return (
        "%s %s, which the requirements in pip do not ask for, has deleted or changed files: "
        "install it again with the env's pip" % (damaged.name, damaged.version)
    )


def required_name(line: str) -> str:
    """The normalized name of a requirement: ``Py_YAML>=6`` is ``py-yaml``. Empty for a path, a URL or an option."""
    match = _NAME.match(line)
    rest = line[match.end() :].lstrip() if match else ""
    if not match or rest.startswith(("/", ":", "+")) or line.endswith((".whl", ".tar.gz", ".zip")) and "@" not in line:
        return ""
    return normalized(match.group())


def normalized(name: str) -> str:
    """A name as packaging tools compare it: ``Py_YAML`` is ``py-yaml``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution(dist_info: str) -> Distribution:
    name, unused, version = os.path.basename(dist_info)[: -len(".dist-info")].partition("-")
    return Distribution(normalized(name), version, dist_info, _is_finished(dist_info))


def _is_finished(dist_info: str) -> bool:
    try:
        listed = b".dist-info/INSTALLER," in read_regular(os.path.join(dist_info, "RECORD"))
    except OSError:
        return False
    return listed and os.path.exists(os.path.join(dist_info, "INSTALLER"))


def dependencies(prefix: str) -> dict[str, tuple[list[str], bool]]:
    """From each distribution to what it requires, and whether it was requested explicitly."""
    # Imported here: it is large, and only a repair needs it.
    import email.parser

    found = {}
    for folder in site_packages_folders(prefix):
        for entry in os.listdir(folder):
            path = os.path.join(folder, entry)
            if entry.endswith(".dist-info"):
                requires: list[str] = []
                if os.path.exists(os.path.join(path, "METADATA")):
                    text = read_regular(os.path.join(path, "METADATA")).decode("utf-8", "replace")
                    message = email.parser.Parser().parsestr(text, headersonly=True)
                    requires = [required_name(each) for each in message.get_all("Requires-Dist") or []]
                found[_distribution(path).name] = requires, os.path.exists(os.path.join(path, "REQUESTED"))
    return found


def _is_whole(folder: str, dist_info: str) -> bool:
    if not _is_finished(dist_info):
        return False
    try:
        text = read_regular(os.path.join(dist_info, "RECORD")).decode("utf-8")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (OSError, csv.Error, UnicodeDecodeError):
        return False
    return all(_is_as_recorded(os.path.join(folder, row[0]), *[*row[1:3], "", ""][:2]) for row in rows)


def _is_as_recorded(path: str, wanted: str, size: str) -> bool:
    if "\0" in path or not os.path.lexists(path):
        return False
    algorithm, unused, value = wanted.partition("=")
    if algorithm != "sha256" or path.endswith(".pyc") or not os.path.isfile(path):
        return True
    found = os.path.getsize(path)
    if found > _LARGEST_FILE or (size.isdigit() and int(size) != found):
        return False
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256_of_file(path))).rstrip(b"=").decode("ascii")
    return digest == value.rstrip("=")
