# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value may name a variable of the job, and which. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError, shown
from ..sbatch.script_text import Directives
from .shell import variables

# Slurm numbers tasks and nodes in each task; the batch shell, which expands the values, has 0.
_OF_A_TASK = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
# The options whose values the job expands.
_EXPANDED = (
    "conda_prefix",
    "conda_env",
    "venv",
    "uv_project",
    "container",
    "modules_use",
    "exports",
    "launcher_options",
    "srun_options",
)
# Text that nothing reads as a path or a name.
_PROSE = ("comment", "admin-comment", "extra")
_INSTEAD = {
    "output": "use a pattern of sbatch, such as %u for the user and %j for the job's id, or write the path out",
    "error": "use a pattern of sbatch, such as %u for the user and %j for the job's id, or write the path out",
    "chdir": "write the path out, or change the folder in pre",
    "export": "set the variable in exports",
    "job-name": "write the name out",
}


def refuse_in_directives(directives: Directives) -> None:
    """Refuse variables in directives: sbatch reads them as they stand.

    :raises UserError: a directive with ``$NAME`` or ``${NAME}``.
    """
    for name, value in directives.items():
        if isinstance(value, str) and name not in _PROSE and variables(value):
            raise UserError(
                "%s to be without variables, which sbatch does not expand in directives" % name.replace("-", "_"),
                shown(value),
                _INSTEAD.get(name, "write the value out"),
            )


def require_of_the_job(params: t.Mapping[str, t.Any]) -> None:
    """Refuse variables that each task has for itself, in values that the batch shell expands.

    :raises UserError: an option with one of them.
    """
    for option in _EXPANDED:
        for text in _texts(params.get(option)):
            for one in variables(text):
                if one.name in _OF_A_TASK:
                    raise UserError(
                        "%s to have variables that are the same in the whole job" % option,
                        "$%s, which is 0 in the batch shell that expands it" % one.name,
                        "read it in the program that command starts",
                    )


def _texts(given: t.Any) -> t.Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for value in given.values():
            yield from _texts(value)
    elif isinstance(given, (list, tuple)):
        for value in given:
            yield from _texts(value)
