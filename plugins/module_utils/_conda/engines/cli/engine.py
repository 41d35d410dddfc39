# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines conda, mamba and micromamba, which run as commands. Private to hpc.pytorch.

One dry run solves, in a temporary prefix that holds copies of the records that the tool should keep if it can. Its
output is a list of exact packages, which check mode and a run share. The run then removes by force what leaves or is
replaced, and installs the rest from an explicit file of addresses and hashes, so nothing is solved twice. The temporary
prefix has its own history, so earlier requests for the env do not constrain the solution.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials
from ...._files.files import open_regular, read_regular
from ...._files.progress import Progress
from ...._files.scratch import scratch_folder
from ...env.dependencies import needed_by_name, needed_names, related_names, unrelated_names
from ...env.prefix import append_own, write_own
from ...env.records import complete_record, installed_packages, package_of, package_records
from ...package.described import Described, require_hash, require_sound
from ..base import Solution, SolveRequest
from .addresses import addresses_with_credentials, with_addresses, with_credentials
from .commands import (
    condarc,
    explicit_text,
    install_command,
    named_channels,
    remove_command,
    solve_command,
)
from .dry_run_prefix import HISTORY, make_dry_run_prefix, to_relink, written
from .output import Record, actions_in, in_order, read_explicit
from .package_cache import remove_half_unpacked
from .process import ToolProcess
from .stand_ins import stand_in
from .tool import Tool


