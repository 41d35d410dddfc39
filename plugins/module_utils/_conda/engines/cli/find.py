# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the commands conda, mamba and micromamba, and reads their versions. Private to hpc.pytorch."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil

from ...._common.errors import UserError
from ...._common.lines import with_line_feeds
from ...._common.process import run
from ...._files.environment import clean_environment
from ...._files.files import open_regular
from ...._files.leftovers import private_path
from ...._files.trust import require_trusted, require_trusted_place
from ..base import Build, Engine, EngineKind, EnginePlace
from ..condarc import respawn_with_yaml
from .commands import variables
from .tool import OLDEST, Tool, is_too_old, read_version

# Where a tool is searched after $CONDA_ROOT/bin and PATH: the default of role conda's conda_prefix, Miniforge's
# default, micromamba's default.
PLACES = ("/opt/conda/bin", "~/miniforge3/bin", "~/.local/bin")


def find_tool(kind: str, executable: str | None) -> str | None:
    """The absolute path of *kind*, or None if it is not installed (yet).

    :arg executable: the caller's choice; then no other place is searched.
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
            require_trusted(path, "an engine")
    return found


def probe_tool(kind: str, executable: str) -> Tool:
    """The tool at *executable*, with its version.

    :raises UserError: it does not run, is another tool, or is too old.
    """
    try:
        done = run([executable, "--version"], variables(clean_environment(), None, None, None, ""))
        output = with_line_feeds(done.stdout) if done.returncode == 0 else ""
        problem = with_line_feeds(done.stderr or done.stdout).strip() or "exit status %d" % done.returncode
    except OSError as error:
        output, problem = "", error.strerror or str(error)
    found = read_version(output, os.path.basename(executable))
    if found is None or found[0] != kind:
        # mamba 1 prints conda's version too.
        raise UserError(
            "%s at %s" % (kind, executable),
            output.strip() or problem,
            "give its path as executable, or correct engine",
        )
    if is_too_old(*found):
        raise UserError(
            "%s %s or newer" % (kind, ".".join(str(part) for part in OLDEST[kind])),
            "%s at %s" % (found[1], executable),
            "update it, or use engine rattler",
        )
    return Tool(kind, executable, found[1])


def _interpreters(script: str) -> list[str]:
    """What a script starts: the program of its first line, and the Python in its own folder, as for conda."""
    with open_regular(script) as stream:
        first = stream.readline(256)
    if not first.startswith(b"#!"):
        return []
    words = first[2:].decode(errors="replace").split()
    neighbour = os.path.join(os.path.dirname(script), "python")
    return [path for path in [*words[:1], neighbour] if path.startswith("/") and os.path.exists(path)]


def _missing(kind: str, executable: str | None) -> UserError:
    return UserError(
        "%s at %s" % (kind, executable or ", ".join(["$CONDA_ROOT/bin", "PATH", *PLACES])),
        "none there",
        "give its path as executable, or use engine rattler, which needs no base",
    )


def _start(kind: str, executable: str, needs_yaml: bool) -> Build:
    tool = probe_tool(kind, executable)
    if needs_yaml and importlib.util.find_spec("yaml") is None:
        respawn_with_yaml()
    return functools.partial(_build, tool)


def _build(tool: Tool, place: EnginePlace) -> Engine:
    # Imported here: a call that changes nothing does not need it.
    from .engine import CliEngine

    if place.package_cache:
        require_trusted_place(place.package_cache, "a cache at")
    return CliEngine(tool, place.package_cache, private_path(place.prefix, "partial"), place.progress)


KINDS = [
    EngineKind(
        name=kind,
        # They read the condarc themselves.
        reads_pkgs_dirs=False,
        find=functools.partial(find_tool, kind),
        missing=functools.partial(_missing, kind),
        start=functools.partial(_start, kind),
    )
    for kind in OLDEST
]
