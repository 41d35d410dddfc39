# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes files that no package owns: bytecode of removed modules, temporary files of killed runs.

Private to hpc.pytorch.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil

from .prefix import site_packages_folders
from .records import package_records

# Temporary names of py-rattler 0.28.0, of our own atomic writes, and of libmamba 2.8.1, which leaves its lock behind.
_TEMPORARY = (
    "conda-meta/prefix_record_??????",
    "conda-meta/.*.????????",
    ".refprobe-??????",
    "conda-meta/conda-meta.lock",
)


def remove_temporary_files(prefix: str) -> None:
    """Delete the temporary files of a killed run. No other run may be changing the env."""
    for pattern in _TEMPORARY:
        for path in glob.glob(os.path.join(glob.escape(prefix), pattern)):
            _remove(path)
    for folder in site_packages_folders(prefix):
        for name in os.listdir(folder):
            # pip renames what it replaces to ~name, and back if it fails.
            if name.startswith("~"):
                _remove(os.path.join(folder, name))


def remove_stale_bytecode(prefix: str) -> None:
    """Delete the ``.pyc`` files of removed modules, and the folders that hold nothing else.

    Python never reads them, but takes their folders for namespace packages. Files that a package brought stay.
    """
    owned: set[str] | None = None
    for top in site_packages_folders(prefix):
        for folder, _unused, names in os.walk(os.path.dirname(top)):
            if os.path.basename(folder) != "__pycache__":
                continue
            stale = [name for name in names if name.endswith(".pyc") and not _has_source(folder, name)]
            if stale and owned is None:
                owned = _owned_bytecode(prefix)
            gone = [name for name in stale if os.path.relpath(os.path.join(folder, name), prefix) not in (owned or ())]
            for name in gone:
                os.unlink(os.path.join(folder, name))
            if gone:
                _remove_empty(folder, top)


def _has_source(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py"))


def _owned_bytecode(prefix: str) -> set[str]:
    return {
        str(path) for meta in package_records(prefix) for path in meta.get("files") or [] if str(path).endswith(".pyc")
    }


def _remove_empty(folder: str, top: str) -> None:
    with contextlib.suppress(OSError):
        while folder not in (top, os.path.dirname(top)):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
