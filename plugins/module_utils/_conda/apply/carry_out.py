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
from ..env.request import EnvRequest
from . import lifecycle
from .environments_txt import add_env, warning_unless_done
from .plan import EnvPlan


def carry_out(plan: EnvPlan, home: str | None) -> list[str]:
    """Make or change the env; return warnings.

    :arg home: the home directory in whose list of envs the env is entered, or None.
    :raises UserError: a new env is removed again; an existing one is unchanged or marked as unfinished.
    """
    with _lock_file_written(plan) as request:
        if not plan.exists:
            lifecycle.create(request, plan.engine, plan.solution)
        elif plan.changes_env:
            lifecycle.change(
                request,
                plan.engine,
                plan.solution,
                plan.reinstall,
                upgrade=plan.upgrade,
                repair=bool(plan.damage.distributions),
            )
        else:
            # Only our record changes. If the env belongs to another user, it stays as it is.
            with contextlib.suppress(OSError):
                write_record(request.prefix, request, plan.engine.name, plan.solution.packages)
    if home is None:
        return []
    return warning_unless_done("not", lambda: add_env(plan.request.prefix, home))


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
