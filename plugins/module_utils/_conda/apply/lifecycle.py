# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, changing and removing an env so that nobody takes half of one for whole. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
import socket
import typing as t

from ..._common.errors import UserError
from ..._common.files import open_regular, sha256_of_json, umask, write_atomically
from ..._common.locks import hold
from ..._common.trust import untrusted_because
from ..engines.base import Engine, Solution
from ..env.leftovers import remove_stale_bytecode, remove_temporary_files
from ..env.modes import settle_modes
from ..env.packages import Package
from ..env.prefix import (
    append_history,
    claim,
    clear_changing,
    installed_packages,
    is_base,
    kind_of,
    make_readable_records,
    mark_changing,
    write_record,
)
from ..env.request import Request
from .interpreter import compile_bytecode, mend_distributions, pip_install


@contextlib.contextmanager
def lock(prefix: str, waiting: t.Callable[[], None]) -> t.Iterator[None]:
    """Spare two runs of one user on one machine the same work. Correctness never rests on it.

    :arg waiting: called when another run holds it, before this one waits.
    """
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hpc.pytorch", "locks")
    with contextlib.ExitStack() as stack:
        # A home that cannot be written to, or a file system without locks, costs only the spared work.
        with contextlib.suppress(OSError):
            require_own(folder)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            path = os.path.join(folder, sha256_of_json(prefix)[:16])
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            stream = stack.enter_context(os.fdopen(handle, "r+b", buffering=0))
            # An engine's command that outlives a killed run still holds it.
            os.set_inheritable(handle, True)
            hold(stream, waiting)
        yield


def create(request: Request, engine: Engine, solution: Solution) -> None:
    """Make an env where there is none."""
    if engine.relocates:
        _create_beside(request, engine, solution)
    else:
        _create_in_place(request, engine, solution)


def _create_beside(request: Request, engine: Engine, solution: Solution) -> None:
    """Build the env beside its place and rename it there.

    pip and byte-compiling need the final path: until they are done the env stands there marked.
    """
    made = _make_folders(os.path.dirname(request.prefix))
    remove_leftovers(request.prefix)
    staging = private_path(request.prefix, "partial")
    os.mkdir(staging, 0o700)
    needs_prefix = bool(request.pip) or request.compiled
    try:
        engine.install(solution, staging, request.prefix, frozenset())
        _settle(staging)
        append_history(staging, [], solution.packages, request.packages)
        write_record(staging, request, engine.name, solution.packages)
        if needs_prefix:
            mark_changing(staging)
        os.chmod(staging, 0o777 & ~umask())
        _rename_into_place(staging, request.prefix)
    except BaseException:
        _discard(request.prefix, staging)
        _remove_folders(made)
        raise
    if needs_prefix:
        try:
            _finish(request, engine, solution.packages, upgrade=False, mend=False)
        except BaseException:
            remove(request.prefix)
            _remove_folders(made)
            raise


def _create_in_place(request: Request, engine: Engine, solution: Solution) -> None:
    """Build the env where it is to stand, marked until it is whole: a killed run is mended by the next one."""
    made = _make_folders(os.path.dirname(request.prefix))
    remove_leftovers(request.prefix)
    try:
        claim(request.prefix)
    except FileExistsError as error:
        raise _somebody_made_it(request.prefix, error) from error
    try:
        engine.install(solution, request.prefix, request.prefix, frozenset())
        _settle(request.prefix)
        append_history(request.prefix, [], solution.packages, request.packages)
        _finish(request, engine, solution.packages, upgrade=False, mend=False)
    except BaseException:
        remove(request.prefix)
        _remove_folders(made)
        raise


def change(
    request: Request, engine: Engine, solution: Solution, reinstall: t.AbstractSet[str], upgrade: bool, mend: bool
) -> None:
    """Turn an env into the solution; it is marked from the first changed file to the last.

    :arg mend: whether what pip left half, or what was damaged since, is to be installed again.
    """
    before = installed_packages(request.prefix)
    remove_leftovers(request.prefix)
    # A failed download must find the env untouched.
    engine.fetch(solution)
    was_interrupted = kind_of(request.prefix) == "unfinished"
    mark_changing(request.prefix)
    if was_interrupted:
        remove_temporary_files(request.prefix)
    engine.install(solution, request.prefix, request.prefix, reinstall)
    remove_stale_bytecode(request.prefix)
    _settle(request.prefix)
    append_history(request.prefix, before, solution.packages, request.packages)
    _finish(request, engine, solution.packages, upgrade, mend)


def _settle(prefix: str) -> None:
    """What holds for every env, whatever engine and packages it comes from: who may read, run and write its files."""
    make_readable_records(prefix)
    settle_modes(prefix)


def remove(prefix: str) -> None:
    """Take the env away by one rename, then delete it."""
    remove_leftovers(prefix)
    grave = private_path(prefix, "removing")
    os.rename(prefix, grave)
    shutil.rmtree(grave)


