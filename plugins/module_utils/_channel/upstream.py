# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chooses and copies packages of other channels. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pathlib
import typing as t
import urllib.parse
import urllib.request

from .._common.errors import UserError
from .._common.redact import without_credentials
from .._conda.engines.rattler.access import Access, remedy_for
from .._files.progress import Progress
from .record import SUFFIXES


class Source(t.NamedTuple):
    """A package of an upstream channel."""

    name: str
    version: str
    build: str
    build_number: int
    subdir: str
    file_name: str
    url: str
    sha256: str | None
    md5: str | None
    size: int | None


class Upstream:
    """The channels to copy from, in the order of their priority.

    :arg channels: paths or addresses. Credentials in them are sent to their servers, and used for nothing else.
    """

    def __init__(self, channels: t.Sequence[str], progress: Progress) -> None:
        self._progress = progress
        access = Access()
        for channel in channels:
            access.learn(channel)
        # One client for all packages, since it keeps its connections.
        self._client = access.client()
        self._channels = [without_credentials(channel) for channel in channels]

    def choose(self, specs: t.Sequence[str], with_dependencies: bool, cache: str) -> list[Source]:
        """The packages for *specs*: one consistent set with all dependencies, or only the best match of each.

        :arg cache: a folder for the channels' indexes.
        :raises UserError: nothing matches a spec, there is no consistent set, or a channel cannot be read.
        """
        import rattler
        from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError

        self._progress.report("solve", ", ".join(specs))
        shown = ", ".join(self._channels)

        async def run() -> list[t.Any]:
            sources = [rattler.Channel(_channel_url(channel)) for channel in self._channels]
            gateway = rattler.Gateway(cache_dir=pathlib.Path(cache), client=self._client)
            platforms = [rattler.Subdir.current(), rattler.Subdir("noarch")]
            if with_dependencies:
                overrides = rattler.VirtualPackageOverrides.from_env()
                return await rattler.solve(
                    sources,
                    [rattler.MatchSpec(spec) for spec in specs],
                    gateway=gateway,
                    platforms=platforms,
                    virtual_packages=rattler.VirtualPackage.detect(overrides=overrides),
                )
            best = []
            for spec in specs:
                wanted = rattler.MatchSpec(spec)
                found = await gateway.query(sources, platforms, [wanted], recursive=False)
                # The first channel that has the name, as with a strict priority.
                records = next((list(part) for part in found if part), [])
                matching = [record for record in records if wanted.matches(record)]
                if not matching:
                    raise UserError("a package for %s in %s" % (spec, shown), "none", "correct packages or upstream")
                best.append(
                    max(matching, key=lambda record: (record.version, record.build_number, str(record.timestamp)))
                )
            return best

        try:
            records = asyncio.run(run())
        except InvalidMatchSpecError as error:
            raise UserError(
                "packages to be match specs", "%s: %s" % (", ".join(specs), error), "correct them"
            ) from None
        except SolverError as error:
            raise UserError(
                "a set of packages in %s that satisfies %s" % (shown, ", ".join(specs)),
                str(error),
                "correct packages or upstream",
            ) from None
        except (GatewayError, OSError) as error:
            reason = without_credentials(_chain(error))
            raise UserError("upstream to be readable channels (%s)" % shown, reason, remedy_for(reason)) from None
        return sorted((_source(record) for record in records), key=lambda source: source.file_name)

    def copy(self, source: Source, target: str) -> str:
        """Copy the archive to *target* and check its digest. Returns its sha256.

        :raises UserError: the archive cannot be read, or differs from its channel's index.
        """
        try:
            with open(target, "xb") as output:
                arriving = _Arriving(source, output, self._progress)
                self._read(source.url, arriving)
                output.flush()
                os.fchmod(output.fileno(), 0o644)
                os.fsync(output.fileno())
        # rattler reports errors of the server and the network as RuntimeError.
        except (OSError, RuntimeError) as error:
            reason = without_credentials(_chain(error))
            raise UserError("the package %s to be readable" % source.url, reason, remedy_for(reason)) from None
        arriving.check()
        return arriving.sha256.hexdigest()

    def _read(self, url: str, arriving: _Arriving) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "file":
            with open(urllib.request.url2pathname(parts.path), "rb") as stream:
                for block in iter(lambda: stream.read(1 << 20), b""):
                    arriving.write(block)
            return
        from rattler.package_streaming import download_to_writer

        asyncio.run(download_to_writer(self._client, url, arriving))


class _Arriving:
    """Writes the bytes of an archive to its file, and computes its digests."""

    def __init__(self, source: Source, output: t.BinaryIO, progress: Progress) -> None:
        self.sha256 = hashlib.sha256()
        self._md5 = hashlib.new("md5", usedforsecurity=False)
        self._source, self._output, self._progress = source, output, progress
        self._size = 0

    def write(self, block: bytes) -> int:
        """Write one block, as a file does."""
        self.sha256.update(block)
        self._md5.update(block)
        self._output.write(block)
        self._size += len(block)
        self._progress.report("copy", self._source.file_name, bytes_done=self._size, bytes_total=self._source.size)
        return len(block)

    def check(self) -> None:
        """Compare the digests with the channel's index.

        :raises UserError: they differ.
        """
        source, sha256 = self._source, self.sha256.hexdigest()
        if sha256 == source.sha256 or (not source.sha256 and source.md5 == self._md5.hexdigest()):
            return
        raise UserError(
            "a package %s with %s"
            % (source.url, "sha256 " + source.sha256 if source.sha256 else "md5 %s" % source.md5),
            "sha256 %s" % sha256,
            "have the upstream channel repaired (the archive is not what its index says), or use another one",
        )


def _channel_url(channel: str) -> str:
    return pathlib.Path(channel).as_uri() if os.path.isabs(channel) else channel


def _source(record: t.Any) -> Source:
    file_name = record.file_name
    if "/" in file_name or not file_name.endswith(SUFFIXES) or not file_name.isprintable() or file_name.startswith("."):
        raise UserError("a name of a package archive", repr(file_name), "have the upstream channel repaired")
    return Source(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        build_number=record.build_number,
        subdir=record.subdir,
        file_name=file_name,
        url=str(record.url),
        sha256=record.sha256.hex() if record.sha256 else None,
        md5=record.md5.hex() if record.md5 else None,
        size=record.size,
    )


def _chain(error: BaseException | None) -> str:
    """The messages of the error and its causes, each once."""
    parts: list[str] = []
    while error is not None:
        text = str(error)
        if text and text not in parts:
            parts.append(text)
        error = error.__cause__
    return ": ".join(parts)
