# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a package as a channel's index or a lock file describes it, before anything is fetched.

Private to hpc.pytorch. Each field may become part of a path or an address. Both conda_env and conda_channel come here.
"""

from __future__ import annotations

import os
import stat
import typing as t
import urllib.parse

from ..._common.errors import UserError
from ..._common.redact import without_credentials
from ..._files.trust import untrusted_because
from ..._source.parse import local_path
from .names import bad_archive_name, bad_package, bad_path

SUFFIXES = (".conda", ".tar.bz2")
# conda's names for the folders of a channel.
SUBDIRS = (
    "noarch",
    "linux-64",
    "linux-aarch64",
    "linux-ppc64le",
    "linux-s390x",
    "linux-32",
    "osx-64",
    "osx-arm64",
    "win-64",
)
# No archive of conda's is that large; a number beyond it only breaks sums.
LARGEST_ARCHIVE = 100 << 30
_REMEDY = "have the channel's index repaired, or use another channel"


class Described(t.NamedTuple):
    """A package in a channel's index."""

    name: str
    version: str
    build: str
    subdir: str
    file_name: str
    url: str
    channel: str
    sha256: str | None
    size: int | None
    site_packages: str | None = None
    build_number: int = 0

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return without_credentials(self.url)


def require_sound(package: Described) -> None:
    """Refuse a package whose description would lead out of a channel, a cache or an environment.

    :raises UserError: naming the field.
    """
    found = (
        bad_package(package.name, package.version, package.build)
        or bad_archive_name(package.file_name, SUFFIXES)
        or _bad_subdir(package)
        or _bad_address(package)
        or _bad_size(package.size)
        or (
            "python_site_packages_path %.80r" % package.site_packages
            if package.site_packages is not None and bad_path(package.site_packages)
            else None
        )
    )
    if found:
        raise UserError(
            "a package %.100s with a valid name, folder, address and size in its channel's index" % (package.name,),
            found,
            _REMEDY,
        )


def require_hash(package: Described) -> None:
    """Refuse a package without a sha256, unless it is in a folder that only trusted users can write.

    An md5 counts for nothing: two files with one md5 are made in seconds.

    :raises UserError: as root such a folder is root's; for another user it belongs to that user, to root or to the
        owner of the archive.
    """
    if package.sha256:
        return
    path = local_path(package.url)
    reason = "no sha256" if path is None else _open_to_others(path)
    if reason:
        raise UserError(
            "a sha256 for the package %s in its channel's index or in the lock file" % package.shown,
            reason,
            "have the channel indexed again by a tool that records sha256 (conda index, rattler-index,"
            " hpc.pytorch.conda_channel), or use another channel",
        )


def _bad_subdir(package: Described) -> str | None:
    if package.subdir not in SUBDIRS:
        return "the subdir %.80r" % (package.subdir,)
    folder = urllib.parse.urlsplit(package.url).path.rsplit("/", 2)[-2:-1]
    # A channel may keep its archives elsewhere (base_url), in folders with other names.
    if folder and folder[0] in SUBDIRS and folder[0] != package.subdir:
        return "the subdir %r in the index of %s" % (package.subdir, folder[0])
    return None


def _bad_address(package: Described) -> str | None:
    try:
        parts, channel = urllib.parse.urlsplit(package.url), urllib.parse.urlsplit(package.channel)
    except ValueError as error:
        return "the address %.200r (%s)" % (package.shown, error)
    if not package.url.isprintable() or not parts.scheme:
        return "the address %.200r" % package.shown
    if urllib.parse.unquote(parts.path.rsplit("/", 1)[-1]) != package.file_name:
        return "the address %.200r of %.200r" % (package.shown, package.file_name)
    if channel.scheme in ("http", "https", "file") and parts.scheme != channel.scheme:
        # From https to http it could be replaced on the way; from the network to a file it would be this machine's.
        if (channel.scheme, parts.scheme) != ("http", "https"):
            return "the address %.200r in a channel at %s://" % (package.shown, channel.scheme)
    if parts.scheme == "file":
        path = urllib.parse.unquote(parts.path)
        if parts.netloc not in ("", "localhost") or any(part in (".", "..") for part in path.split("/")):
            return "the address %.200r" % package.shown
        folder = urllib.parse.unquote(channel.path).rstrip("/") if channel.scheme == "file" else ""
        if folder and not path.startswith(folder + "/"):
            return "the address %.200r, outside the channel %.200s" % (package.shown, folder)
    return None


def _bad_size(size: t.Any) -> str | None:
    if size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= LARGEST_ARCHIVE):
        return None
    return "the size %.80r" % (size,)


def _open_to_others(path: str) -> str | None:
    """Why another user could have put the archive at *path* there, or None."""
    if os.geteuid() == 0:
        try:
            reason = untrusted_because(path)
        except OSError as error:
            reason = str(error)
        return "no sha256, and %s" % reason if reason else None
    try:
        archive, folder = os.stat(path), os.stat(os.path.dirname(path))
    except OSError as error:
        return "no sha256, and %s" % error
    if (archive.st_mode | folder.st_mode) & stat.S_IWOTH:
        return "no sha256, and every user can write %s" % path
    if archive.st_uid not in (0, os.geteuid(), folder.st_uid):
        return "no sha256, and %s belongs to uid %d" % (path, archive.st_uid)
    return None
