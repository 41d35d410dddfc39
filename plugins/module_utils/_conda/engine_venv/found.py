# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is at an engine's prefix now, and whether it is ours. Reads only. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import typing as t

from ..._common.errors import UserError, some
from ..._files.files import open_regular
from .request import EngineRequest

# Below a venv. The record is written last: a venv without it is not finished.
RECORD = ".hpc_pytorch.engine.json"
BUILDING = ".hpc_pytorch.building"
REQUIREMENTS = "requirements.txt"
CONDARC = ".condarc"
_OURS = (RECORD, BUILDING, BUILDING + ".tmp", REQUIREMENTS, CONDARC)
VENV = re.compile(r"venv\.[a-z0-9_]{8}\Z")
# An engine that lay in the prefix itself, after a new one took its place.
_OLDER = re.compile(r"older\.[a-z0-9_]{8}\Z")
# What Python's venv and packages put into a venv's own folder.
_PARTS = frozenset(("bin", "include", "lib", "lib64", "share", "etc", "man", "pyvenv.cfg", ".gitignore"))
# How the requirements began of an engine that role conda made in the prefix itself, before this module.
_OLDER_FIRST_LINE = "# What the engine's venv holds"
_LARGEST = 1 << 20


class Found(t.NamedTuple):
    """What users find at the prefix.

    :arg venv: the folder of the engine, or None if there is none.
    :arg requirements: the requirements that it was finished with; empty if it is not usable.
    :arg older: whether it lies in the prefix itself, as engines did before this module.
    """

    venv: str | None
    requirements: str = ""
    older: bool = False


def find_engine(request: EngineRequest) -> Found:
    """The engine at the prefix.

    :raises UserError: something else is there; it is never moved, emptied or removed.
    """
    try:
        status = os.lstat(request.prefix)
    except FileNotFoundError:
        return Found(None)
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(request.prefix)
        folder, name = os.path.split(target)
        if folder not in (os.path.basename(request.store), request.store) or not VENV.match(name):
            raise _refused(request, "a symlink to %s" % target)
        venv = os.path.join(request.store, name)
        require_nothing_else(request, venv)
        return Found(venv, requirements_of(venv))
    if not stat.S_ISDIR(status.st_mode):
        raise _refused(request, "a file")
    if not os.listdir(request.prefix):
        return Found(None)
    text = _text(os.path.join(request.prefix, REQUIREMENTS))
    if not text.startswith(_OLDER_FIRST_LINE) or not os.path.isfile(os.path.join(request.prefix, "pyvenv.cfg")):
        raise _refused(request, "a folder that this module did not make")
    require_nothing_else(request, request.prefix)
    return Found(request.prefix, text if _runs(request.prefix, text) else "", older=True)


def require_nothing_else(request: EngineRequest, venv: str) -> None:
    """Refuse an engine whose folder also holds something else, as it would be lost with the engine.

    :raises UserError: with the names of what else it holds.
    """
    others = foreign_in(venv)
    if others:
        raise UserError(
            "nothing but an engine at %s" % request.prefix,
            "%s in it" % some(others, 3),
            "choose another conda_engine_prefix (the option prefix), or move that to another folder",
        )


def foreign_in(venv: str) -> list[str]:
    """The names in the folder *venv* that are not an engine's."""
    try:
        names = sorted(os.listdir(venv))
    except (FileNotFoundError, NotADirectoryError):
        return []
    known = {*_PARTS, *_OURS, *_record(venv).get("parts", ())}
    return [name for name in names if name not in known and not name.startswith(CONDARC + ".")]


def requirements_of(venv: str) -> str:
    """The requirements that *venv* was finished with; empty if it is not finished, or does not run any more."""
    text = _text(os.path.join(venv, REQUIREMENTS))
    return text if _record(venv) and _runs(venv, text) else ""


def is_ours(venv: str) -> bool:
    """Whether this module made the folder *venv*, finished or not. An empty one was interrupted at once."""
    name = os.path.basename(venv)
    if os.path.islink(venv) or not os.path.isdir(venv):
        return False
    if _OLDER.match(name):
        return os.path.isfile(os.path.join(venv, "pyvenv.cfg"))
    if not VENV.match(name):
        return False
    return bool(_record(venv)) or os.path.lexists(os.path.join(venv, BUILDING)) or not os.listdir(venv)


def _record(venv: str) -> dict[str, t.Any]:
    try:
        record = json.loads(_text(os.path.join(venv, RECORD)))
    except ValueError:
        return {}
    return record if isinstance(record, dict) and isinstance(record.get("parts"), list) else {}


def _runs(venv: str, requirements: str) -> bool:
    """Whether the Python that *venv* was made with is still installed and finds py-rattler, if that is required.

    An update of the system removes a Python, or puts the next release in its place, which has other folders.
    """
    python = os.path.join(venv, "bin", "python")
    if not os.access(python, os.X_OK):
        return False
    release = re.fullmatch(r"python3\.\d+", os.path.basename(os.path.realpath(python)))
    if not release or not re.search(r"(?m)^py-rattler\b", requirements):
        return True
    module = os.path.join(release.group(), "site-packages", "rattler", "__init__.py")
    return any(os.path.isfile(os.path.join(venv, lib, module)) for lib in ("lib", "lib64"))


def _text(path: str) -> str:
    with contextlib.suppress(OSError), open_regular(path) as stream:
        return stream.read(_LARGEST).decode("utf-8", "replace")
    return ""


def _refused(request: EngineRequest, found: str) -> UserError:
    return UserError(
        "nothing, an empty folder or an engine of this collection at %s" % request.prefix,
        found,
        "choose another conda_engine_prefix (the option prefix), or move that away by hand",
    )
