# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the env on disk with what the engine solves: the plan of a change. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..._files.progress import Progress
from ..._files.trust import require_trusted_env
from ..._source.lock import ChannelNames, require_own_packages
from ..._source.trusted import has_local, require_trusted_channels, require_trusted_packages, require_trusted_specs
from ..engines.base import Build, Engine, EnginePlace, Solution, SolveRequest
from ..env.own_record import read_record
from ..env.packages import Action, Package, actions_between
from ..env.pip_records import Distribution, installed_versions, is_satisfied, required_name
from ..env.prefix import kind_of
from ..env.request import EnvRequest, pip_requirements
from ..env.verify import Damage
from ..site_packages.damage import examine_all, examine_torch
from ..site_packages.needs import require_content
from ..site_packages.nvidia_libraries import require_no_second_nccl
from ..site_packages.pip_conflict import HeldConflict
from ..site_packages.replaced import Contents, Recorded, Replaced, contents_of, not_meant, read_env, warning
from .interpreter import Pip, env_python, pip_would_install
from .options import Options
from .owned_paths import require_sound_records


class EnvPlan(t.NamedTuple):
    """What turns the env at a prefix into the solution of a request.

    :arg exists: whether there is an env already, complete or not.
    :arg before: the packages that it holds, by its records.
    :arg contents: what of these is in its site-packages.
    :arg reinstall: names of packages that are installed again in the same version.
    :arg upgrade: whether pip takes newer versions than the installed ones.
    :arg changes_env: whether packages, pip's distributions or bytecode change.
    :arg lock_file: where the lock file is written, or None.
    :arg progress: of the module.
    """

    request: EnvRequest
    to_solve: SolveRequest
    engine: Engine
    solution: Solution
    exists: bool
    before: list[Package]
    contents: Contents
    actions: list[Action]
    reinstall: t.AbstractSet[str]
    damage: Damage
    upgrade: bool
    changes_env: bool
    lock_file: str | None
    progress: Progress

    def removed(self) -> list[Replaced]:
        """What pip put in the place of packages that this plan changes: it leaves before they come."""
        names = {action["name"] for action in self.actions}
        return [each for each in self.contents.replaced if each.package in names]

    def remaining(self) -> list[Replaced]:
        """What pip put in the place of packages that stay as they are."""
        removed = self.removed()
        return [each for each in self.contents.replaced if each not in removed]

    def warnings(self) -> list[str]:
        """What stays as it is, although it is probably not meant."""
        return [*self.damage.warnings, *map(warning, not_meant(self.remaining(), self.request.pip))]


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
    before, recorded = read_env(prefix) if exists else ([], [])
    contents = contents_of(prefix, recorded)
    if kind == "unfinished" or (exists and options.verify):
        place.progress.report("verify", prefix)
        damage = examine_all(prefix, request.pip, contents.replaced)
    else:
        damage = examine_torch(prefix, request.expect_torch, request.pip, contents)
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
    pip = Pip(request.wheels, place.progress)
    pip_actions = _pip_actions(request, exists, actions, damage.distributions, latest, contents, pip)
    compiles = request.compiled and not read_record(prefix).get("compiled")
    return EnvPlan(
        request=request,
        to_solve=to_solve,
        engine=engine,
        solution=solution,
        exists=exists,
        before=before,
        contents=contents,
        actions=actions + pip_actions,
        reinstall={str(action["name"]) for action in actions if action["action"] == "reinstall"},
        damage=damage,
        upgrade=latest,
        changes_env=bool(actions or pip_actions or compiles or not exists or kind == "unfinished"),
        lock_file=lock_file,
        progress=place.progress,
    )


def _pip_actions(
    request: EnvRequest,
    exists: bool,
    actions: list[Action],
    damaged: t.Sequence[Distribution],
    latest: bool,
    contents: Contents,
    pip: Pip,
) -> list[Action]:
    """What happens to pip's distributions with and after the *actions* on packages.

    :raises UserError: the requirements need another version of what conda brought.
    """
    names = {str(action["name"]) for action in actions}
    leaving = [each for each in contents.replaced if each.package in names]
    again: list[Action] = [
        {"action": "remove", "name": each.now.name, "from": each.now.version, "to": None} for each in leaving
    ]
    if not request.pip:
        return again
    again += [{"action": "reinstall", "name": each.name, "from": each.version, "to": each.version} for each in damaged]
    if exists and not actions:
        found = pip_would_install(request.prefix, request.pip, latest, contents.held, pip)
        require_no_second_nccl(request.prefix, found)
        return again + [_install(name, version) for name, version in found]
    # There is no pip to query yet, or it is damaged, or it is about to change.
    requirements = pip_requirements(request.pip)
    if exists and not latest and "python" not in _changed(actions):
        versions = installed_versions(request.prefix, without=_changed(actions))
        for each in leaving:
            versions.pop(each.now.name, None)
        if _changed(actions):
            requirements = tuple(spec for spec in requirements if not is_satisfied(spec, versions))
        else:
            requirements = tuple(spec for spec in requirements if required_name(spec) not in versions)
    back = [(each.package, each.was) for each in leaving if each.package not in _changed(actions)]
    if back:
        require_content(env_python(request.prefix), request.prefix, request.pip, back)
    elif exists and requirements and not leaving and not names & {"python", "pip"}:
        _require_no_conflict(request, latest, [each for each in contents.held if each[0] not in names], pip)
    return again + [_install(spec, None) for spec in requirements]


def _require_no_conflict(request: EnvRequest, latest: bool, held: Recorded, pip: Pip) -> None:
    """Refuse, before packages change, requirements that need another version of what is *held*.

    :raises UserError: with the requirement.
    """
    try:
        pip_would_install(request.prefix, request.pip, latest, held, pip)
    except HeldConflict:
        raise
    except UserError:
        # What else is wrong may be so only until the packages have changed.
        return


def _changed(actions: t.Iterable[Action]) -> set[str]:
    """Names of the packages that leave, come, or get another version."""
    return {str(action["name"]) for action in actions if action["action"] != "reinstall"}


def _install(name: str, version: str | None) -> Action:
    return {"action": "install", "name": name, "from": None, "to": version}
