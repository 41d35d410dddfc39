# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the env on disk with what the engine solves: the plan of a change. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._files.trust import require_trusted_env
from ..._source.lock import ChannelNames, require_own_packages
from ..._source.trusted import has_local, require_trusted_channels, require_trusted_packages, require_trusted_specs
from ..engines.base import Build, Engine, EnginePlace, Solution, SolveRequest
from ..env.own_record import read_record
from ..env.packages import Action, Package, actions_between
from ..env.pip_records import Distribution, installed_versions, is_satisfied, required_name
from ..env.prefix import kind_of
from ..env.records import installed_packages
from ..env.request import EnvRequest, pip_requirements
from ..env.verify import Damage, examine
from .interpreter import pip_would_install
from .options import Options
from .owned_paths import require_sound_records


class EnvPlan(t.NamedTuple):
    """What turns the env at a prefix into the solution of a request.

    :arg exists: whether there is an env already, complete or not.
    :arg before: the packages that it holds.
    :arg reinstall: names of packages that are installed again in the same version.
    :arg upgrade: whether pip takes newer versions than the installed ones.
    :arg changes_env: whether packages, pip's distributions or bytecode change.
    :arg lock_file: where the lock file is written, or None.
    """

    request: EnvRequest
    to_solve: SolveRequest
    engine: Engine
    solution: Solution
    exists: bool
    before: list[Package]
    actions: list[Action]
    reinstall: t.AbstractSet[str]
    damage: Damage
    upgrade: bool
    changes_env: bool
    lock_file: str | None


def make_plan(
    options: Options, request: EnvRequest, to_solve: SolveRequest, build: Build, place: EnginePlace, names: ChannelNames
) -> EnvPlan:
    """Read the env, solve, and compare. Changes nothing in the env.

    :arg names: what the engine makes of a channel's name.
    :raises UserError: the request cannot be solved, or root must not use the env or a channel.
    """
    prefix, latest = request.prefix, options.state == "latest"
    require_trusted_channels(to_solve.channels)
    require_trusted_specs(to_solve.packages)
    engine = build(place)
    kind = kind_of(prefix)
    exists = kind in ("env", "unfinished")
    if exists:
        require_trusted_env(prefix, "an env at")
        require_sound_records(prefix)
    before = installed_packages(prefix) if exists else []
    damage = Damage()
    if kind == "unfinished" or (exists and options.verify):
        place.progress.report("verify", prefix)
        damage = examine(prefix, request.pip)
    if options.lock_file and request.lock_sha256 and not latest:
        lock_file = None
        solution = engine.read_lock(options.lock_file, to_solve)
        urls = [package.url for package in solution.packages]
        require_own_packages(urls, to_solve.channels, to_solve.packages, options.lock_file, names)
    else:
        lock_file = options.lock_file or None
        solution = engine.solve(to_solve, prefix if exists else None, latest)
    actions = actions_between(before, solution.packages, damage.packages)
    arriving = {action["name"] for action in actions}
    # Only rattler has no setting that gives a channel's name a place on this machine.
    local = engine.name != "rattler" or has_local(to_solve.channels, to_solve.packages)
    require_trusted_packages([each.url for each in solution.packages if each.name in arriving], local)
    pip_actions = _pip_actions(request, exists, actions, damage.distributions, latest)
    compiles = request.compiled and not read_record(prefix).get("compiled")
    return EnvPlan(
        request=request,
        to_solve=to_solve,
        engine=engine,
        solution=solution,
        exists=exists,
        before=before,
        actions=actions + pip_actions,
        reinstall={str(action["name"]) for action in actions if action["action"] == "reinstall"},
        damage=damage,
        upgrade=latest,
        changes_env=bool(actions or pip_actions or compiles or not exists or kind == "unfinished"),
        lock_file=lock_file,
    )


def _pip_actions(
    request: EnvRequest, exists: bool, actions: list[Action], damaged: t.Sequence[Distribution], latest: bool
) -> list[Action]:
    """What pip will do after the *actions* on packages."""
    if not request.pip:
        return []
    again: list[Action] = [
        {"action": "reinstall", "name": each.name, "from": each.version, "to": each.version} for each in damaged
    ]
    if exists and not actions:
        found = pip_would_install(request.prefix, request.pip, latest)
        return again + [_install(name, version) for name, version in found]
    # There is no pip to query yet, or it is damaged, or it is about to change.
    requirements = pip_requirements(request.pip)
    if exists and not latest and "python" not in _changed(actions):
        versions = installed_versions(request.prefix, without=_changed(actions))
        if _changed(actions):
            requirements = tuple(spec for spec in requirements if not is_satisfied(spec, versions))
        else:
            requirements = tuple(spec for spec in requirements if required_name(spec) not in versions)
    return again + [_install(spec, None) for spec in requirements]


def _changed(actions: t.Iterable[Action]) -> set[str]:
    """Names of the packages that leave, come, or get another version."""
    return {str(action["name"]) for action in actions if action["action"] != "reinstall"}


def _install(name: str, version: str | None) -> Action:
    return {"action": "install", "name": name, "from": None, "to": version}
