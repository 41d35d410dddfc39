# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a play's wish to an env that holds it: decides, then calls the engine. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from ..._common.errors import UserError
from ..._common.files import readable_if_root, sha256_of_file, write_atomically
from ..._common.progress import Progress
from ..._common.redact import filled_in, shown_channels, without_credentials
from ..._common.trust import require_trusted_env, require_trusted_place
from ..engines.base import Engine, Solution
from ..engines.registry import chosen
from ..env import prefix as env
from ..env.condarc import condarc_files, read_condarc, sha256_of_files
from ..env.packages import Package, actions_between, diff_between
from ..env.pip_records import Distribution, installed_names, required_name
from ..env.request import (
    Request,
    checked_channels,
    checked_cuda,
    checked_pip_lines,
    checked_prefix,
    checked_specs,
    pip_requirements,
)
from ..env.sources import require_trusted_channels, require_trusted_sources
from ..env.verify import Damage, examine
from . import lifecycle
from .interpreter import pip_would_install

Params = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]
Action = t.Dict[str, t.Optional[str]]


def declare_env(params: Params, check_mode: bool) -> Result:
    """Make the env of *params* (conda_env's options) so, or say what that would change.

    :raises UserError: nothing was changed, or the env is marked as unfinished.
    """
    home = os.path.expanduser("~")
    prefix = checked_prefix(params["prefix"], params["name"], params["envs_dir"], home)
    if params["state"] == "absent":
        return _remove(prefix, home, params["register_envs"], check_mode)
    with readable_if_root():
        return _Declaration(params, check_mode, prefix, home).run()


def _remove(prefix: str, home: str, registered: bool, check_mode: bool) -> Result:
    result: Result = {"prefix": prefix, "actions": [], "changed": False}
    require_trusted_place(prefix, "a place for the env at")
    if not os.path.lexists(prefix):
        if not check_mode and os.path.isdir(os.path.dirname(prefix)):
            lifecycle.remove_leftovers(prefix)
        return result
    lifecycle.require_removable(prefix, home)
    packages = env.installed_packages(prefix)
    warnings: list[str] = []
    if not check_mode:
        lifecycle.remove(prefix)
        if registered:
            warnings += _unlisted("still", lambda: lifecycle.unregister(prefix, home))
    return dict(
        result,
        changed=True,
        actions=actions_between(packages, []),
        diff=diff_between(packages, [], prefix),
        warnings=warnings,
    )


