# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the credentials of channels out of the tools' package caches. Private to hpc.pytorch.

conda, mamba and micromamba write each address as they used it, readable for everybody: conda into ``urls.txt``,
``*/info/repodata_record.json`` and ``cache/*.info.json`` of the cache; the others into ``urls.txt`` and
``*/info/repodata_record.json`` in folders by channel, such as ``https/HOST/CHANNEL``. From a channel with shards conda
also writes ``cache/repodata_shards.db``, an SQLite database whose keys are addresses
(``conda/_private/shards/cache.py`` in conda 26.7).
"""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials
from ...._files.entries import Folder
from ...._files.files import open_regular
from ...._files.folder import open_folder

# Of a file that may hold an address. What is larger is an index, into which no tool writes its own address.
_LARGEST = 16 * 1024 * 1024
_LISTS = ("urls.txt", "urls")
_STATES = (".info.json", ".state.json")
# With what SQLite puts next to it.
_DATABASE = "repodata_shards"
_CHUNK = 1024 * 1024


def scrub(caches: t.Iterable[str], secrets: t.Iterable[str]) -> None:
    """Rewrite each file in *caches* that holds one of the *secrets*, with no credentials in any address.

    A database that holds one is removed: the tool makes another. A file that this user cannot write was written by
    another user, with other credentials.
    """
    wanted = [secret.encode() for secret in secrets]
    if not wanted:
        return
    for cache in caches:
        for path in _files_with_addresses(cache):
            name = os.path.basename(path)
            with contextlib.suppress(OSError, UserError):
                with open_folder(os.path.dirname(path), "a package cache at") as folder:
                    if not name.startswith(_DATABASE):
                        _scrub_file(folder, name, wanted)
                    elif _holds(path, wanted):
                        for each in folder.names():
                            if each.startswith(_DATABASE):
                                folder.remove(each)


def _files_with_addresses(cache: str) -> t.Iterator[str]:
    for folder, folders, names in os.walk(cache):
        if "info" in folders:
            # An unpacked package.
            folders.clear()
            yield os.path.join(folder, "info", "repodata_record.json")
            continue
        for name in names:
            if name in _LISTS or name.endswith(_STATES) or name.startswith(_DATABASE):
                yield os.path.join(folder, name)


def _holds(path: str, secrets: t.Sequence[bytes]) -> bool:
    longest = max(len(secret) for secret in secrets)
    end = b""
    with open_regular(path, follow=False) as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            if any(secret in end + chunk for secret in secrets):
                return True
            end = chunk[-longest:]
    return False


def _scrub_file(folder: Folder, name: str, secrets: t.Sequence[bytes]) -> None:
    content = folder.read(name, _LARGEST)
    status = folder.stat(name)
    if content is None or status is None or not any(secret in content for secret in secrets):
        return
    clean = without_credentials(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    folder.write(name, clean, stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid))
