# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, changes and removes envs so that a half-built one is never taken for complete. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ..._common.errors import UserError
from ..._files import leftovers
from ..._files.files import umask
from ..._files.progress import Progress
from ..engines.base import Engine, Solution
from ..env.history import append_history
from ..env.modes import set_permissions
from ..env.own_record import write_record
from ..env.packages import Package
from ..env.prefix import claim, clear_changing, kind_of, mark_changing
from ..env.records import installed_packages, make_readable_records
from ..env.request import EnvRequest
from ..env.unowned_files import remove_stale_bytecode, remove_temporary_files
from ..site_packages.nvidia_libraries import require_one_of_each
from ..site_packages.replaced import Replaced, as_imported, contents_of, paths_of_others, read_env, remove_replaced
from ..site_packages.torch_version import require_torch
from .interpreter import Pip, compile_bytecode, pip_install, repair_distributions
from .owned_paths import require_sound_records


def create(request: EnvRequest, engine: Engine, solution: Solution, progress: Progress) -> list[Package]:
    """Make a new env; return its packages, with the versions that its Python imports."""
    make = _create_and_rename if engine.relocates else _create_in_place
    return make(request, engine, solution, progress)


def _create_and_rename(request: EnvRequest, engine: Engine, solution: Solution, progress: Progress) -> list[Package]:
    """Build the env in a folder next to its prefix and rename it.

    pip and byte-compiling need the final path. Until they are done, the env is at its prefix, marked.
    """
    made = _make_folders(os.path.dirname(request.prefix))
    remove_abandoned(request.prefix)
    staging = leftovers.private_path(request.prefix, "partial")
    with leftovers.new_folder(staging, 0o700):
        _build_aside(request, engine, solution, staging, made)
    if not _needs_prefix(request):
        return solution.packages
    try:
        return _finish(request, engine, solution.packages, progress)
    except BaseException:
        remove(request.prefix)
        _remove_folders(made)
        raise


def _needs_prefix(request: EnvRequest) -> bool:
    return bool(request.pip) or request.compiled


def _build_aside(request: EnvRequest, engine: Engine, solution: Solution, staging: str, made: list[str]) -> None:
    """Build the env in the folder *staging* and rename it to its prefix.

    :arg made: folders to remove again if that fails.
    """
    try:
        engine.install(solution, staging, request.prefix, frozenset())
        if request.expect_torch:
            require_torch(staging, *request.expect_torch)
        _set_permissions(staging)
        append_history(staging, [], solution.packages, request.packages)
        write_record(staging, request, engine.name, solution.packages)
        if _needs_prefix(request):
            mark_changing(staging)
        os.chmod(staging, 0o777 & ~umask())
        _rename_into_place(staging, request.prefix)
    except BaseException:
        _discard(request.prefix, staging)
        _remove_folders(made)
        raise


def _create_in_place(request: EnvRequest, engine: Engine, solution: Solution, progress: Progress) -> list[Package]:
    """Build the env at its prefix, marked until it is complete. If the run is killed, the next one repairs it."""
    made = _make_folders(os.path.dirname(request.prefix))
    remove_abandoned(request.prefix)
    try:
        claim(request.prefix)
    except FileExistsError as error:
        raise _made_meanwhile(request.prefix, error) from error
    try:
        engine.install(solution, request.prefix, request.prefix, frozenset())
        require_sound_records(request.prefix)
        _set_permissions(request.prefix)
        append_history(request.prefix, [], solution.packages, request.packages)
        return _finish(request, engine, solution.packages, progress)
    except BaseException:
        remove(request.prefix)
        _remove_folders(made)
        raise


