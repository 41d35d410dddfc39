# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a job by the mark in its comment, in what squeue prints. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ...._common.lines import lines_of
from ..times import moment

# squeue's columns; the last one may hold the separator.
FORMAT = "%A|%F|%k"
FORMAT_OF_SCRIPTS = "%A|%V|%o|%k"


def marked(text: str, mark: str, cluster: str = "") -> tuple[str, str] | None:
    """The number of the job whose comment holds *mark*, and its cluster: ``("7", "gpus")``; None if there is none.

    :arg text: lines of FORMAT.
    :arg cluster: the one that was asked. With several, squeue writes a line above the jobs of each.
    """
    for line in lines_of(text):
        number, array, comment = (line.split("|", 2) + ["", ""])[:3]
        if line.startswith("CLUSTER: "):
            cluster = line.partition(" ")[2].strip()
        elif mark in comment:
            return array.strip() or number.strip(), cluster
    return None


def unmarked(text: str, path: str, since: float, mark: str) -> str | None:
    """The number of a job of the script at *path* that was submitted since a time and has no mark at all.

    :arg text: lines of FORMAT_OF_SCRIPTS.
    :arg mark: what every mark begins with.
    """
    for line in lines_of(text):
        number, submitted, rest = (line.split("|", 2) + ["", ""])[:3]
        when = moment(submitted.strip())
        if when is not None and when >= since and rest.startswith(path + "|") and mark not in rest[len(path) :]:
            return number.strip()
    return None
