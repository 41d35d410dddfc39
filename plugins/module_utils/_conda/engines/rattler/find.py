# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds py-rattler and makes this process one that can import it. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.common.respawn import has_respawned

from ...._files.environment import keep_roots_own
from ...._files.paths import nearest_existing
from ...._files.trust import require_trusted_place
from ..base import Build, Engine, EngineKind, EnginePlace
from ..venv import find_engine_python, has_rattler, missing_engine, require_rattler, respawn_in, runs_here


def _start(python: str, _needs_yaml: bool) -> Build:
    # The engine's venv has PyYAML too.
    if not runs_here(python) or not has_rattler():
        if has_respawned():
            raise missing_engine(python)
        require_rattler(python)
        respawn_in(python)
    return _build


def _build(place: EnginePlace) -> Engine:
    # Imported here: a call that changes nothing needs neither asyncio nor the engine.
    from .engine import RattlerEngine

    home = os.path.expanduser("~")
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "rattler", "cache")
    package_cache = place.package_cache or _cache_in(place.pkgs_dirs) or os.path.join(cache, "pkgs")
    # The index cache is per user: rattler's lock files there are not made to be shared.
    repodata_cache = os.path.join(cache, "repodata")
    for folder in (package_cache, repodata_cache):
        require_trusted_place(folder, "a cache at")
    # rattler asks nvidia-smi on PATH for the driver, and reads certificates and logins that variables name.
    keep_roots_own()
    return RattlerEngine(package_cache, repodata_cache, place.progress, os.path.join(cache, "pkgs"))


def _cache_in(pkgs_dirs: t.Sequence[str]) -> str | None:
    """Like conda, take the first folder that is writable; next to conda's packages, which have another layout."""
    folders = [os.path.expanduser(folder) for folder in pkgs_dirs]
    if not folders:
        return None
    return os.path.join(next(filter(_is_writable, folders), folders[0]), ".rattler")


def _is_writable(folder: str) -> bool:
    folder = nearest_existing(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK)


KIND = EngineKind(
    name="rattler",
    reads_pkgs_dirs=True,
    find=find_engine_python,
    missing=missing_engine,
    start=_start,
)