def change(
    request: EnvRequest,
    engine: Engine,
    solution: Solution,
    reinstall: t.AbstractSet[str],
    replaced: t.Sequence[Replaced],
    upgrade: bool,
    repair: bool,
    progress: Progress,
) -> list[Package]:
    """Turn an env into the solution; return its packages, with the versions that its Python imports.

    It is marked from the first changed file to the last.

    :arg replaced: what pip put in the place of packages that change; it is removed.
    :arg repair: whether damaged or unfinished distributions of pip are installed again.
    """
    before = installed_packages(request.prefix)
    remove_abandoned(request.prefix)
    # If a download fails, the env is still untouched.
    engine.fetch(solution)
    was_interrupted = kind_of(request.prefix) == "unfinished"
    mark_changing(request.prefix)
    if was_interrupted:
        remove_temporary_files(request.prefix)
    if replaced:
        remove_replaced(request.prefix, replaced, paths_of_others(request.prefix, {each.package for each in replaced}))
    engine.install(solution, request.prefix, request.prefix, reinstall)
    if not engine.relocates:
        # rattler's packages were judged before.
        require_sound_records(request.prefix)
    _remove_covered(request.prefix, before, solution.packages)
    remove_stale_bytecode(request.prefix)
    _set_permissions(request.prefix)
    append_history(request.prefix, before, solution.packages, request.packages)
    return _finish(request, engine, solution.packages, progress, upgrade, repair)


def _remove_covered(prefix: str, before: list[Package], after: list[Package]) -> None:
    """Remove pip's distributions of which a new package brought another version: its files lie over theirs."""
    new = {package.name for package in after} - {package.name for package in before}
    if new:
        found = contents_of(prefix, read_env(prefix)[1]).replaced
        covered = [each for each in found if each.package in new]
        if covered:
            remove_replaced(prefix, covered, paths_of_others(prefix, ()))


def remove(prefix: str) -> None:
    """Rename the env away, then delete it: nobody finds a half-deleted one."""
    remove_abandoned(prefix)
    trash = leftovers.private_path(prefix, "removing")
    with leftovers.held(prefix):
        os.rename(prefix, trash)
        shutil.rmtree(trash)


def remove_abandoned(prefix: str) -> None:
    """Delete what killed runs on this machine left next to *prefix*. Another machine's runs may still be active."""
    for purpose in ("partial", "removing"):
        leftovers.remove_abandoned(prefix, purpose)


def _set_permissions(prefix: str) -> None:
    """Make records and files readable and runnable for the env's users, whatever the engine and the packages did."""
    make_readable_records(prefix)
    set_permissions(prefix)


def _finish(
    request: EnvRequest,
    engine: Engine,
    packages: list[Package],
    progress: Progress,
    upgrade: bool = False,
    repair: bool = False,
) -> list[Package]:
    if request.pip:
        if repair:
            repair_distributions(request.prefix, request.pip)
        recorded = read_env(request.prefix)[1]
        # A step of its own compiles faster, and a user's own env is compiled by what imports it.
        compiles = os.geteuid() == 0 and not request.compiled
        pip = Pip(request.wheels, progress, compiles)
        pip_install(request.prefix, request.pip, upgrade, contents_of(request.prefix, recorded).held, pip)
        require_one_of_each(request.prefix)
        packages = as_imported(packages, contents_of(request.prefix, recorded).replaced)
    if request.expect_torch:
        require_torch(request.prefix, *request.expect_torch)
    if request.compiled:
        compile_bytecode(request.prefix)
    write_record(request.prefix, request, engine.name, packages)
    if kind_of(request.prefix) == "unfinished":
        clear_changing(request.prefix)
    return packages


def _rename_into_place(staging: str, prefix: str) -> None:
    try:
        os.rename(staging, prefix)
    except OSError as error:
        raise _made_meanwhile(prefix, error) from error


def _made_meanwhile(prefix: str, error: OSError) -> UserError:
    return UserError(
        "%s to be free for the new env" % prefix,
        "%s (another run made it meanwhile)" % error.strerror,
        "run again, to check the env that is there now",
    )


def _discard(prefix: str, staging: str) -> None:
    # After an error rattler's threads may still link packages. Their folders are renamed away, so they fail.
    trash = leftovers.private_path(prefix, "removing")
    with contextlib.suppress(OSError):
        os.rename(staging, trash)
    shutil.rmtree(trash, ignore_errors=True)


def _make_folders(path: str) -> list[str]:
    """Make *path* and its missing parents; return what was made, deepest first."""
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
            "give a prefix or an envs_dir in which you can write",
        ) from error
    return made


def _remove_folders(paths: t.Iterable[str]) -> None:
    for path in paths:
        try:
            os.rmdir(path)
        except OSError:
            return
