# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the interpreter that has py-rattler. Private to hpc.pytorch."""

from __future__ import annotations

import importlib.util
import os
import sys

from ansible.module_utils.common.respawn import respawn_module

from ..._common.errors import UserError
from ..._common.process import forward_to_child, run
from ..._files.environment import clean_environment, set_own_environment
from ..._files.trust import require_trusted, require_trusted_env
from .python import OLDEST_PYTHON

# One venv per site; a user without one gets their own, which wins.
ENGINE_PREFIXES = ("~/.local/share/hpc.pytorch/engine", "/opt/hpc.pytorch/engine")
_REMEDY = "run role hpc.pytorch.conda (entry point engine), and set executable to bin/python of its venv"


def find_engine_python(executable: str | None) -> str | None:
    """The interpreter to run the rattler engine with, or None if there is none (yet).

    :arg executable: the caller's choice; then no other place is searched.
    :raises UserError: an interpreter that root must not execute.
    """
    if executable:
        found: str | None = executable if os.path.exists(executable) else None
    elif sys.version_info[:2] >= OLDEST_PYTHON and has_rattler():
        found = sys.executable
    else:
        candidates = (os.path.join(os.path.expanduser(prefix), "bin", "python") for prefix in ENGINE_PREFIXES)
        found = next((path for path in candidates if os.path.exists(path)), None)
    if found and not runs_here(found):
        require_trusted(found, "an engine")
    return found


def require_trusted_engine(python: str) -> None:
    """Refuse, as root, a venv in which another user can write. Called only when the engine is needed.

    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.path.exists(os.path.join(engine_prefix_of(python), "pyvenv.cfg")):
        require_trusted_env(engine_prefix_of(python), "an engine")


def require_rattler(python: str) -> None:
    """Refuse an interpreter that root must not run, that does not run, is too old, or has no py-rattler.

    :raises UserError: with the interpreter's last error line.
    """
    require_trusted_engine(python)
    # The version first: a Python that is too old may have an old py-rattler.
    code = "import sys; sys.stdout.write('%d.%d.%d\\n' % sys.version_info[:3]); sys.stdout.flush(); "
    code += "import rattler; print('rattler')"
    try:
        done = run([python, "-I", "-c", code], clean_environment())
        problem = done.last_error
        version, _newline, rest = done.stdout.partition("\n")
    except OSError as error:
        problem, version, rest = error.strerror or str(error), "", ""
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    oldest = "%d.%d" % OLDEST_PYTHON
    if numbers and numbers[:2] < OLDEST_PYTHON:
        raise UserError(
            "a Python %s or newer with py-rattler at %s" % (oldest, python),
            "Python %s there" % ".".join(str(number) for number in numbers),
            "%s; if it finds no Python %s or newer, install one (on EL8 python3.12) or set conda_engine_python"
            % (_REMEDY, oldest),
        )
    if rest.strip() != "rattler":
        raise UserError(
            "a Python with py-rattler at %s" % python,
            problem,
            _REMEDY,
        )


def respawn_in(python: str) -> None:
    """Run this module again with *python*, in an empty place. Does not return."""
    # The interpreter reads the module from its standard input, and then imports from its current folder first.
    os.chdir("/")
    set_own_environment()
    forward_to_child()
    respawn_module(in_its_venv(python))


def engine_prefix_of(python: str) -> str:
    """The prefix of an interpreter or a tool: two folders above it. Its own symlink is not followed."""
    return os.path.dirname(os.path.dirname(os.path.abspath(python)))


def runs_here(python: str) -> bool:
    """Whether this process runs *python*."""
    return in_its_venv(python) == in_its_venv(sys.executable)


def has_rattler() -> bool:
    """Whether this process can import py-rattler. An engine's venv cannot any more after an upgrade of its Python."""
    return importlib.util.find_spec("rattler") is not None


def in_its_venv(python: str) -> str:
    """*python* in the folder that its venv has today: the engine's prefix is a symlink, which may be switched.

    The interpreter's own symlink is not followed, since it leads out of the venv.
    """
    folder, name = os.path.split(os.path.abspath(python))
    return os.path.join(os.path.realpath(folder), name)


def missing_engine(executable: str | None) -> UserError:
    """The error for an env that needs the engine when there is none."""
    return UserError(
        "the rattler engine at %s" % (executable or " or ".join(ENGINE_PREFIXES)),
        "none there",
        "run role hpc.pytorch.conda (entry point engine), or give the path of a Python with py-rattler as executable",
    )
