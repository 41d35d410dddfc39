# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts finished archives into a channel so that a reader sees the old index or the new one. Private to hpc.pytorch.

Runs in the engine's venv. The order is: archives are finished and verified in a folder of their own, the record learns
their digests, they are moved in one rename each, the index made from all of them is moved in one rename each, and the
record takes the request's key last. Killed anywhere, the channel has a valid index and the next run finishes.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
import typing as t

from .._common.errors import UserError
from .._common.files import sha256_of_file, write_atomically
from .record import INDEX_NAMES, RECORD_NAME, SUBDIRS, archives_in, dump_record, stat_of

_STAGING = ".staging-"
_LOCK = ".lock"
# Other tools' indexes of the same packages, which would go on telling the old state.
_STALE = ("current_repodata.json", "current_repodata.json.zst", "repodata.json.bz2", "repodata_shards.msgpack.zst")
_DAY = 86400


class Channel:
    """A channel's folder while this process publishes to it. Use as a context manager."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.staging = ""
        self._lock: t.IO[str] | None = None
        self._made: list[str] = []

    def __enter__(self) -> Channel:
        self._made = _make_folder(self.path)
        handle = os.open(os.path.join(self.path, _LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        self._lock = os.fdopen(handle, "r+")
        try:
            # Spares double work; each publisher has a staging folder of its own, so nothing rests on it.
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass
        remove_leftovers(self.path)
        prefix = "%s%s-%d-" % (_STAGING, socket.gethostname(), os.getpid())
        self.staging = tempfile.mkdtemp(prefix=prefix, dir=self.path)
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
        if self._made and os.listdir(self.path) == [_LOCK]:
            # Nothing came of it: no trace either.
            os.unlink(os.path.join(self.path, _LOCK))
            for folder in reversed(self._made):
                try:
                    os.rmdir(folder)
                except OSError:
                    break

    def folder(self, name: str) -> str:
        """A new folder in the staging area."""
        path = os.path.join(self.staging, name)
        os.makedirs(path, exist_ok=True)
        return path

    def publish(self, record: dict[str, t.Any], finished: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
        """Move the *finished* archives in and replace the index.

        :arg record: as read; changed to what is published, and written.
        :arg finished: ``subdir/file`` to its record entry, with ``staged``: where the archive stands.
        """
        for name, entry in finished.items():
            record["packages"][name] = {key: value for key, value in entry.items() if key != "staged"}
        record["request"] = None
        self._write_record(record)
        for name, entry in sorted(finished.items()):
            target = os.path.join(self.path, name)
            _make_folder(os.path.dirname(target))
            os.replace(entry["staged"], target)
        indexed = self._make_index(record)
        for name, staged in sorted(indexed.items()):
            target = os.path.join(self.path, name)
            _make_folder(os.path.dirname(target))
            os.chmod(staged, 0o644)
            os.replace(staged, target)
            for stale in _STALE:
                if os.path.lexists(os.path.join(os.path.dirname(target), stale)):
                    os.unlink(os.path.join(os.path.dirname(target), stale))
        # Before the record looks at the archives: removing a link to one changes its change time.
        shutil.rmtree(os.path.join(self.staging, "index"))
        record["index"] = {name: {"sha256": sha256_of_file(os.path.join(self.path, name))} for name in indexed}

    def conclude(self, record: dict[str, t.Any], key: str, watched: t.Mapping[str, t.Any]) -> None:
        """Write the record with the request that the channel now answers."""
        for name, entry in list(record["packages"].items()) + list(record["index"].items()):
            entry["stat"] = stat_of(os.path.join(self.path, name))
        record.update(request=key, watched=dict(watched))
        self._write_record(record)

    def _make_index(self, record: dict[str, t.Any]) -> dict[str, str]:
        """Index everything in the channel in the staging area; returns where the new files stand."""
        import rattler

        mirror = self.folder("index")
        subdirs = {"noarch"} | {name.split("/")[0] for name in archives_in(self.path)}
        for subdir in subdirs:
            os.makedirs(os.path.join(mirror, subdir), exist_ok=True)
        for name in archives_in(self.path):
            _link(os.path.join(self.path, name), os.path.join(mirror, name))
        # What the old index says of the archives that it knows stays as it is (when they were first indexed, too).
        for subdir in subdirs:
            _take_index(record, self.path, mirror, subdir + "/repodata.json")
        try:
            asyncio.run(rattler.index.index_fs(mirror, write_zst=True, write_shards=False))
        except Exception as error:
            raise UserError(
                "readable package archives in %s" % self.path,
                str(error),
                "remove what is no package from the channel's folders and run again",
            ) from None
        _check_index(mirror, subdirs, record)
        return {
            "%s/%s" % (subdir, name): os.path.join(mirror, subdir, name)
            for subdir in subdirs
            for name in INDEX_NAMES
            if os.path.exists(os.path.join(mirror, subdir, name))
        }

    def _write_record(self, record: t.Mapping[str, t.Any]) -> None:
        target = os.path.join(self.path, RECORD_NAME)
        write_atomically(target, dump_record(record))
        os.chmod(target, 0o644)


def _check_index(mirror: str, subdirs: t.Iterable[str], record: dict[str, t.Any]) -> None:
    """Compare the new index with the record, and take up what others put into the channel."""
    seen = set()
    for subdir in subdirs:
        with open(os.path.join(mirror, subdir, "repodata.json"), encoding="utf-8") as stream:
            repodata = json.load(stream)
        for section in ("packages", "packages.conda"):
            for file_name, entry in repodata.get(section, {}).items():
                name = "%s/%s" % (subdir, file_name)
                seen.add(name)
                known = record["packages"].get(name)
                if known is None:
                    record["packages"][name] = known = entry_of(subdir, file_name, entry, "found")
                if known["sha256"] != entry["sha256"]:
                    raise UserError(
                        "%s with sha256 %s" % (name, known["sha256"]),
                        entry["sha256"],
                        "delete the archive and run again",
                    )
    for name in [name for name in record["packages"] if name not in seen]:
        del record["packages"][name]


def entry_of(subdir: str, file_name: str, index: t.Mapping[str, t.Any], origin: str) -> dict[str, t.Any]:
    """The record's entry for an archive, from its line in the index."""
    return {
        "name": index["name"],
        "version": index["version"],
        "build": index["build"],
        "build_number": index["build_number"],
        "subdir": subdir,
        "file_name": file_name,
        "sha256": index["sha256"],
        "size": index["size"],
        "origin": origin,
    }


