# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default engine: py-rattler, the solver and installer behind pixi. Imported in the engine's venv only.

Private to hpc.pytorch. Traps of py-rattler 0.28.0 that this file works around stand beside the lines.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import shutil
import socket
import typing as t
import urllib.parse

from .._host.errors import UserError
from .._host.files import sha256_of_file
from .._host.progress import Progress
from .access import Access, remedy_for
from .credentials import has_credentials, without_credentials
from .dependencies import unrelated_names
from .packages import Package
from .prefix import package_records
from .request import Request
from .engine import Solution

# Long enough for a large index on a slow line; a server that never answers must not hang a play.
FIRST_ANSWER_SECONDS = 300

# conda's own expansion of the name; a paid licence is needed in larger organisations, so it is never our default.
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")


class RattlerEngine:
    """See :class:`..engine.Engine`."""

    name = "rattler"
    relocates = True

    def __init__(self, package_cache: str, repodata_cache: str, progress: Progress) -> None:
        self._package_cache = package_cache
        self._repodata_cache = repodata_cache
        self._progress = progress
        self._access = Access()

    def solve(self, request: Request, prefix: t.Optional[str], latest: bool) -> Solution:
        import rattler
        from rattler.exceptions import GatewayError, SolverError

        request = self._access.admit(request)
        self._progress.report("solve", ", ".join(request.packages))
        specs = [_match_spec(spec) for spec in request.packages]
        channels = _channels(request.channels)
        records = _prefix_records(prefix) if prefix else []
        if not request.prune:
            kept = unrelated_names(_dependencies(prefix), [_name_of(spec) for spec in specs]) if prefix else []
            specs += [_match_spec(name) for name in kept]
            if latest:
                records = [record for record in records if record.name.normalized in kept]
        elif latest:
            records = []

        async def run() -> t.List[t.Any]:
            gateway = rattler.Gateway(cache_dir=pathlib.Path(self._repodata_cache), client=self._access.client())
            platforms = [rattler.Subdir.current(), rattler.Subdir("noarch")]
            first_answer = gateway.query(channels, platforms, ["pip"], recursive=False)
            pip = await asyncio.wait_for(first_answer, FIRST_ANSWER_SECONDS)
            return await rattler.solve(
                channels,
                specs,
                gateway=gateway,
                locked_packages=records,
                # Not the default: without them whatever needs __glibc cannot be solved.
                virtual_packages=_virtual_packages(request.cuda),
                channel_priority=_channel_priority(request.channel_priority),
                # As conda does; a channel without pip can still serve a Python.
                add_pip_as_python_dependency=any(pip),
            )

        try:
            solved = asyncio.run(run())
        except SolverError as error:
            reason = without_credentials(str(error)).replace("Cannot solve the request because of: ", "").strip()
            raise UserError(
                "packages in %s that satisfy %s" % (_shown(request), without_credentials(", ".join(request.packages)) or "the request"),
                reason,
                "correct the match specs or the channels; set cuda where a package needs __cuda",
                solver=reason,
            ) from error
        except (GatewayError, asyncio.TimeoutError) as error:
            raise UserError(
                "channels that answer: %s" % _shown(request),
                without_credentials(str(error)) or "no answer within %d seconds" % FIRST_ANSWER_SECONDS,
                remedy_for(str(error)),
            ) from error
        solved = [_without_credentials(record) for record in solved]
        return Solution([_package(record) for record in solved], solved)

    def read_lock(self, path: str, request: Request) -> Solution:
        import rattler

        request = self._access.admit(request)
        try:
            environment = rattler.LockFile.from_path(pathlib.Path(path)).default_environment()
            platforms = {platform.name: platform for platform in environment.platforms()} if environment else {}
            platform = platforms.get(str(rattler.Subdir.current()))
            records = environment.conda_repodata_records_for_platform(platform) if environment and platform else None
        except Exception as error:
            raise UserError("a lock file at %s" % path, str(error), "remove it to have it written anew") from error
        if records is None:
            raise UserError(
                "a lock file for %s at %s" % (rattler.Subdir.current(), path),
                "platforms %s" % (", ".join(platforms) or "none"),
                "remove it to have it written anew",
            )
        for spec in request.packages:
            match_spec = _match_spec(spec)
            if not any(match_spec.matches(record) for record in records):
                raise UserError(
                    "a lock file that satisfies %s" % spec,
                    "no such package in %s" % path,
                    "use state latest to write it anew, or correct the packages",
                )
        for record in records:
            self._access.learn(record.url.rsplit("/", 2)[0])
        records = [_without_credentials(record) for record in records]
        return Solution([_package(record) for record in records], records)

    def write_lock(self, path: str, solution: Solution, request: Request) -> None:
        import rattler

        platform = rattler.LockPlatform(str(rattler.Subdir.current()))
        lock = rattler.LockFile([platform])
        urls = [channel.base_url for channel in _channels(self._access.admit(request).channels)]
        lock.set_channels("default", [rattler.LockChannel(url) for url in urls])
        for record in solution.handle:
            lock.add_conda_package("default", platform, record)
        lock.to_path(pathlib.Path(path))

    def fetch(self, solution: Solution) -> None:
        missing = self._missing(solution.handle)
        if not missing:
            return
        # py-rattler has no call that only fills the cache, so what is missing is linked into a throwaway prefix.
        scratch = os.path.join(self._package_cache, ".hpc-pytorch-fetch.%s.%d" % (socket.gethostname(), os.getpid()))
        try:
            self._install(missing, scratch, scratch, frozenset())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def install(self, solution: Solution, target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        self._install(solution.handle, target, prefix, reinstall)

    def _install(self, records: t.List[t.Any], target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        import rattler

        missing = self._missing(records)
        for number, record in enumerate(missing, 1):
            self._progress.report("check", record.file_name, number, len(missing), record.size)
            _check_local_archive(record)
        # A damaged cache entry would be linked into the env again, so a repair reads every file of the entry.
        mode = rattler.ValidationMode.full() if reinstall else rattler.ValidationMode.fast()
        cache = rattler.PackageCache.new_layered([self._package_cache], validation_mode=mode)
        os.makedirs(self._package_cache, exist_ok=True)
        try:
            asyncio.run(
                rattler.install(
                    records,
                    # Absolute, or the shebangs are relative.
                    os.path.abspath(target),
                    package_cache=cache,
                    client=self._access.client(),
                    reinstall_packages=set(reinstall) or None,
                    show_progress=False,
                    reporter=_Reporter(self._progress),
                    alternative_target_prefix=os.path.abspath(prefix),
                )
            )
        except Exception as error:
            # rattler raises InstallerError, LinkError, TransactionError, IoError ... with one story in each.
            raise UserError(
                "packages that download, unpack and link",
                without_credentials(str(error)),
                "check the channel, the disk's space and quota, then run again",
            ) from error

    def _missing(self, records: t.List[t.Any]) -> t.List[t.Any]:
        import rattler

        async def missing() -> t.List[t.Any]:
            index = await rattler.PackageCache(self._package_cache).index()
            return [record for record in records if not index.contains_record(record)]

        return asyncio.run(missing()) if os.path.isdir(self._package_cache) else list(records)


class _Reporter:
    """Turns rattler's callbacks into progress lines; every callback's first argument is the token we returned."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 0
        self._fetched = 0
        self._linked = 0
        self._names: t.Dict[int, str] = {}

    def on_transaction_start(self, total_operations: int) -> None:
        self._total = total_operations

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        self._names[operation] = package_name
        self._progress.report("fetch", package_name, self._fetched, self._total)
        return operation

    def on_populate_cache_complete(self, operation: int) -> None:
        self._fetched += 1
        self._progress.report("fetch", self._names.get(operation, ""), self._fetched, self._total)

    def on_validate_start(self, operation: int) -> int:
        return operation

    def on_download_start(self, operation: int) -> int:
        return operation

    def on_download_progress(self, operation: int, progress: int, total: t.Optional[int]) -> None:
        name = self._names.get(operation, "")
        self._progress.report("download", name, self._fetched, self._total, progress, total)

    def on_link_start(self, operation: int, package_name: str) -> int:
        self._progress.report("link", package_name, self._linked, self._total)
        return operation

    def on_link_complete(self, operation: int) -> None:
        self._linked += 1

    def on_unlink_start(self, operation: int, package_name: str) -> int:
        self._progress.report("unlink", package_name, self._linked, self._total)
        return operation

    def __getattr__(self, name: str) -> t.Callable[..., int]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *args: 0


def _dependencies(prefix: str) -> t.Dict[str, t.Set[str]]:
    found = {}
    for meta in package_records(prefix):
        depends = meta.get("depends") or []
        found[str(meta.get("name"))] = {str(spec).split()[0].split("[")[0] for spec in depends}
    return found


def _prefix_records(prefix: str) -> t.List[t.Any]:
    import rattler

    folder = pathlib.Path(prefix, "conda-meta")
    return [rattler.PrefixRecord.from_path(path) for path in sorted(folder.glob("*.json"))]


def _match_spec(spec: str) -> t.Any:
    import rattler
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return rattler.MatchSpec(spec)
    except InvalidMatchSpecError as error:
        raise UserError(
            "a match spec such as 'numpy', 'python=3.11' or 'pytorch>=2.5,<3'",
            "%r: %s" % (without_credentials(spec), without_credentials(str(error))),
            "correct packages",
        ) from error


def _name_of(match_spec: t.Any) -> str:
    return str(match_spec.name.normalized)


def _channels(channels: t.Iterable[str]) -> t.List[t.Any]:
    import rattler

    found = []
    for channel in channels:
        for name in _DEFAULTS if channel == "defaults" else (os.path.expanduser(channel),):
            try:
                found.append(rattler.Channel(name))
            except Exception as error:
                raise UserError(
                    "a channel's name, URL or absolute path",
                    without_credentials("%s: %s" % (channel, error)),
                    "correct the channels",
                ) from error
    return found


def _channel_priority(name: str) -> t.Any:
    import rattler

    # rattler knows no "flexible"; strict is what conda-forge asks its users for.
    return rattler.ChannelPriority.Disabled if name == "disabled" else rattler.ChannelPriority.Strict


def _virtual_packages(cuda: t.Optional[str]) -> t.List[t.Any]:
    import rattler
    from rattler.virtual_package import Override

    overrides = rattler.VirtualPackageOverrides.from_env()
    if cuda:
        overrides.cuda = Override.string("" if cuda == "none" else cuda)
    return rattler.VirtualPackage.detect(overrides)


def _package(record: t.Any) -> Package:
    return Package(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        channel=without_credentials(record.channel or ""),
        url=without_credentials(record.url),
    )


def _without_credentials(record: t.Any) -> t.Any:
    """What another tool installed or locked may hold them."""
    import rattler

    if not has_credentials("%s %s" % (record.url, record.channel)):
        return record
    return rattler.RepoDataRecord(
        record,
        record.file_name,
        without_credentials(record.url),
        without_credentials(record.channel or ""),
    )


def _check_local_archive(record: t.Any) -> None:
    # rattler checks what it downloads, but not what it reads from a folder.
    if not record.url.startswith("file://"):
        return
    path = urllib.parse.unquote(urllib.parse.urlsplit(record.url).path)
    wanted = record.sha256.hex() if record.sha256 else None
    try:
        found = sha256_of_file(path)
    except OSError as error:
        raise UserError("the package %s" % path, str(error), "publish the channel again") from error
    if wanted and found != wanted:
        raise UserError(
            "sha256 %s of %s, as the channel's index says" % (wanted, path),
            "sha256 %s" % found,
            "the file was changed after the channel was indexed: publish the channel again",
        )


def _shown(request: Request) -> str:
    return ", ".join(without_credentials(channel) for channel in request.channels)
