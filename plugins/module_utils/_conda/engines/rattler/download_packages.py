# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads, unpacks and checks packages, so that rattler only has to link them. Private to hpc.pytorch."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
import typing as t

from ...._common.errors import UserError
from ...._files.files import sha256_of_file
from ...._files.leftovers import new_folder
from ...._files.locks import hold
from ...._files.progress import Progress
from ...._source.parse import local_path
from ...package.described import LARGEST_ARCHIVE, SUFFIXES, Described, require_hash
from ...package.unpack import unpack
from .cache import cache_lock, scratch_prefix
from .checked_cache import Store, identity_of

_AT_ONCE = 8
_ATTEMPTS = 3


class Fetcher:
    """Brings packages into the cache.

    :arg client: makes rattler's client, which has the credentials.
    :arg silence: for how many seconds a download may receive nothing.
    """

    def __init__(self, store: Store, client: t.Callable[[], t.Any], progress: Progress, silence: float) -> None:
        self._store, self._client, self._progress, self._silence = store, client, progress, silence
        self._done, self._total = 0, 0
        # For each download that has not ended: when its last byte arrived.
        self._last_byte: dict[str, float] = {}

    def ensure(self, packages: t.Sequence[Described], again: t.AbstractSet[str] = frozenset()) -> None:
        """Make the cache hold all *packages*, checked.

        :arg again: names of packages whose files are read to find damage.
        :raises UserError: a package must not be installed, cannot be fetched, or is not what its channel's index says.
        :raises OSError: the disk is full, or the like.
        """
        if not self._missing(packages, again):
            return
        scratch = scratch_prefix(self._store.folder)
        with cache_lock(self._store.folder) as lock:
            if lock is not None:
                hold(lock, lambda: self._progress.report("wait for", "another run at %s" % self._store.folder))
            # Another run may have fetched them while this one waited.
            missing = self._missing(packages, again)
            for package in missing:
                require_hash(package)
            with new_folder(scratch, 0o700):
                try:
                    asyncio.run(self._fetch_all(missing, scratch))
                finally:
                    shutil.rmtree(scratch, ignore_errors=True)

    def _missing(self, packages: t.Sequence[Described], again: t.AbstractSet[str]) -> list[Described]:
        missing = []
        for package in packages:
            contents = self._store.contents(package)
            if contents is None or (package.name in again and self._store.is_damaged(package, contents)):
                missing.append(package)
        return missing

    async def _fetch_all(self, packages: t.Sequence[Described], scratch: str) -> None:
        self._done, self._total = 0, len(packages)
        client = self._client()
        # One gate for the network, one for the processors: unpacking waits for nothing else.
        network, processors = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(min(4, os.cpu_count() or 1))
        tasks = [
            asyncio.ensure_future(self._fetch(package, os.path.join(scratch, str(number)), client, network, processors))
            for number, package in enumerate(packages)
        ]
        try:
            pending = set(tasks)
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=self._silence / 10, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
                self._require_arrivals()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _require_arrivals(self) -> None:
        now = time.monotonic()
        silent = [name for name, last in list(self._last_byte.items()) if now - last > self._silence]
        if silent:
            raise UserError(
                "a channel that sends the package %s" % silent[0],
                "nothing arrived for %d seconds" % self._silence,
                "check the channel's server and the network, then run again",
            )

    async def _fetch(
        self,
        package: Described,
        place: str,
        client: t.Any,
        network: asyncio.Semaphore,
        processors: asyncio.Semaphore,
    ) -> None:
        os.mkdir(place)
        archive = local_path(package.url)
        sha256 = None
        if archive is None:
            async with network:
                archive, sha256 = await self._download(package, place, client)
        async with processors:
            await asyncio.get_running_loop().run_in_executor(None, self._unpack, package, place, archive, sha256)
        self._done += 1
        self._progress.report("fetch", package.name, self._done, self._total)

    async def _download(self, package: Described, place: str, client: t.Any) -> tuple[str, str]:
        """Download the archive. Returns its path and sha256."""
        from rattler.package_streaming import download_to_writer

        ending = next(suffix for suffix in SUFFIXES if package.file_name.endswith(suffix))
        archive = os.path.join(place, "archive" + ending)
        for attempt in range(1, _ATTEMPTS + 1):
            self._last_byte[package.name] = time.monotonic()
            with open(archive, "wb") as output:
                arriving = _Arriving(package, output, self._arrived)
                try:
                    await download_to_writer(client, package.url, arriving)
                except Exception:
                    if arriving.error is not None:
                        raise arriving.error from None
                    if attempt == _ATTEMPTS:
                        raise
                    continue
                finally:
                    self._last_byte.pop(package.name, None)
            return archive, arriving.sha256.hexdigest()
        raise AssertionError("unreachable")

    def _arrived(self, package: Described, size: int) -> None:
        self._last_byte[package.name] = time.monotonic()
        self._progress.report("download", package.name, self._done, self._total, size, package.size)

    def _unpack(self, package: Described, place: str, archive: str, sha256: str | None) -> None:
        """Check, unpack, check what was unpacked, and move it to its place. Runs in a thread."""
        if sha256 is None:
            self._progress.report("check", package.file_name, self._done, self._total, package.size)
            sha256 = _sha256_of_local(archive)
        if package.sha256 and sha256 != package.sha256:
            raise UserError(
                "a package %s with sha256 %s, as in the channel's index" % (package.shown, package.sha256),
                "sha256 %s" % sha256,
                "publish the channel again: the file was changed after the channel was indexed",
            )
        folder = os.path.join(place, "unpacked")
        unpacked = unpack(archive, folder, identity_of(package).label, package.shown)
        if archive.startswith(place + os.sep):
            # Its space may be needed.
            os.unlink(archive)
        self._store.check(package, unpacked, folder, sha256)
        self._store.place(package, folder, place)


class _Arriving:
    """Writes the bytes of an archive to its file, and computes the digest."""

    def __init__(self, package: Described, output: t.BinaryIO, arrived: t.Callable[[Described, int], None]) -> None:
        self.sha256 = hashlib.sha256()
        # What made this writer refuse. rattler passes on only its text.
        self.error: Exception | None = None
        self._package, self._output, self._arrived = package, output, arrived
        self._size = 0

    def write(self, block: bytes) -> int:
        """Write one block, as a file does."""
        try:
            self._size += len(block)
            if self._size > (LARGEST_ARCHIVE if self._package.size is None else self._package.size):
                raise UserError(
                    "a package %s of %s bytes, as in the channel's index" % (self._package.shown, self._package.size),
                    "more than that",
                    "have the channel repaired, or use another one",
                )
            self.sha256.update(block)
            self._output.write(block)
        except (OSError, UserError) as error:
            self.error = error
            raise
        self._arrived(self._package, self._size)
        return len(block)


def _sha256_of_local(path: str) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise UserError("a package at %s" % path, str(error), "publish the channel again") from error
