# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default engine: py-rattler, the solver and installer behind pixi. Imported in the engine's venv only.

Private to hpc.pytorch. Comments name the traps of py-rattler 0.28.0 that this file works around.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pathlib
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials
from ...._files.progress import Progress
from ...env.dependencies import needed_by_name, unrelated_names
from ...env.records import package_records
from ...package.described import require_hash, require_sound
from ...package.info import site_packages_of
from ...package.judge import require_inside
from ..base import Solution, SolveRequest
from . import objects
from .access import Access, remedy_for
from .cache import close_to_others, is_busy, is_shared, make_own_folder, remove_abandoned
from .checked_cache import Store, identity_of, link_in
from .download_packages import Fetcher
from .panic import chain_of, require_no_panic
from .reporter import Reporter

# Long enough for a large index on a slow line. A server that never answers must not make a play hang.
FIRST_ANSWER_SECONDS = 300
# A download may take any time while data arrives.
SILENCE_SECONDS = 300


class RattlerEngine:
    """See :class:`..base.Engine`."""

    name = "rattler"
    relocates = True

    def __init__(self, package_cache: str, repodata_cache: str, progress: Progress, own_cache: str) -> None:
        """
        :arg own_cache: the cache that serves if other users can change what is in *package_cache*.
        """
        self._package_cache = package_cache
        self._own_cache = own_cache
        self._repodata_cache = repodata_cache
        self._progress = progress
        self._access = Access()
        self.warnings: list[str] = []

    def solve(self, request: SolveRequest, prefix: str | None, latest: bool) -> Solution:
        import rattler
        from rattler.exceptions import GatewayError, SolverError

        request = self._access.admit(request)
        self._progress.report("solve", ", ".join(request.packages))
        specs = [objects.match_spec(spec) for spec in request.packages]
        channels = objects.channels_of(request.channels)
        records = objects.prefix_records(prefix) if prefix else []
        if not request.prune:
            needed = needed_by_name(package_records(prefix)) if prefix else {}
            kept = unrelated_names(needed, [objects.name_of(spec) for spec in specs])
            specs += [objects.match_spec(name) for name in kept]
            if latest:
                records = [record for record in records if record.name.normalized in kept]
        elif latest:
            records = []

        async def run() -> list[t.Any]:
            gateway = rattler.Gateway(cache_dir=pathlib.Path(self._repodata_cache), client=self._access.client())
            platforms = [rattler.Subdir.current(), rattler.Subdir("noarch")]
            first_answer = gateway.query(channels, platforms, ["pip"], recursive=False)
            pip = await asyncio.wait_for(first_answer, FIRST_ANSWER_SECONDS)
            return await rattler.solve(
                channels,
                specs,
                gateway=gateway,
                locked_packages=records,
                # Not the default. Without them a package that needs __glibc cannot be solved.
                virtual_packages=objects.virtual_packages(request.cuda),
                channel_priority=objects.channel_priority(request.channel_priority),
                # As conda does. A channel without pip can still provide Python.
                add_pip_as_python_dependency=any(pip),
            )

        try:
            solved = asyncio.run(run())
        except SolverError as error:
            reason = without_credentials(str(error)).replace("Cannot solve the request because of: ", "").strip()
            raise UserError(
                "packages in %s that satisfy %s" % (request.shown_channels, request.shown_packages or "the request"),
                reason,
                "correct the match specs or the channels; set cuda where a package needs __cuda",
                solver=reason,
            ) from error
        except (GatewayError, asyncio.TimeoutError) as error:
            raise UserError(
                "channels that answer: %s" % request.shown_channels,
                without_credentials(str(error)) or "no answer within %d seconds" % FIRST_ANSWER_SECONDS,
                remedy_for(str(error)),
            ) from error
        except BaseException as error:
            require_no_panic(error, "channels with a valid index: %s" % request.shown_channels)
            raise
        solved = [objects.record_without_credentials(record) for record in solved]
        for record in solved:
            require_sound(objects.described(record))
        return Solution([objects.package_of(record) for record in solved], solved)

    def read_lock(self, path: str, request: SolveRequest) -> Solution:
        import rattler

        request = self._access.admit(request)
        try:
            environment = rattler.LockFile.from_path(pathlib.Path(path)).default_environment()
            platforms = {platform.name: platform for platform in environment.platforms()} if environment else {}
            platform = platforms.get(str(rattler.Subdir.current()))
            records = environment.conda_repodata_records_for_platform(platform) if environment and platform else None
        except Exception as error:
            raise UserError("a lock file at %s" % path, str(error), "remove it to have it written again") from error
        except BaseException as error:
            require_no_panic(error, "a lock file at %s" % path)
            raise
        if records is None:
            raise UserError(
                "a lock file for %s at %s" % (rattler.Subdir.current(), path),
                "platforms %s" % (", ".join(platforms) or "none"),
                "remove it to have it written again",
            )
        for spec in request.packages:
            wanted = objects.match_spec(spec)
            if not any(wanted.matches(record) for record in records):
                raise UserError(
                    "a lock file that satisfies %s" % spec,
                    "no such package in %s" % path,
                    "use state latest to write it again, or correct the packages",
                )
        for record in records:
            self._access.learn(record.url.rsplit("/", 2)[0])
        records = [objects.record_without_credentials(record) for record in records]
        for record in records:
            package = objects.described(record)
            require_sound(package)
            require_hash(package)
        return Solution([objects.package_of(record) for record in records], records)

    def write_lock(self, path: str, solution: Solution, request: SolveRequest) -> None:
        import rattler

        platform = rattler.LockPlatform(str(rattler.Subdir.current()))
        lock = rattler.LockFile([platform])
        urls = [channel.base_url for channel in objects.channels_of(self._access.admit(request).channels)]
        lock.set_channels("default", [rattler.LockChannel(url) for url in urls])
        for record in solution.handle:
            lock.add_conda_package("default", platform, record)
        lock.to_path(pathlib.Path(path))

    def fetch(self, solution: Solution) -> None:
        self._checked(solution.handle, "", frozenset())

    def install(self, solution: Solution, target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        self._checked(solution.handle, target, reinstall)
        self._link(solution.handle, target, prefix, reinstall)

    def _checked(self, records: list[t.Any], target: str, again: t.AbstractSet[str]) -> None:
        """Have every package in the cache, and know where each of its files would go.

        :arg target: the folder that they will be linked into, or empty.
        :raises UserError: one of them must not be installed.
        """
        packages = [objects.described(record) for record in records]
        for package in packages:
            require_sound(package)
        self._prepare_cache()
        store = Store(self._package_cache)
        try:
            Fetcher(store, self._access.client, self._progress, SILENCE_SECONDS).ensure(packages, again)
        except UserError:
            raise
        except Exception as error:
            # rattler reports errors of the server and the network as RuntimeError.
            cause = without_credentials(_cause(chain_of(error)))
            raise UserError(
                "packages that download and unpack", cause, self._remedy(cause, target or self._package_cache)
            ) from error
        python = next((package for package in packages if package.name == "python"), None)
        site_packages = site_packages_of(python.version, python.site_packages) if python else None
        placed = []
        for package in packages:
            contents = store.contents(package)
            if contents is None:
                raise UserError(
                    "a checked package %s in the package cache %s" % (package.file_name, self._package_cache),
                    "none, or one that another user can change",
                    "run again, or set package_cache to a folder that only this user can write",
                )
            placed.append(contents.placed(identity_of(package, site_packages)))
        require_inside(placed, target, lambda path: link_in(target, path) if target else None, True)

    def _link(self, records: list[t.Any], target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        import rattler

        # The cache was read just now, and a damaged package was replaced.
        cache = rattler.PackageCache.new_layered([self._package_cache], validation_mode=rattler.ValidationMode.fast())
        if is_busy(self._package_cache):
            self._progress.report("wait for", "another run that is at work in %s" % self._package_cache)
        reporter = Reporter(self._progress)

        async def run() -> None:
            await rattler.install(
                records,
                # With a relative path the shebangs would be relative.
                os.path.abspath(target),
                package_cache=cache,
                client=self._access.client(),
                reinstall_packages=set(reinstall) or None,
                execute_link_scripts=False,
                show_progress=False,
                # rattler calls the methods that an object has; its base class would have to be imported here.
                reporter=t.cast(t.Any, reporter),
                alternative_target_prefix=os.path.abspath(prefix),
            )

        try:
            asyncio.run(run())
        except Exception as error:
            # rattler raises InstallerError, LinkError, TransactionError, IoError ... each with a chain of causes.
            cause = without_credentials(_cause(str(error)))
            raise UserError("packages that download, unpack and link", cause, self._remedy(cause, prefix)) from error
        except BaseException as error:
            require_no_panic(error, "packages that rattler links")
            raise

    def _remedy(self, cause: str, prefix: str) -> str:
        if any("os error %d" % number in cause for number in (errno.ENOSPC, errno.EDQUOT)):
            return "free space or quota for %s and for the package cache %s, then run again" % (
                prefix,
                self._package_cache,
            )
        return "check the channel, the disk's space and quota, then run again"

    def _prepare_cache(self) -> None:
        try:
            make_own_folder(self._package_cache)
            if is_shared(self._package_cache):
                self.warnings.append(
                    "the package cache %s is not used, as other users can change what is in it; packages are in %s"
                    % (self._package_cache, self._own_cache)
                )
                self._package_cache = self._own_cache
                make_own_folder(self._package_cache)
                close_to_others(self._package_cache)
        except OSError as error:
            raise UserError(
                "a package cache that can be written to at %s" % self._package_cache,
                error.strerror or str(error),
                "set package_cache to a folder of yours, or pkgs_dirs in a condarc",
            ) from error
        remove_abandoned(self._package_cache)


def _cause(text: str) -> str:
    """rattler's chain of causes in one line, without empty and repeated parts: ``A: B`` for ``A Caused by: B ...``."""
    causes: list[str] = []
    for part in text.replace("failed to interact with the package cache layer.", "").split("Caused by:"):
        if part.strip() and not any(part.strip() in earlier for earlier in causes):
            causes.append(part.strip())
    return ": ".join(causes)
