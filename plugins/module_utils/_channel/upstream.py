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

from .._common.errors import UserError
from .._common.redact import without_credentials
from .._conda.engines.rattler.access import Access, remedy_for
from .._conda.engines.rattler.checked_cache import identity_of
from .._conda.engines.rattler.objects import described
from .._conda.engines.rattler.panic import chain_of, require_no_panic
from .._conda.package.described import LARGEST_ARCHIVE, Described, require_hash, require_sound
from .._conda.package.info import contents_of
from .._conda.package.judge import require_inside
from .._conda.package.unpack import unpack
from .._files.progress import Progress
from .._source.parse import local_path
from .._source.trusted import has_local, require_trusted_packages


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

    def choose(self, specs: t.Sequence[str], with_dependencies: bool, cache: str) -> list[Described]:
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
            reason = without_credentials(chain_of(error))
            raise UserError("upstream to be readable channels (%s)" % shown, reason, remedy_for(reason)) from None
        except BaseException as error:
            require_no_panic(error, "upstream to be channels with a valid index (%s)" % shown)
            raise
        # The index of a channel may name any address.
        require_trusted_packages([str(record.url) for record in records], has_local(self._channels, specs))
        return sorted((_sound(record) for record in records), key=lambda source: source.file_name)

    def copy(self, source: Described, target: str) -> str:
        """Copy the archive to *target* and check its digest. Returns its sha256.

        :raises UserError: the archive cannot be read, or differs from its channel's index.
        """
        arriving: _Arriving | None = None
        try:
            with open(target, "xb") as output:
                arriving = _Arriving(source, output, self._progress)
                self._read(source.url, arriving)
                output.flush()
                os.fchmod(output.fileno(), 0o644)
                os.fsync(output.fileno())
        # rattler reports errors of the server and the network as RuntimeError.
        except (OSError, RuntimeError) as error:
            if arriving is not None and isinstance(arriving.error, UserError):
                raise arriving.error from None
            reason = without_credentials(chain_of(error))
            raise UserError("the package %s to be readable" % source.url, reason, remedy_for(reason)) from None
        digest = arriving.check()
        require_harmless(source, target)
        return digest

    def _read(self, url: str, arriving: _Arriving) -> None:
        path = local_path(url)
        if path is not None:
            with open(path, "rb") as stream:
                for block in iter(lambda: stream.read(1 << 20), b""):
                    arriving.write(block)
            return
        from rattler.package_streaming import download_to_writer

        asyncio.run(download_to_writer(self._client, url, arriving))


class _Arriving:
    """Writes the bytes of an archive to its file, and computes its digest."""

    def __init__(self, source: Described, output: t.BinaryIO, progress: Progress) -> None:
        # What made this writer refuse. rattler passes on only its text.
        self.error: Exception | None = None
        self._sha256 = hashlib.sha256()
        self._source, self._output, self._progress = source, output, progress
        self._size = 0

    def write(self, block: bytes) -> int:
        """Write one block, as a file does.

        :raises UserError: there is more than the channel's index says.
        """
        try:
            self._size += len(block)
            if self._size > (LARGEST_ARCHIVE if self._source.size is None else self._source.size):
                raise self._unlike("more than %s bytes" % self._source.size)
            self._sha256.update(block)
            self._output.write(block)
        except (OSError, UserError) as error:
            self.error = error
            raise
        self._progress.report("copy", self._source.file_name, bytes_done=self._size, bytes_total=self._source.size)
        return len(block)

    def check(self) -> str:
        """Compare the digest with the channel's index, and return it.

        :raises UserError: they differ.
        """
        found = self._sha256.hexdigest()
        if self._source.sha256 and found != self._source.sha256:
            raise self._unlike("sha256 %s" % found)
        return found

    def _unlike(self, found: str) -> UserError:
        source = self._source
        wanted = "sha256 " + source.sha256 if source.sha256 else "%s bytes" % source.size
        return UserError(
            "a package %s with %s" % (source.shown, wanted),
            found,
            "have the upstream channel repaired (the archive is not what its index says), or use another one",
        )


def require_harmless(package: Described, archive: str) -> None:
    """Refuse an archive that nobody should install, by the rule that conda_env has.

    :raises UserError: its files would leave the environment, or it cannot be read.
    """
    identity = identity_of(package)
    unpacked = unpack(archive, None, identity.label, package.shown)
    require_inside([contents_of(identity, unpacked).placed(identity)])


def _channel_url(channel: str) -> str:
    return pathlib.Path(channel).as_uri() if os.path.isabs(channel) else channel


def _sound(record: t.Any) -> Described:
    """The package that the record describes, judged: it decides what is written where in the channel."""
    package = described(record)
    require_sound(package)
    require_hash(package)
    return package
