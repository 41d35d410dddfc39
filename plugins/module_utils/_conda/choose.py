# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine a play wants, where it is, and what this process must become to use it. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.common.respawn import has_respawned, respawn_module

from .._host.errors import UserError
from .._host.progress import Progress
from .engine import Engine
from .engine_venv import engine_prefix_of, find_engine_python, missing_engine, require_rattler, runs_here
from .rattler_engine import RattlerEngine


class Choice(t.Protocol):
    """An engine before it is used: what can be said of it without starting it, and how to start it."""

    name: str
    # The prefix whose condarc counts; None where there is no engine yet.
    root: t.Optional[str]
    # Whether more is read there than channels, for a play that names none.
    uses_condarc: bool

    def missing(self) -> UserError:
        """What to say when an env must be made and there is no engine."""

    def enter(self, reads_condarc: bool) -> None:
        """Make sure that this process can use the engine; it may be run again by another interpreter for that.

        :raises UserError: it cannot.
        """

    def engine(self, prefix: str, package_cache: t.Optional[str], pkgs_dirs: t.Sequence[str], progress: Progress) -> Engine:
        """The engine for the env at *prefix*."""


def chosen(engine: str, executable: t.Optional[str]) -> Choice:
    """The play's *engine* (``auto`` is rattler), at *executable* or where it is looked for.

    :raises UserError: root must not execute what was found.
    """
    return RattlerChoice(executable)


class RattlerChoice:
    """py-rattler, in this interpreter or in one to respawn into."""

    name = "rattler"
    uses_condarc = True

    def __init__(self, executable: t.Optional[str]) -> None:
        self._executable = executable
        self._python = find_engine_python(executable)
        self.root = engine_prefix_of(self._python) if self._python else None

    def missing(self) -> UserError:
        return missing_engine(self._executable)

    def enter(self, reads_condarc: bool) -> None:
        if self._python is None or (has_respawned() and not runs_here(self._python)):
            raise self.missing()
        if not runs_here(self._python):
            require_rattler(self._python)
            respawn_module(self._python)

    def engine(self, prefix: str, package_cache: t.Optional[str], pkgs_dirs: t.Sequence[str], progress: Progress) -> Engine:
        home = os.path.expanduser("~")
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "rattler", "cache")
        if not package_cache and pkgs_dirs:
            # Beside conda's own packages, which have another layout; as conda, in the first folder that can be written to.
            folders = [os.path.expanduser(folder) for folder in pkgs_dirs]
            package_cache = os.path.join(next(filter(_is_writable, folders), folders[0]), ".rattler")
        # repodata is per user: rattler's lock files there are not made to be shared.
        return RattlerEngine(package_cache or os.path.join(cache, "pkgs"), os.path.join(cache, "repodata"), progress)


def _is_writable(folder: str) -> bool:
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK)
