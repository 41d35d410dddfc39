# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of this collection. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re


def collection_version() -> str:
    """The version of this collection: an installed one has MANIFEST.json, a checkout galaxy.yml."""
    root = pathlib.Path(__file__).parents[2]
    with contextlib.suppress(FileNotFoundError):
        return str(json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    match = re.search(r"^version: *(\S+)", (root / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"
