# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env from options to result: request, state on disk, engine, plan, change. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._common.redact import filled_in
from ..._files.files import readable_if_root, sha256_of_file
from ..._files.progress import Progress
from ..._files.trust import require_trusted_place
from ..._source.lock import ChannelNames
from ..engines.base import EnginePlace, FoundEngine, SolveRequest
from ..engines.channels import in_usual_form, missing_channel
from ..engines.condarc import Condarc, condarc_files, read_condarc, read_names, sha256_of_files
from ..engines.registry import find_engine
from ..env.own_record import record_if_unchanged
from ..env.prefix import kind_of
from ..env.request import (
    EnvRequest,
    WheelRules,
    checked_channels,
    checked_cuda,
    checked_pip_lines,
    checked_prefix,
    checked_specs,
    checked_torch,
)
from ..site_packages.damage import is_expected
from ..site_packages.replaced import as_imported, contents_of, read_env
from .carry_out import carry_out
from .env_lock import env_lock
from .options import Options
from .plan import make_plan
from .remove import remove_env
from .result import Result, env_result, planned_result, shown_packages, unsolved_result
from .sources import require_trusted_sources


def declare_env(options: Options, check_mode: bool) -> Result:
    """Make the env match *options*; in check mode return what that would change.

    :raises UserError: nothing was changed, or the env is marked as unfinished.
    """
    home = os.path.expanduser("~")
    prefix = checked_prefix(options.prefix, options.name, options.envs_dir, home)
    if options.state == "absent":
        return remove_env(prefix, home, options.register_envs, check_mode)
    with readable_if_root():
        return _make_env(options, prefix, home, check_mode)


def _make_env(options: Options, prefix: str, home: str, check_mode: bool) -> Result:
    found, condarcs, request = _asked(options, prefix)
    record = _record_if_stands(options, request)
    if record is not None:
        return env_result(prefix, record["engine"], _recorded_packages(prefix, record))
    if found.executable is None:
        if check_mode:
            return unsolved_result(request, found.kind.name, "there is no engine yet")
        raise found.missing()
    reads_condarc = found.kind.reads_pkgs_dirs or not request.channels
    # What rattler makes of a name is in no file; root checks what the others install from a lock file.
    reads_names = not found.kind.reads_pkgs_dirs and bool(request.lock_sha256) and os.geteuid() == 0
    build = found.kind.start(found.executable, reads_condarc or (reads_names and bool(condarcs)))
    condarc = read_condarc(condarcs) if reads_condarc else None
    names = read_names(condarcs, os.environ) if reads_names else ChannelNames()
    to_solve = _solve_request(request, condarc, condarcs)
    missing = missing_channel(to_solve.channels)
    if missing and check_mode:
        return unsolved_result(request, found.kind.name, "channel %s is not there yet" % missing)
    with Progress(options.progress_file) as progress:
        place = EnginePlace(prefix, options.package_cache, condarc.pkgs_dirs if condarc else (), progress)
        if check_mode:
            return planned_result(make_plan(options, request, to_solve, build, place, names))
        with env_lock(prefix, progress):
            # The plan reads the disk only now: another run may have changed the env while this one waited.
            plan = make_plan(options, request, to_solve, build, place, names)
            result = planned_result(plan)
            packages, warnings = carry_out(plan, home if options.register_envs else None)
            result["packages"] = shown_packages(packages)
            result["warnings"] += [*warnings, *plan.engine.warnings]
            return result


def env_stands(options: Options) -> bool:
    """Whether :func:`declare_env` would leave the env alone, as its record says. No engine is started.

    False also where only a solver could tell.

    :raises UserError: the env, or something that it is made from, is refused.
    """
    if options.state != "present":
        return False
    prefix = checked_prefix(options.prefix, options.name, options.envs_dir, os.path.expanduser("~"))
    with readable_if_root():
        return _record_if_stands(options, _asked(options, prefix)[2]) is not None


def _asked(options: Options, prefix: str) -> tuple[FoundEngine, list[str], EnvRequest]:
    """The engine, which is not started, the condarc files that it reads, and the request for the env."""
    _require_usable_place(prefix)
    found = find_engine(options.engine, options.executable)
    condarcs = condarc_files(found.root)
    index = ("--extra-index-url %s" % options.cpu_index,) if options.cpu_index else ()
    require_trusted_sources(options.lock_file, (*checked_pip_lines((*index, *options.pip)),), condarcs)
    return found, condarcs, _env_request(options, prefix, condarcs)


def _record_if_stands(options: Options, request: EnvRequest) -> dict[str, t.Any] | None:
    """The env's own record, if nothing is to be done; else None."""
    writes_lock = bool(options.lock_file) and request.lock_sha256 is None
    if options.state != "present" or options.verify or writes_lock:
        return None
    record = record_if_unchanged(request.prefix, request.sha256())
    return record if record is not None and is_expected(request.prefix, request.expect_torch) else None


def _recorded_packages(prefix: str, record: dict[str, t.Any]) -> list[dict[str, str]]:
    if record.get("imported"):
        packages: list[dict[str, str]] = record["packages"]
        return packages
    # Earlier versions recorded what conda's records say.
    found, recorded = read_env(prefix)
    return shown_packages(as_imported(found, contents_of(prefix, recorded).replaced))


def _require_usable_place(prefix: str) -> None:
    if os.path.islink(prefix):
        raise UserError(
            "a folder at %s, or nothing" % prefix,
            "a symlink to %s" % os.readlink(prefix),
            "give the prefix that it leads to",
        )
    if kind_of(prefix) == "other":
        raise UserError(
            "a conda env at %s, or nothing" % prefix,
            "something without conda-meta",
            "choose another prefix, or move it away",
        )
    require_trusted_place(prefix, "a place for the env at")


def _env_request(options: Options, prefix: str, condarcs: list[str]) -> EnvRequest:
    channels = checked_channels(options.channels or [])
    if not channels and not condarcs:
        raise _no_channels("neither channels nor a condarc file")
    lock_file = options.lock_file
    # If the caller names channels, no file decides: the request does not depend on an engine or a home directory.
    priority = options.channel_priority or ("strict" if channels else "")
    return EnvRequest(
        prefix=prefix,
        packages=checked_specs(options.packages, "match spec"),
        channels=channels,
        channel_priority=priority,
        pip=checked_pip_lines(options.pip),
        cuda=checked_cuda(options.cuda),
        prune=options.prune,
        compiled=options.compile,
        lock_sha256=sha256_of_file(lock_file) if lock_file and os.path.exists(lock_file) else None,
        condarc_sha256=None if channels else sha256_of_files(condarcs),
        expect_torch=checked_torch(options.expect_torch),
        wheels=WheelRules(tuple(options.wheel_refuse), options.wheel_max_megabytes, options.cpu_index or ""),
    )


def _solve_request(request: EnvRequest, condarc: Condarc | None, condarcs: list[str]) -> SolveRequest:
    """What the engine gets: the request, completed from *condarc*. None: the engine reads those files itself."""
    channels, priority = request.channels, request.channel_priority
    if condarc is not None:
        channels = checked_channels(filled_in(channels, os.environ) or condarc.channels)
        if not channels:
            raise _no_channels("no channels in %s" % ", ".join(condarcs))
        priority = priority or condarc.channel_priority or "strict"
    return SolveRequest(
        packages=request.packages,
        channels=tuple(map(in_usual_form, channels)),
        channel_priority=priority,
        cuda=request.cuda,
        prune=request.prune,
    )


def _no_channels(found: str) -> UserError:
    return UserError("channels to take packages from", found, "set channels, for example [conda-forge]")
