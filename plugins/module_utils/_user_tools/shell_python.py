# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the Python that the user's shell would run. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from .._common.errors import UserError

# In the order in which activation changes PATH.
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")


class ShellPython(t.NamedTuple):
    """A Python on PATH.

    :arg note: what the user should know about it; empty for nothing.
    """

    path: str
    note: str


def shell_python(variables: t.Mapping[str, str]) -> ShellPython:
    """The first python3 or python on PATH, which is the active environment's unless something came before it.

    :arg variables: those of the shell: PATH, VIRTUAL_ENV, CONDA_PREFIX.
    :raises UserError: there is none.
    """
    for folder in variables.get("PATH", "").split(os.pathsep):
        for name in ("python3", "python"):
            path = os.path.join(folder, name)
            # A relative element would make the answer depend on the current folder.
            if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
                return ShellPython(path, _note(path, variables))
    raise UserError(
        "python3 or python on PATH", "neither", "activate the environment with torch, or name it with --prefix"
    )


def _note(python: str, variables: t.Mapping[str, str]) -> str:
    active = {name: variables[name] for name in _ACTIVE if variables.get(name)}
    root = os.path.realpath(os.path.dirname(os.path.dirname(python)))
    if not active or any(os.path.realpath(prefix) == root for prefix in active.values()):
        return ""
    name, prefix = next(iter(active.items()))
    return (
        "%s is tested, which comes before the active environment on PATH (%s is %s);"
        " activate that one last, after each module load, or name it with --prefix" % (python, name, prefix)
    )
