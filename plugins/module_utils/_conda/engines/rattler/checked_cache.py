# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unpacked packages in rattler's cache: only those that were checked are used. Private to hpc.pytorch.

A package is downloaded, unpacked and checked in a folder of the cache that only this user can enter, and then renamed
to its place. There rattler finds it and links it, without fetching anything itself. py-rattler 0.28.0 keeps a package
in NAME-VERSION-BUILD, and next to it in NAME-VERSION-BUILD.lock a revision (8 bytes) and the archive's sha256.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat

from ...._common.errors import UserError
from ...._files.files import open_regular, sha256_of_file
from ...._files.leftovers import owner_tag
from ...package.described import Described
from ...package.info import CHECKED, PATHS, Contents, Identity, Unpacked, contents_of
from ...package.judge import LINK, require_inside

# Raise it when packages must be checked again.
_FORMAT = 1


def identity_of(package: Described, site_packages: str | None = None) -> Identity:
    """The package's identity, for messages and for its folder."""
    return Identity(package.name, package.version, package.build, package.shown, site_packages)


def link_in(prefix: str, path: str) -> str | None:
    """The target of the symlink at *path* in the env, or None if there is none."""
    try:
        return os.readlink(os.path.join(prefix, path))
    except OSError:
        return None


class Store:
    """The cache at *folder*, which only this user (or root) can write."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        # A torch env has 20,000 files, and is asked for twice.
        self._known: dict[str, tuple[str, Contents]] = {}

    def contents(self, package: Described) -> Contents | None:
        """What the cached package holds, or None: it is not there, was not checked, or another user can change it."""
        label = identity_of(package).label
        path = os.path.join(self.folder, label)
        try:
            if not _is_mine(path):
                return None
            known = self._known.get(label)
            if known is not None and package.sha256 in (None, known[0]):
                return known[1]
            with open_regular(os.path.join(path, CHECKED)) as stream:
                if not _owned(os.fstat(stream.fileno())):
                    return None
                note = json.load(stream)
            if note["format"] != _FORMAT or (package.sha256 or note["archive"]) != note["archive"]:
                return None
            contents = Contents.of_json(note["contents"])
            self._known[label] = (note["archive"], contents)
            return contents
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def is_damaged(self, package: Described, contents: Contents) -> bool:
        """Whether a file of the cached package is not the one that was unpacked: an env shares it by a hard link."""
        folder = os.path.join(self.folder, identity_of(package).label)
        try:
            if any(os.readlink(os.path.join(folder, e.path)) != e.target for e in contents.entries if e.kind == LINK):
                return True
            with open_regular(os.path.join(folder, PATHS)) as stream:
                records = json.load(stream)["paths"]
            return any(
                sha256_of_file(os.path.join(folder, each["_path"])) != each["sha256"]
                for each in records
                if each["path_type"] == "hardlink" and each.get("sha256")
            )
        except (OSError, ValueError, KeyError, TypeError):
            return True

    def check(self, package: Described, unpacked: Unpacked, folder: str, archive_sha256: str) -> None:
        """Check the package that was unpacked into *folder*, and note there that it was.

        :raises UserError: it must not be installed, whatever else is.
        """
        identity = identity_of(package)
        contents = contents_of(identity, unpacked)
        require_inside([contents.placed(identity)])
        note = {"format": _FORMAT, "archive": archive_sha256, "contents": contents.as_json()}
        _write_new(os.path.join(folder, CHECKED), json.dumps(note).encode())

    def place(self, package: Described, folder: str, trash: str) -> None:
        """Move the checked package in *folder* to its place. What was there goes to *trash*.

        :raises UserError: another user's files are in the way.
        """
        path = os.path.join(self.folder, identity_of(package).label)
        lock = path + ".lock"
        self._known.pop(identity_of(package).label, None)
        try:
            for old in (path, lock):
                with contextlib.suppress(FileNotFoundError):
                    _move_away(old, trash)
            digest = bytes.fromhex(package.sha256) if package.sha256 else b""
            _write_new(os.path.join(trash, "lock"), (1).to_bytes(8, "big") + digest)
            os.rename(os.path.join(trash, "lock"), lock)
            os.rename(folder, path)
        except PermissionError as error:
            raise UserError(
                "a package cache of this user's own at %s" % self.folder,
                "%s, which belongs to uid %d" % (path, os.lstat(self.folder).st_uid),
                "set package_cache to a folder of this user's",
            ) from error
        for name in os.listdir(trash):
            if name.startswith("old."):
                old = os.path.join(trash, name)
                if os.path.isdir(old) and not os.path.islink(old):
                    shutil.rmtree(old, ignore_errors=True)
                else:
                    os.unlink(old)


def _move_away(path: str, trash: str) -> None:
    try:
        os.rename(path, os.path.join(trash, "old." + os.path.basename(path)))
    except PermissionError:
        # Another user's folder keeps its parent, and only its owner can empty it.
        folder, name = os.path.split(path)
        os.rename(path, os.path.join(folder, ".foreign.%s.%s" % (name, owner_tag())))


def _owned(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _is_mine(path: str) -> bool:
    status = os.lstat(path)
    return stat.S_ISDIR(status.st_mode) and _owned(status)


def _write_new(path: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o644), "wb") as stream:
        stream.write(content)
        os.fchmod(stream.fileno(), 0o644)