class _Declaration:
    """One call with state present or latest."""

    def __init__(self, params: Params, check_mode: bool, prefix: str, home: str) -> None:
        self._params = params
        self._check_mode = check_mode
        self._prefix = prefix
        self._home = home
        self._kind = env.kind_of(prefix)
        self._latest = params["state"] == "latest"
        self._require_usable_place()
        self._choice = chosen(params["engine"], params["executable"])
        self._condarcs = condarc_files(self._choice.root)
        require_trusted_sources(params, self._condarcs)
        self._request = self._requested()
        self._wish = self._request
        self._pkgs_dirs: list[str] = []

    def run(self) -> Result:
        if not self._latest and not self._params["verify"] and not self._lock_is_missing():
            record = env.unchanged(self._prefix, self._request.sha256())
            if record is not None:
                return self._result(packages=record["packages"], engine=record["engine"])
        if self._choice.root is None:
            if self._check_mode:
                return self._unsolved("there is no engine yet")
            raise self._choice.missing()
        reads_condarc = self._choice.uses_condarc or not self._request.channels
        self._choice.enter(reads_condarc)
        if reads_condarc:
            self._read_condarc()
        missing = self._missing_channel()
        if missing and self._check_mode:
            return self._unsolved("channel %s is not there yet" % missing)
        with Progress(self._params["progress_file"]) as progress:
            if self._check_mode:
                return self._declare(progress)
            waiting = "another run that is at work on %s" % self._prefix
            with lifecycle.lock(self._prefix, lambda: progress.report("wait for", waiting)):
                # Another run may have made it while this one waited.
                self._kind = env.kind_of(self._prefix)
                return self._declare(progress)

    def _declare(self, progress: Progress) -> Result:
        require_trusted_channels(self._wish.channels)
        engine = self._choice.engine(self._prefix, self._params["package_cache"], self._pkgs_dirs, progress)
        exists = self._kind in ("env", "unfinished")
        if exists:
            require_trusted_env(self._prefix, "the env")
        before = env.installed_packages(self._prefix) if exists else []
        damage = Damage()
        if self._kind == "unfinished" or (exists and self._params["verify"]):
            progress.report("verify", self._prefix)
            damage = examine(self._prefix, self._request.pip)
        lock_file = self._params["lock_file"]
        if lock_file and self._request.lock_sha256 and not self._latest:
            solution = engine.read_lock(lock_file, self._wish)
        else:
            solution = engine.solve(self._wish, self._prefix if exists else None, self._latest)
        actions = actions_between(before, solution.packages, damage.packages)
        reinstall = {str(action["name"]) for action in actions if action["action"] == "reinstall"}
        result = self._result(
            packages=[package.as_result() for package in sorted(solution.packages)],
            engine=engine.name,
            actions=actions + self._pip_actions(exists, actions, damage.distributions),
            diff=diff_between(before, solution.packages, self._prefix),
        )
        compiles = self._request.compiled and not env.read_record(self._prefix).get("compiled")
        touches_env = bool(result["actions"] or compiles or not exists or self._kind == "unfinished")
        warnings = list(damage.warnings)
        result["warnings"] = warnings
        result["changed"] = touches_env or self._lock_is_missing()
        if self._check_mode:
            return result
        with self._lock_written(engine, solution) as request:
            if not exists:
                lifecycle.create(request, engine, solution)
            elif touches_env:
                lifecycle.change(request, engine, solution, reinstall, self._latest, mend=bool(damage.distributions))
            else:
                self._adopt(request, engine, solution.packages)
        if self._params["register_envs"]:
            warnings += _unlisted("not", lambda: lifecycle.register(self._prefix, self._home))
        return result

    def _lock_is_missing(self) -> bool:
        return bool(self._params["lock_file"]) and self._request.lock_sha256 is None

    def _requested(self) -> Request:
        params = self._params
        channels = checked_channels(params["channels"] or [])
        if not channels and not self._condarcs:
            raise _no_channels("neither channels nor a condarc file")
        lock_file = params["lock_file"]
        # With channels of its own a play depends on no file: not on whose engine or home this is.
        priority = params["channel_priority"] or ("strict" if channels else "")
        return Request(
            prefix=self._prefix,
            packages=checked_specs(params["packages"], "match spec"),
            channels=channels,
            channel_priority=priority,
            pip=checked_pip_lines(params["pip"]),
            cuda=checked_cuda(params["cuda"]),
            prune=params["prune"],
            compiled=params["compile"],
            lock_sha256=sha256_of_file(lock_file) if lock_file and os.path.exists(lock_file) else None,
            condarc_sha256=None if channels else sha256_of_files(self._condarcs),
        )

    def _require_usable_place(self) -> None:
        if os.path.islink(self._prefix):
            raise UserError(
                "a folder at %s, or nothing" % self._prefix,
                "a symlink to %s" % os.readlink(self._prefix),
                "give the prefix that it leads to",
            )
        if self._kind == "other":
            raise UserError(
                "a conda env at %s, or nothing" % self._prefix,
                "something without conda-meta",
                "choose another prefix, or move it away",
            )
        require_trusted_place(self._prefix, "a place for the env at")

    def _read_condarc(self) -> None:
        """What the engine is asked: the request, with what the condarc says where the play does not."""
        condarc = read_condarc(self._condarcs)
        channels = checked_channels(filled_in(self._request.channels, os.environ) or condarc["channels"])
        if not channels:
            raise _no_channels("no channels in %s" % ", ".join(self._condarcs))
        self._wish = self._request._replace(
            channels=channels,
            channel_priority=self._request.channel_priority or str(condarc.get("channel_priority") or "strict"),
        )
        self._pkgs_dirs = condarc["pkgs_dirs"]

    def _missing_channel(self) -> str | None:
        for channel in self._wish.channels:
            path = channel[len("file://") :] if channel.startswith("file://") else os.path.expanduser(channel)
            if path.startswith("/") and not os.path.exists(os.path.join(path, "noarch", "repodata.json")):
                return channel
        return None

    def _pip_actions(self, exists: bool, actions: list[Action], damaged: t.Sequence[Distribution]) -> list[Action]:
        """What pip is about to do, after the *actions* on packages."""
        if not self._request.pip:
            return []
        again = [
            {"action": "reinstall", "name": each.name, "from": each.version, "to": each.version} for each in damaged
        ]
        if exists and not actions:
            found = pip_would_install(self._prefix, self._request.pip, self._latest)
            return again + [{"action": "install", "name": name, "from": None, "to": version} for name, version in found]
        # The env's pip is not there to ask, or is damaged, or is about to change.
        asked = pip_requirements(self._request.pip)
        if exists and all(action["action"] == "reinstall" for action in actions):
            there = installed_names(self._prefix)
            asked = tuple(spec for spec in asked if required_name(spec) not in there)
        return again + [{"action": "install", "name": spec, "from": None, "to": None} for spec in asked]

    @contextlib.contextmanager
    def _lock_written(self, engine: Engine, solution: Solution) -> t.Iterator[Request]:
        lock_file = self._params["lock_file"]
        if not lock_file or (self._request.lock_sha256 and not self._latest):
            yield self._request
            return
        with tempfile.NamedTemporaryFile(prefix="hpc-pytorch-", suffix=".lock") as draft:
            engine.write_lock(draft.name, solution, self._wish)
            yield self._request._replace(lock_sha256=sha256_of_file(draft.name))
            # Only what was installed is worth a lock file.
            with open(draft.name, "rb") as stream:
                content = stream.read()
        os.makedirs(os.path.dirname(lock_file), exist_ok=True)
        write_atomically(lock_file, content)

    def _adopt(self, request: Request, engine: Engine, packages: list[Package]) -> None:
        # Nothing to change, so only remember that; an env that is not ours to write to stays as it is.
        with contextlib.suppress(OSError):
            env.write_record(self._prefix, request, engine.name, packages)

    def _unsolved(self, because: str) -> Result:
        asked = tuple(without_credentials(spec) for spec in self._request.packages) + pip_requirements(
            self._request.pip
        )
        wanted = "".join(spec + "\n" for spec in asked)
        result = self._result(packages=[], engine=self._choice.name, changed=True, solved=False)
        del result["packages"]
        result["msg"] = "not solved, since %s; asked for: %s from %s" % (
            because,
            ", ".join(asked) or "nothing",
            ", ".join(shown_channels(self._request.channels)) or "the condarc's channels",
        )
        result["diff"] = {
            "before_header": self._prefix,
            "after_header": "%s (asked for, not solved)" % self._prefix,
            "before": "",
            "after": wanted,
        }
        return result

    def _result(self, packages: t.Any, engine: str, **more: t.Any) -> Result:
        result = {
            "changed": False,
            "prefix": self._prefix,
            "engine": engine,
            "packages": packages,
            "actions": [],
            "solved": True,
        }
        return dict(result, **more)


def _unlisted(otherwise: str, edit: t.Callable[[], None]) -> list[str]:
    """Edit conda's list of envs; where that fails, a warning: the env is still what was asked for."""
    try:
        edit()
    except OSError as error:
        return ["%s listed in %s: %s" % (otherwise, error.filename or "environments.txt", error.strerror)]
    return []


def _no_channels(found: str) -> UserError:
    return UserError("channels to take packages from", found, "set channels, for example [conda-forge]")
