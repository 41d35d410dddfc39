# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_engine from options to result: find, build, publish. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ..._common.disk import full_disk
from ..._files.locks import Lock
from ..._files.progress import Progress
from ..._files.trust import require_trusted, require_trusted_place
from ..engines.python import EnginePython, choose_python
from . import found, store
from .build import build
from .request import EngineRequest, engine_request

Result = t.Dict[str, t.Any]

# What AnsibleModule takes for the options. Here and not in the module: Ansible packs no module into another one.
ARGUMENTS: dict[str, t.Any] = {
    "argument_spec": {
        "prefix": {"type": "path", "required": True},
        "requirements": {"type": "str", "required": True},
        "python": {"type": "path"},
        "condarc": {"type": "path"},
        "progress_file": {"type": "path"},
    }
}


class Options(t.NamedTuple):
    """The options of module conda_engine, see its documentation."""

    prefix: str
    python: str | None
    requirements: str
    condarc: str | None
    progress_file: str | None


def declare_engine(options: Options, check_mode: bool) -> Result:
    """Make users find the engine of *options*; in check mode return what that would change.

    :raises UserError: users find the same engine as before.
    """
    request = engine_request(options.prefix, options.requirements, options.condarc)
    before = _inspect(request)
    if _stands(request, before):
        return _result(request, before, before.venv, [])
    venv = _finished(request, before)
    # Chosen before anything is written.
    python = None if venv else choose_python(options.python, for_all_users=os.geteuid() == 0)
    if check_mode:
        return _result(request, before, venv, _steps(request, before, venv))
    with Progress(options.progress_file) as progress, _space_errors(request):
        with store.store_lock(request, progress) as lock:
            return _make(request, python or options.python, lock, progress)


def engine_stands(options: Options) -> bool:
    """Whether :func:`declare_engine` would leave the engine alone. No Python is chosen.

    :raises UserError: something that is not ours is at the prefix, or as root another user could change it.
    """
    request = engine_request(options.prefix, options.requirements, options.condarc)
    return _stands(request, _inspect(request))


def _stands(request: EngineRequest, now: found.Found) -> bool:
    if not now.venv or now.requirements != request.requirements:
        return False
    return store.has_condarc(request, now.venv)


def _make(request: EngineRequest, python: EnginePython | str | None, lock: Lock, progress: Progress) -> Result:
    # Another run may have made or removed the engine while this one waited.
    before = _inspect(request)
    venv = _finished(request, before)
    steps = _steps(request, before, venv)
    if not venv:
        if lock.held:
            store.remove_remains(request, before.venv)
        if not isinstance(python, EnginePython):
            python = choose_python(python, for_all_users=os.geteuid() == 0)
        venv = _build(request, python, lock, progress)
    elif "condarc" in steps:
        store.set_condarc(request, venv)
    if "switch" in steps:
        store.publish(request, venv)
    return _result(request, before, venv, steps)


def _build(request: EngineRequest, python: EnginePython, lock: Lock, progress: Progress) -> str:
    venv = store.new_venv(request)
    try:
        build(request, venv, python.python, lock.handle, progress)
        store.finish(request, venv, {"python": python.python, "version": python.version})
    except BaseException:
        store.discard(venv)
        raise
    return venv


@contextlib.contextmanager
def _space_errors(request: EngineRequest) -> t.Iterator[None]:
    """Name the place and what is short there if a disk is full."""
    try:
        yield
    except OSError as error:
        full = full_disk(error, request.store)
        if full is None:
            raise
        raise full from error


def _inspect(request: EngineRequest) -> found.Found:
    """What is at the prefix.

    :raises UserError: it is not ours, or as root another user could change it or what is on the way to it.
    """
    require_trusted_place(request.parent, "a place for the engine at")
    now = found.find_engine(request)
    parts = [request.store, request.prefix, now.venv] if now.venv else [request.store, request.prefix]
    parts += [os.path.join(now.venv, part) for part in (found.REQUIREMENTS, found.RECORD, "bin")] if now.venv else []
    for part in parts:
        if os.path.exists(part):
            require_trusted(part, "an engine")
    return now


def _finished(request: EngineRequest, now: found.Found) -> str | None:
    """A finished venv with the requirements: the one at the prefix, or another one in the store."""
    if now.venv and now.requirements == request.requirements:
        return now.venv
    names = sorted(os.listdir(request.store)) if os.path.isdir(request.store) else []
    venvs = [os.path.join(request.store, name) for name in names]
    return next((venv for venv in venvs if found.is_ours(venv) and _same(request, venv)), None)


def _same(request: EngineRequest, venv: str) -> bool:
    return found.requirements_of(venv) == request.requirements


def _steps(request: EngineRequest, now: found.Found, venv: str | None) -> list[str]:
    if not venv:
        return ["make", "install", "switch"]
    steps = [] if store.has_condarc(request, venv) else ["condarc"]
    return steps + (["switch"] if now.venv != venv else [])


def _result(request: EngineRequest, before: found.Found, venv: str | None, steps: list[str]) -> Result:
    """The module's result. *venv* is None if the run would make it."""
    old = before.requirements if before.venv else ""
    place = venv or "a new venv in %s" % request.store
    return {
        "changed": bool(steps),
        "prefix": request.prefix,
        "venv": venv,
        "previous_venv": before.venv,
        "executable": os.path.join(request.prefix, "bin", "python"),
        "actions": steps,
        "msg": "%s: %s" % (request.prefix, place if steps else "nothing to do, %s" % place),
        "diff": {
            "before_header": request.prefix,
            "after_header": request.prefix,
            "before": old,
            "after": request.requirements,
        },
    }
