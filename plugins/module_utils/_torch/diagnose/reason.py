# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cause is made of. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class Reason(t.NamedTuple):
    """One cause, each part on one line."""

    code: str
    message: str
    remedy: str


def last_line(text: str) -> str:
    """The last line with something on it, not too long."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def first_line(text: str) -> str:
    """The first line with something on it, not too long: where CUDA's errors have their point."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:500] if lines else ""


def names_of(devices: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Devices, for a sentence."""
    return ", ".join(
        "device %d%s" % (item["index"], " (%s)" % item["name"] if item["name"] else "") for item in devices
    )
