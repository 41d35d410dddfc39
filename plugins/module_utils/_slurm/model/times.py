# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as Slurm takes and prints them. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import math
import time

from ..._common.lines import whole


def minutes(text: str) -> float | None:
    """A time limit in minutes: ``90``, ``1:30`` (M:S), ``1:30:00``, ``1-12``, ``1-12:30`` or ``1-12:30:00``.

    None for no limit (``UNLIMITED``), and for what is no time.
    """
    days, hyphen, rest = text.strip().rpartition("-")
    parts = rest.split(":")
    if not all(whole(part) is not None for part in [*parts, *([days] if hyphen else [])]):
        return None
    numbers = [int(part) for part in parts]
    if hyphen:
        hours, mins, seconds = (numbers + [0, 0])[:3]
        return int(days) * 1440 + hours * 60 + mins + seconds / 60
    if len(numbers) == 3:
        return numbers[0] * 60 + numbers[1] + numbers[2] / 60
    return numbers[0] + (numbers[1] / 60 if len(numbers) == 2 else 0)


def whole_minutes(text: str) -> int | None:
    """As minutes, rounded up: ``whole_minutes("00:00:30")`` is 1."""
    found = minutes(text)
    return None if found is None else math.ceil(found)


def show_minutes(limit: int) -> str:
    """The opposite: ``show_minutes(1530)`` is ``1-01:30:00``."""
    days, rest = divmod(limit, 1440)
    return ("%d-" % days if days else "") + "%02d:%02d:00" % divmod(rest, 60)


def moment(text: str) -> float | None:
    """Slurm's local time, such as ``2026-11-24T14:36:13``, in seconds since 1970; None for Unknown and the like."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return None
