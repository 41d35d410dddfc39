# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the plan of a change: the lock file, the env, conda's list of envs. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ..._files.files import sha256_of_file, write_atomically
from ..._files.scratch import scratch_folder
from ..env.own_record import write_record
from ..env.packages import Package
from ..env.request import EnvRequest
from ..site_packages.replaced import as_imported
from ..site_packages.torch_version import require_torch
from . import lifecycle
from .environments_txt import add_env, warning_unless_done
from .plan import EnvPlan


def carry_out(plan: EnvPlan, home: str | None) -> tuple[list[Package], list[str]]:
    """Make or change the env; return its packages, with the versions that its Python imports, and warnings.

    :arg home: the home directory in whose list of envs the env is entered, or None.
    :raises UserError: a new env is removed again; an existing one is unchanged or marked as unfinished.
    """
    with _lock_file_written(plan) as request:
        if not plan.exists:
            packages = lifecycle.create(request, plan.engine, plan.solution, plan.progress)
        elif plan.changes_env:
            packages = lifecycle.change(
                request,
                plan.engine,
                plan.solution,
                plan.reinstall,
                plan.removed(),
                upgrade=plan.upgrade,
                repair=bool(plan.damage.distributions),
                progress=plan.progress,
            )
        else:
            packages = as_imported(plan.solution.packages, plan.contents.replaced)
            if request.expect_torch:
                require_torch(request.prefix, *request.expect_torch)
            # Only our record changes. If the env belongs to another user, it stays as it is.
            with contextlib.suppress(OSError):
                write_record(request.prefix, request, plan.engine.name, packages)
    if home is None:
        return packages, []
    return packages, warning_unless_done("not", lambda: add_env(plan.request.prefix, home))


@contextlib.contextmanager
def _lock_file_written(plan: EnvPlan) -> t.Iterator[EnvRequest]:
    """Write the plan's lock file, if any, when the block has succeeded. Yields the request with the file's hash."""
    if plan.lock_file is None:
        yield plan.request
        return
    with scratch_folder() as folder:
        draft = os.path.join(folder, "lock")
        plan.engine.write_lock(draft, plan.solution, plan.to_solve)
        yield plan.request._replace(lock_sha256=sha256_of_file(draft))
        # A solution that could not be installed gets no lock file.
        with open(draft, "rb") as stream:
            content = stream.read()
    os.makedirs(os.path.dirname(plan.lock_file), exist_ok=True)
    write_atomically(plan.lock_file, content)