def check_folder(path: str) -> None:
    """Refuse a folder that holds something else than a channel.

    :raises UserError: nothing was written.
    """
    if not os.path.lexists(path):
        return
    remedy = "name a new or empty folder, or that of a channel"
    if not os.path.isdir(path):
        raise UserError("a folder at %s" % path, "something else", remedy)
    names = [name for name in os.listdir(path) if not name.startswith(".")]
    if (
        names
        and RECORD_NAME not in names
        and not any(os.path.isdir(os.path.join(path, name)) for name in names if name in SUBDIRS)
    ):
        raise UserError("a conda channel at %s" % path, "a folder with %s" % ", ".join(sorted(names)[:3]), remedy)


def remove_leftovers(path: str) -> None:
    """Remove staging folders of publishers that are gone; one on another host is given a day."""
    for name in os.listdir(path):
        if not name.startswith(_STAGING):
            continue
        folder = os.path.join(path, name)
        host, _dash, rest = name[len(_STAGING) :].rpartition("-")[0].rpartition("-")
        ours = host == socket.gethostname() and rest.isdigit()
        if (ours and not _runs(int(rest))) or time.time() - os.stat(folder).st_mtime > _DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _make_folder(path: str) -> list[str]:
    """Make the folder and those above it, readable by all whatever the umask is. Returns those that were made."""
    if os.path.isdir(path):
        return []
    made = _make_folder(os.path.dirname(path))
    try:
        os.mkdir(path)
    except FileExistsError:
        return made
    os.chmod(path, 0o755)
    return made + [path]


def _take_index(record: t.Mapping[str, t.Any], path: str, mirror: str, name: str) -> None:
    """Copy an index file of ours, if it is what was published."""
    source = os.path.join(path, name)
    known = record["index"].get(name)
    if known and os.path.isfile(source) and sha256_of_file(source) == known["sha256"]:
        shutil.copyfile(source, os.path.join(mirror, name))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # A file system without hard links.
        os.symlink(source, target)
