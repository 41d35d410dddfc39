# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files of an env are what its packages brought. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import typing as t

from .._host.files import sha256_of_file
from .prefix import package_records


def damaged_packages(prefix: str) -> t.Set[str]:
    """Names of packages with a file that is missing or has another content than was installed."""
    return {str(meta["name"]) for meta in package_records(prefix) if _is_damaged(prefix, meta)}


def _is_damaged(prefix: str, meta: t.Mapping[str, t.Any]) -> bool:
    for entry in (meta.get("paths_data") or {}).get("paths") or []:
        path = os.path.join(prefix, entry["_path"])
        try:
            status = os.lstat(path)
        except OSError:
            return True
        if entry.get("path_type") != "hardlink":
            continue
        if not stat.S_ISREG(status.st_mode):
            return True
        if entry["_path"].endswith(".pyc"):
            # Python rewrites these.
            continue
        # conda records the size before the prefix was written into the file.
        size = entry.get("size_in_bytes")
        if size is not None and not entry.get("prefix_placeholder") and status.st_size != size:
            return True
        wanted = entry.get("sha256_in_prefix") or entry.get("sha256")
        if wanted and sha256_of_file(path) != wanted:
            return True
    return False
