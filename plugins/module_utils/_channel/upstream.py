# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies packages of other channels. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pathlib
import typing as t
import urllib.parse
import urllib.request

from ansible.module_utils.urls import ConnectionError as UrlError
from ansible.module_utils.urls import open_url

from .._conda.credentials import without_credentials
from .._host.errors import UserError
from .._host.progress import Progress
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
    sha256: t.Optional[str]
    md5: t.Optional[str]
    size: t.Optional[int]


def choose_packages(
    channels: t.Sequence[str], specs: t.Sequence[str], with_dependencies: bool, cache: str, progress: Progress
) -> t.List[Source]:
    """The packages that *specs* mean: one consistent set with all dependencies, or the best of each alone.

    :raises UserError: a spec that nothing matches, no consistent set, or a channel that cannot be read.
    """
    import rattler
    from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError

    progress.report("solve", ", ".join(specs))
    shown = ", ".join(without_credentials(channel) for channel in channels)

    async def run() -> t.List[t.Any]:
        sources = [rattler.Channel(_channel_url(channel)) for channel in channels]
        gateway = rattler.Gateway(cache_dir=pathlib.Path(cache))
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
            # The first channel that has the name at all, as a strict priority would have it.
            records = next((list(part) for part in found if part), [])
            matching = [record for record in records if wanted.matches(record)]
            if not matching:
                raise UserError("a package for %s in %s" % (spec, shown), "none", "correct packages or upstream")
            best.append(max(matching, key=lambda record: (record.version, record.build_number, str(record.timestamp))))
        return best

    try:
        records = asyncio.run(run())
    except InvalidMatchSpecError as error:
        raise UserError("match specs in packages: %s" % ", ".join(specs), str(error), "correct packages") from None
    except SolverError as error:
        reason = without_credentials(str(error))
        raise UserError("packages in %s that satisfy %s" % (shown, ", ".join(specs)), reason, "correct packages or upstream") from None
    except (GatewayError, OSError) as error:
        reason = without_credentials(_chain(error))
        raise UserError("readable channels: %s" % shown, reason, "check the address, and that the channel is indexed") from None
    return sorted((_source(record) for record in records), key=lambda source: source.file_name)


def copy_package(source: Source, target: str, progress: Progress) -> str:
    """Copy the archive to *target*, checking its digest while it arrives. Returns its sha256.

    :raises UserError: it cannot be read, or it is not what its channel's index says.
    """
    shown = without_credentials(source.url)
    sha256, md5 = hashlib.sha256(), hashlib.new("md5", usedforsecurity=False)
    size = 0
    try:
        with _open(source.url) as stream, open(target, "xb") as output:
            for block in iter(lambda: stream.read(1 << 20), b""):
                sha256.update(block)
                md5.update(block)
                output.write(block)
                size += len(block)
                progress.report("copy", source.file_name, bytes_done=size, bytes_total=source.size)
            output.flush()
            os.fchmod(output.fileno(), 0o644)
            os.fsync(output.fileno())
    except (OSError, ValueError, UrlError) as error:
        raise UserError("the package %s" % shown, str(error), "check that the upstream channel serves it, and run again") from None
    wrong = (source.sha256 and sha256.hexdigest() != source.sha256) or (
        not source.sha256 and source.md5 and md5.hexdigest() != source.md5
    )
    if wrong or not (source.sha256 or source.md5):
        raise UserError(
            "%s with %s" % (shown, "sha256 " + source.sha256 if source.sha256 else "md5 %s" % source.md5),
            "sha256 %s" % sha256.hexdigest(),
            "the upstream archive is not what its index says: have it repaired, or take another channel",
        )
    return sha256.hexdigest()


def _open(url: str) -> t.Any:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file":
        return open(urllib.request.url2pathname(parts.path), "rb")
    # It takes user and password out of the address, and asks netrc where there are none.
    return open_url(url, timeout=60, force_basic_auth=parts.username is not None)


def _channel_url(channel: str) -> str:
    return pathlib.Path(channel).as_uri() if os.path.isabs(channel) else channel


def _source(record: t.Any) -> Source:
    file_name = record.file_name
    if "/" in file_name or not file_name.endswith(SUFFIXES) or not file_name.isprintable() or file_name.startswith("."):
        raise UserError("a package archive's name", repr(file_name), "have the upstream channel repaired")
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


def _chain(error: t.Optional[BaseException]) -> str:
    parts: t.List[str] = []
    while error is not None:
        text = str(error)
        if text and text not in parts:
            parts.append(text)
        error = error.__cause__
    return ": ".join(parts)
