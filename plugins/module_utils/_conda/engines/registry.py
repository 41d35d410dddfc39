# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine a play wants, where it is, and what this process must become to use it. Private to hpc.pytorch."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import typing as t

from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module, respawn_module

from ..._common.errors import UserError
from ..._common.process import clean_environment
from ..._common.progress import Progress
from ..._common.trust import require_trusted, untrusted_because
from ..apply.lifecycle import private_path
from ..env.sources import require_trusted_caches
from .base import Engine
from .cli.commands import OLDEST, Tool, is_too_old, kind_of_tool, variables
from .cli.engine import CliEngine
from .rattler.engine import RattlerEngine
from .venv import ENGINE_PREFIXES, engine_prefix_of, find_engine_python, missing_engine, require_rattler, runs_here

# Where a tool is looked for after $CONDA_ROOT/bin and PATH: the role conda's conda_prefix, Miniforge's own place, micromamba's.
PLACES = ("/opt/conda/bin", "~/miniforge3/bin", "~/.local/bin")
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


class Choice(t.Protocol):
    """An engine before it is used: what can be said of it without starting it, and how to start it."""

    name: str
    # The prefix whose condarc counts; None where there is no engine yet.
    root: str | None
    # Whether more is read there than channels, for a play that names none.
    uses_condarc: bool

    def missing(self) -> UserError:
        """What to say when an env must be made and there is no engine."""

    def enter(self, reads_condarc: bool) -> None:
        """Make sure that this process can use the engine; it may be run again by another interpreter for that.

        :raises UserError: it cannot.
        """

    def engine(self, prefix: str, package_cache: str | None, pkgs_dirs: t.Sequence[str], progress: Progress) -> Engine:
        """The engine for the env at *prefix*."""


def chosen(engine: str, executable: str | None) -> Choice:
    """The play's *engine* (``auto`` is rattler), at *executable* or where it is looked for.

    :raises UserError: root must not execute what was found.
    """
    return RattlerChoice(executable) if engine in ("auto", "rattler") else ToolChoice(engine, executable)


class RattlerChoice:
    """py-rattler, in this interpreter or in one to respawn into."""

    name = "rattler"
    uses_condarc = True

    def __init__(self, executable: str | None) -> None:
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

    def engine(self, prefix: str, package_cache: str | None, pkgs_dirs: t.Sequence[str], progress: Progress) -> Engine:
        home = os.path.expanduser("~")
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "rattler", "cache")
        if not package_cache and pkgs_dirs:
            # Beside conda's own packages, which have another layout; as conda, in the first folder that can be written to.
            folders = [os.path.expanduser(folder) for folder in pkgs_dirs]
            package_cache = os.path.join(next(filter(_is_writable, folders), folders[0]), ".rattler")
        # repodata is per user: rattler's lock files there are not made to be shared.
        package_cache, repodata_cache = package_cache or os.path.join(cache, "pkgs"), os.path.join(cache, "repodata")
        require_trusted_caches(package_cache, repodata_cache)
        return RattlerEngine(package_cache, repodata_cache, progress)


class ToolChoice:
    """conda, mamba or micromamba: a command that is run, and that reads its own condarc."""

    uses_condarc = False

    def __init__(self, kind: str, executable: str | None) -> None:
        self.name = kind
        self._asked_for = executable
        self._executable = find_tool(kind, executable)
        self.root = engine_prefix_of(self._executable) if self._executable else None
        self._tool: Tool | None = None

    def missing(self) -> UserError:
        return UserError(
            "%s at %s" % (self.name, self._asked_for or ", ".join(["$CONDA_ROOT/bin", "PATH", *PLACES])),
            "none there",
            "give its path as executable, or use engine rattler, which needs no base",
        )

    def enter(self, reads_condarc: bool) -> None:
        if self._executable is None:
            raise self.missing()
        self._tool = asked_tool(self.name, self._executable)
        if reads_condarc and importlib.util.find_spec("yaml") is None:
            _respawn_with_yaml()

    def engine(self, prefix: str, package_cache: str | None, pkgs_dirs: t.Sequence[str], progress: Progress) -> Engine:
        if self._tool is None:
            raise self.missing()
        if package_cache:
            require_trusted_caches(package_cache)
        return CliEngine(self._tool, package_cache, private_path(prefix, "partial"), progress)


def find_tool(kind: str, executable: str | None) -> str | None:
    """The absolute path of *kind*, or None where there is none (yet).

    :arg executable: the play's choice; then nothing else is looked at.
    :raises UserError: root must not execute it, or the interpreter that it starts.
    """
    if executable:
        found: str | None = executable if os.path.exists(executable) else None
    else:
        root = os.environ.get("CONDA_ROOT")
        paths = [os.path.join(root, "bin")] if root else []
        paths += [os.environ.get("PATH", ""), *(os.path.expanduser(place) for place in PLACES)]
        found = shutil.which(kind, path=os.pathsep.join(paths))
    if found:
        found = os.path.abspath(found)
        for path in [found, *_interpreters(found)]:
            require_trusted(path, "engine")
    return found


def _interpreters(script: str) -> list[str]:
    """What a script starts: the program of its first line, and the Python beside it, which conda's is."""
    with open(script, "rb") as stream:
        first = stream.readline(256)
    if not first.startswith(b"#!"):
        return []
    words = first[2:].decode(errors="replace").split()
    beside = os.path.join(os.path.dirname(script), "python")
    return [path for path in [*words[:1], beside] if path.startswith("/") and os.path.exists(path)]


def asked_tool(kind: str, executable: str) -> Tool:
    """What *executable* says that it is.

    :raises UserError: it does not run, is another tool, or too old.
    """
    try:
        done = subprocess.run(
            [executable, "--version"],
            check=False,
            env=variables(clean_environment(), None, None, None, ""),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        said = done.stdout if done.returncode == 0 else ""
        problem = (done.stderr or done.stdout).strip() or "exit status %d" % done.returncode
    except OSError as error:
        said, problem = "", error.strerror or str(error)
    found = kind_of_tool(said, os.path.basename(executable))
    if found is None or found[0] != kind:
        # mamba 1 names conda too.
        raise UserError(
            "%s at %s" % (kind, executable), said.strip() or problem, "give its path as executable, or correct engine"
        )
    if is_too_old(*found):
        raise UserError(
            "%s %s or newer" % (kind, ".".join(str(part) for part in OLDEST[kind])),
            "%s at %s" % (found[1], executable),
            "update it, or use engine rattler",
        )
    return Tool(kind, executable, found[1])


def _respawn_with_yaml() -> None:
    candidates = [os.path.join(os.path.expanduser(prefix), "bin", "python") for prefix in ENGINE_PREFIXES]
    candidates += _SYSTEM_PYTHONS
    trusted = [
        path for path in candidates if os.path.exists(path) and not (os.geteuid() == 0 and untrusted_because(path))
    ]
    python = None if has_respawned() else probe_interpreters_for_module(trusted, "yaml")
    if python is None:
        raise UserError(
            "channels, or a Python with PyYAML that can read them in the condarc",
            "no PyYAML for %s" % ", ".join([sys.executable, *trusted]),
            "set channels, or install PyYAML for one of these",
        )
    respawn_module(python)


def _is_writable(folder: str) -> bool:
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK)
