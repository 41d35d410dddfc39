# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what pip prints while it works: which projects it brings, and how large their files are. No I/O.

Private to hpc.pytorch. The lines are those of pip 22 to 26.
"""

from __future__ import annotations

import fnmatch
import os
import re
import typing as t

_COLLECTING = re.compile(r"^\s*(?:Collecting|Processing) (\S+)")
_DOWNLOADING = re.compile(
    r"^\s*(?:Downloading|Processing) (\S+\.whl)(?:\.metadata)?(?: \(([\d.]+) (bytes|kB|MB|GB)\))?"
)
_INSTALLING = re.compile(r"^\s*Installing collected packages: (.+)")
_UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def brought(line: str) -> str | None:
    """The project that a line announces: ``Collecting NAME==1``, ``Processing /folder/NAME-1-py3-none-any.whl``."""
    match = _COLLECTING.match(line)
    if not match:
        return None
    named = os.path.basename(match.group(1))
    return named.split("-")[0] if named.endswith(".whl") else re.split(r"[\[<>=!~;(]", named)[0]


def downloaded(line: str) -> tuple[str, float] | None:
    """The wheel that a line announces, and its size in megabytes; None without one, or for its metadata alone."""
    match = _DOWNLOADING.match(line)
    if not match or not match.group(2) or ".metadata" in line:
        return None
    return match.group(1), float(match.group(2)) * _UNITS[match.group(3)]


def step(line: str) -> tuple[str, str] | None:
    """The step and the item that a line is about, for a progress line; None for any other line.

    ``step("Collecting torch==2.13.0")`` is ``("find", "torch==2.13.0")``.
    """
    match = _DOWNLOADING.match(line)
    if match and not line.lstrip().startswith("Processing") and ".metadata" not in line:
        return "download", os.path.basename(match.group(1))
    match = _COLLECTING.match(line)
    if match:
        return "find", os.path.basename(match.group(1))
    match = _INSTALLING.match(line)
    return ("install", match.group(1)) if match else None


def is_refused(name: str, patterns: t.Iterable[str]) -> bool:
    """Whether a project's name matches a pattern such as ``nvidia-*``, however it is written."""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return any(fnmatch.fnmatchcase(normal, pattern.lower()) for pattern in patterns)
