# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves finished archives into a channel so that readers see the old index or the new one. Private to hpc.pytorch.

It runs in the engine's venv, in this order: make and verify the archives in a staging folder, write their digests to
the record, move each archive by one rename, make the index of all archives and move each of its files by one rename,
write the request's key to the record. If it is killed, the channel has a valid index and the next run finishes the
work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import time
import typing as t

from .._common.disk import is_on_network
from .._common.errors import UserError
from .._files.files import sha256_of_file, write_atomically
from .._files.leftovers import is_abandoned, owner_tag
from .._files.locks import file_lock
from .._files.progress import Progress
from .record import INDEX_NAMES, RECORD_NAME, SUBDIRS, archives_in, dump_record, stat_of

_STAGING = ".staging-"
_LOCK = ".lock"
# Indexes that other tools made of the same packages, which would be out of date.
_STALE = ("current_repodata.json", "current_repodata.json.zst", "repodata.json.bz2", "repodata_shards.msgpack.zst")
_DAY = 86400


class Channel:
    """A channel's folder while this process publishes to it. Use as a context manager."""

    def __init__(self, path: str, progress: Progress) -> None:
        self.path = path
        self.staging = ""
        self._progress = progress
        self._lock = contextlib.ExitStack()
        self._made: list[str] = []

    def __enter__(self) -> Channel:
        self._made = _make_folder(self.path)
        # The lock only avoids double work: each publisher has a staging folder of its own.
        lock = self._lock.enter_context(file_lock(os.path.join(self.path, _LOCK), self._progress, self.path, 0o644))
        remove_leftovers(self.path, alone=lock.held and not is_on_network(self.path))
        self.staging = tempfile.mkdtemp(prefix="%s%s-" % (_STAGING, owner_tag()), dir=self.path)
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        self._lock.close()
        if self._made and os.listdir(self.path) == [_LOCK]:
            # Nothing was published: remove what this run created.
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

        :arg record: as read; it is changed to what is published, and written.
        :arg finished: ``subdir/file`` to its record entry, which has the archive's path as ``staged``.
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
        # Before the times of the archives are recorded: removing a link to one changes its change time.
        shutil.rmtree(os.path.join(self.staging, "index"))
        record["index"] = {name: {"sha256": sha256_of_file(os.path.join(self.path, name))} for name in indexed}

    def conclude(self, record: dict[str, t.Any], key: str, watched: t.Mapping[str, t.Any]) -> None:
        """Write the record with the key of the request that the channel now fulfils."""
        for name, entry in list(record["packages"].items()) + list(record["index"].items()):
            entry["stat"] = stat_of(os.path.join(self.path, name))
        record.update(request=key, watched=dict(watched))
        self._write_record(record)

    def _make_index(self, record: dict[str, t.Any]) -> dict[str, str]:
        """Index everything in the channel in the staging area. Returns the paths of the new files."""
        import rattler

        mirror = self.folder("index")
        subdirs = {"noarch"} | {name.split("/")[0] for name in archives_in(self.path)}
        for subdir in subdirs:
            os.makedirs(os.path.join(mirror, subdir), exist_ok=True)
        for name in archives_in(self.path):
            _link(os.path.join(self.path, name), os.path.join(mirror, name))
        # Known archives keep their lines of the old index, with the time when they were first indexed.
        for subdir in subdirs:
            _take_index(record, self.path, mirror, subdir + "/repodata.json")
        try:
            asyncio.run(rattler.index.index_fs(pathlib.Path(mirror), write_zst=True, write_shards=False))
        except Exception as error:
            raise UserError(
                "a folder of readable package archives at %s" % self.path,
                str(error),
                "remove files that are not packages from the channel's folders and run again",
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
    """Compare the new index with the record, and add the archives that others put into the channel."""
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
                        "an archive %s with sha256 %s" % (name, known["sha256"]),
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
    """Refuse a folder that contains something other than a channel.

    :raises UserError: before anything is written.
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


def remove_leftovers(path: str, alone: bool = False) -> None:
    """Remove staging folders of publishers that have ended. On another host that is assumed after a day.

    :arg alone: nobody else can be publishing: this process holds the lock, and no other machine writes there.
    """
    for name in os.listdir(path):
        if not name.startswith(_STAGING):
            continue
        folder = os.path.join(path, name)
        tag = name[len(_STAGING) :].rpartition("-")[0]
        if alone or is_abandoned(tag) or time.time() - os.stat(folder).st_mtime > _DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _make_folder(path: str) -> list[str]:
    """Make the folder and its parents, readable by all users whatever the umask is. Returns the new ones."""
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
    """Copy an index file if it is the one that was published."""
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