class CliEngine:
    """See :class:`..base.Engine`."""

    # Installed files contain the path of the folder.
    relocates = False

    def __init__(self, tool: Tool, package_cache: str | None, scratch: str, progress: Progress) -> None:
        """
        :arg scratch: path of a temporary folder on the env's file system. It must not exist.
        """
        self.name = tool.kind
        self._tool = tool
        self._process = ToolProcess(tool, package_cache)
        self._scratch = scratch
        self._progress = progress
        # Addresses of packages: those that the dry run would download, and those that are known to be in the cache.
        self._to_fetch: set[str] = set()
        self._fetched: set[str] = set()
        self.warnings: list[str] = []

    def solve(self, request: SolveRequest, prefix: str | None, latest: bool) -> Solution:
        self._progress.report("solve", request.shown_packages)
        installed = {str(record["name"]): record for record in package_records(prefix)} if prefix else {}
        names = [needed_names({"depends": [spec]})[0].lower() for spec in request.packages]
        unrelated = [] if request.prune else unrelated_names(needed_by_name(installed.values()), names)
        kept = set(unrelated)
        if not latest:
            kept |= related_names(needed_by_name(installed.values()), names) if request.prune else set(installed)
        specs = list(request.packages) + unrelated
        if not specs:
            return self._solution([])
        final = self._solved(request, prefix, {name: installed[name] for name in kept}, specs)
        if request.prune:
            # The tools do not remove packages that the change made unnecessary.
            needed = related_names(needed_by_name(final), names)
            final = [record for record in final if record["name"] in needed or record["name"] not in kept]
        return self._solution(in_order(final))

    def _solved(
        self, request: SolveRequest, prefix: str | None, kept: t.Mapping[str, Record], specs: t.Sequence[str]
    ) -> list[Record]:
        channels, custom = named_channels(request.channels)
        addresses = addresses_with_credentials(request.channels)
        with scratch_folder() as folder:
            names = [needed_names({"depends": [spec]})[0].lower() for spec in specs]
            dry_run = make_dry_run_prefix(folder, kept.values(), prefix, names)
            command = solve_command(self._tool, dry_run, specs, channels, request.channel_priority)
            condarc_path = written(os.path.join(folder, "condarc"), condarc(custom)) if custom else None
            caches = self._process.package_caches
            actions = actions_in(self._process.run(command, request, condarc_path, None, request.channels))
            link = with_addresses(actions.link, kept, caches)
            if self._tool.kind == "conda" and not all(each.get("sha256") for each in link):
                # conda has completed a package in its cache by itself, without sha256. With an empty cache it prints
                # the channel's record.
                empty = os.path.join(folder, "pkgs")
                output = self._process.run(command, request, condarc_path, empty, request.channels)
                link = with_addresses(actions_in(output).link, kept, caches)
        final = {name: record for name, record in kept.items() if name not in actions.unlink}
        final.update({str(record["name"]): record for record in link})
        self._to_fetch = {str(record["url"]) for record in with_addresses(actions.fetch, {}, caches)}
        for record in final.values():
            record["url"] = with_credentials(str(record.get("url") or ""), addresses)
        for record in final.values():
            # An installed package may come from a channel that is gone; its record is judged with the env's.
            if record["name"] not in kept or kept[record["name"]] is not record:
                _require_sound(record)
        self._to_fetch = {with_credentials(url, addresses) for url in self._to_fetch}
        return list(final.values())

    def read_lock(self, path: str, request: SolveRequest) -> Solution:
        records = read_explicit(read_regular(path).decode("utf-8"), path)
        addresses = addresses_with_credentials(request.channels)
        for record in records:
            record["url"] = with_credentials(record["url"], addresses)
            _require_sound(record)
        if request.packages:
            # The tool itself checks the match specs: with the locked packages installed it should have nothing to do.
            locked = {str(record["name"]): record for record in records}
            solved = self._solved(request, None, locked, request.packages)
            wanted = {package_of(record)[:3] for record in solved} - {package_of(record)[:3] for record in records}
            if wanted:
                raise UserError(
                    "a lock file that satisfies %s" % request.shown_packages,
                    "%s without %s" % (path, ", ".join(sorted(" ".join(package) for package in wanted))),
                    "use state latest to write it again, or correct the packages",
                )
        self._to_fetch = {record["url"] for record in records}
        return self._solution(records)

    def write_lock(self, path: str, solution: Solution, request: SolveRequest) -> None:
        records = [dict(record, url=without_credentials(record["url"])) for record in solution.handle]
        note = "# Written by hpc.pytorch.conda_env; conda create --file reads it too.\n"
        written(path, note + explicit_text(records, "conda"))

    def fetch(self, solution: Solution) -> None:
        missing = self._missing(solution.handle)
        if not missing:
            return
        self._progress.report("fetch", "%d packages" % len(missing))
        # conda ignores --download-only for an explicit file, so the packages are linked into a temporary prefix.
        with self._throwaway() as folder:
            self._install(missing, make_dry_run_prefix(folder, (), None), folder, None, download_only=True)
        self._fetched |= {str(record["url"]) for record in missing}

    def _missing(self, records: t.Iterable[Record]) -> list[Record]:
        """Those of *records* that the tool has to download or to unpack."""
        waiting = [record for record in records if record["url"] not in self._fetched]
        missing = {record["url"] for record in waiting if record["url"] in self._to_fetch}
        if self._tool.kind == "conda":
            cached = [record for record in waiting if record["url"] not in missing]
            missing |= {record["url"] for record in remove_half_unpacked(self._process.package_caches, cached)}
        return [record for record in waiting if record["url"] in missing]

    def install(self, solution: Solution, target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        before = {str(record["name"]): record for record in package_records(target)}
        after = {str(record["name"]): record for record in solution.handle}
        again = set(reinstall) | to_relink(before, after)
        link = [
            record
            for name, record in after.items()
            if name in again or name not in before or package_of(before[name])[:3] != package_of(record)[:3]
        ]
        leaving = sorted(name for name in before if name not in after or after[name] in link)
        # Opened so that it is made if it is missing: to these tools a folder without it is not an env.
        append_own(target, HISTORY, b"")
        with open_regular(os.path.join(target, HISTORY)) as stream:
            kept = stream.read()
        try:
            if leaving:
                self._progress.report("unlink", ", ".join(leaving))
                with self._inspectable(target, set(before), reinstall):
                    self._process.run(remove_command(self._tool, target, leaving))
            if link:
                self._progress.report("link", "%d packages" % len(link))
                with self._throwaway() as folder, self._inspectable(target, set(before).difference(leaving), ()):
                    # A hard link may have damaged the file in the cache too, so a repair takes nothing from there.
                    cache = os.path.join(folder, "pkgs") if reinstall else None
                    if cache is None:
                        self._missing(link)
                    self._install(link, target, folder, cache)
        finally:
            # The tool's own entry would pin every package by its address; conda_env writes the requested specs.
            write_own(target, HISTORY, kept)
        for record in link:
            complete_record(target, record)
        self._require(solution, target)

    def _inspectable(
        self, target: str, packages: t.Container[str], damaged: t.Container[str]
    ) -> t.ContextManager[None]:
        if self._tool.kind == "conda":
            return contextlib.nullcontext()
        return stand_in(target, packages, damaged)

    def _install(
        self, records: t.Sequence[Record], target: str, folder: str, cache: str | None, download_only: bool = False
    ) -> None:
        # In a folder that only its owner can enter, since an address may hold a password.
        explicit_file = written(os.path.join(folder, "explicit.txt"), explicit_text(records, self._tool.kind))
        command = install_command(self._tool, target, explicit_file, download_only)
        self._process.run(command, cache=cache, addresses=[record["url"] for record in records])

    @contextlib.contextmanager
    def _throwaway(self) -> t.Iterator[str]:
        with contextlib.ExitStack() as stack:
            try:
                os.mkdir(self._scratch, 0o700)
            except PermissionError:
                # The env is ours, but not the folder that holds it.
                yield stack.enter_context(scratch_folder())
            else:
                stack.callback(shutil.rmtree, self._scratch, ignore_errors=True)
                yield self._scratch

    def _require(self, solution: Solution, target: str) -> None:
        wanted = {package[:3] for package in solution.packages}
        found = {package[:3] for package in installed_packages(target)}
        if wanted != found:
            differing = sorted(" ".join(package) for package in wanted ^ found)
            raise UserError(
                "the env that %s had announced" % self.name,
                "other packages: %s" % ", ".join(differing),
                "run again; if that does not help, use engine rattler",
            )

    def _solution(self, records: list[Record]) -> Solution:
        return Solution([package_of(record) for record in records], records)


def _require_sound(record: Record) -> None:
    """Judge a package that is to be fetched, as rattler's are. Where its files go is left to the tool."""
    url = str(record.get("url") or "")
    package = Described(
        name=record.get("name"),  # type: ignore[arg-type]
        version=record.get("version"),  # type: ignore[arg-type]
        build=record.get("build", record.get("build_string")),  # type: ignore[arg-type]
        subdir=str(record.get("subdir") or url.rsplit("/", 2)[-2]),
        file_name=str(record.get("fn") or url.rsplit("/", 1)[-1]),
        url=url,
        channel="",
        sha256=record.get("sha256") or None,
        size=record.get("size"),
    )
    require_sound(package)
    require_hash(package)