def require_own(path: str) -> None:
    """Refuse, as root, a *path* that HOME or a cache's variable led to and that somebody else could have planted.

    :raises OSError: what lies there only saves work or helps to find an env, so callers go on without it.
    """
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    reason = untrusted_because(path) if os.geteuid() == 0 else None
    if reason:
        raise PermissionError(errno.EACCES, "root writes only where nobody else can: %s" % reason, path)


def _discard(prefix: str, staging: str) -> None:
    # After an error rattler's threads may still be linking other packages: renamed away, they find their folders gone.
    grave = private_path(prefix, "removing")
    with contextlib.suppress(OSError):
        os.rename(staging, grave)
    shutil.rmtree(grave, ignore_errors=True)


def require_removable(prefix: str, home: str) -> None:
    """Refuse what is no env of its own: ``/``, a home, a symlink, the base, anything else.

    :raises UserError: nothing was touched.
    """
    found = None
    if os.path.islink(prefix):
        found = "a symlink to %s" % os.readlink(prefix)
    elif _holds(os.path.realpath(prefix), os.path.realpath(home)):
        found = "a folder that holds a home"
    elif os.path.exists(os.path.join(prefix, ".bashrc")) or os.path.exists(os.path.join(prefix, ".profile")):
        found = "a home folder"
    elif kind_of(prefix) not in ("env", "unfinished"):
        found = "no conda env (it has no conda-meta)"
    elif is_base(prefix):
        found = "the base, where conda itself lives"
    if found:
        raise UserError("an env to remove at %s" % prefix, found, "give the prefix of an env, or remove it by hand")


def _holds(folder: str, home: str) -> bool:
    return folder == "/" or home == folder or home.startswith(folder + "/")


def registry_path(home: str) -> str:
    """Where conda remembers envs outside its envs_dirs, for ``conda env list``."""
    return os.path.join(home, ".conda", "environments.txt")


def register(prefix: str, home: str) -> None:
    """Add the env to conda's list of envs."""
    _edit_registry(home, lambda lines: lines if prefix in lines else lines + [prefix])


def unregister(prefix: str, home: str) -> None:
    """Take the env off conda's list of envs."""
    _edit_registry(home, lambda lines: [line for line in lines if line != prefix])


def _edit_registry(home: str, edit: t.Callable[[list[str]], list[str]]) -> None:
    path = registry_path(home)
    require_own(path)
    lines: list[str] = []
    if os.path.exists(path):
        with open_regular(path) as stream:
            lines = stream.read().decode("utf-8", "surrogateescape").splitlines()
    wanted = edit(lines)
    if wanted != lines:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        content = "".join(line + "\n" for line in wanted)
        write_atomically(path, content.encode("utf-8", "surrogateescape"))


def _finish(request: Request, engine: Engine, packages: list[Package], upgrade: bool, mend: bool) -> None:
    if request.pip:
        if mend:
            mend_distributions(request.prefix, request.pip)
        pip_install(request.prefix, request.pip, upgrade)
    if request.compiled:
        compile_bytecode(request.prefix)
    write_record(request.prefix, request, engine.name, packages)
    if kind_of(request.prefix) == "unfinished":
        clear_changing(request.prefix)


def _rename_into_place(staging: str, prefix: str) -> None:
    try:
        os.rename(staging, prefix)
    except OSError as error:
        raise _somebody_made_it(prefix, error) from error


def _somebody_made_it(prefix: str, error: OSError) -> UserError:
    return UserError(
        "%s to be free for the new env" % prefix,
        "%s (somebody made it meanwhile)" % error.strerror,
        "run again: the env there is then looked at",
    )


def private_path(prefix: str, purpose: str) -> str:
    """A name beside *prefix* that is this process's own; what is left there, :func:`remove_leftovers` finds."""
    parent, name = os.path.split(prefix)
    return os.path.join(parent, ".%s.%s.%d.%s" % (name, socket.gethostname(), os.getpid(), purpose))


def remove_leftovers(prefix: str) -> None:
    """Delete what killed runs on this machine left beside *prefix*; another machine's may still be at work."""
    parent, name = os.path.split(prefix)
    start = glob.escape(os.path.join(parent, ".%s.%s." % (name, socket.gethostname())))
    for purpose in ("partial", "removing"):
        for path in glob.glob("%s*.%s" % (start, purpose)):
            if not os.path.exists("/proc/%s" % path.split(".")[-2]):
                shutil.rmtree(path, ignore_errors=True)


def _make_folders(path: str) -> list[str]:
    """Make *path* and what is missing above it; return what was made, deepest first."""
    made: list[str] = []
    missing = path
    while not os.path.isdir(missing):
        made.append(missing)
        missing = os.path.dirname(missing)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(
            "a folder for the env at %s" % path,
            error.strerror or str(error),
            "give a prefix or an envs_dir that you can write to",
        ) from error
    return made


def _remove_folders(paths: t.Iterable[str]) -> None:
    for path in paths:
        try:
            os.rmdir(path)
        except OSError:
            return
