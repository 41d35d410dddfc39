# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cause as torch_info returns it, and what its message is made of. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.lines import lines_of


class Reason(t.NamedTuple):
    """One cause, each part on one line."""

    code: str
    message: str
    remedy: str


def last_line(text: str) -> str:
    """Return the last line that is not blank, cut to 500 characters."""
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    return lines[-1][:500] if lines else ""


def first_line(text: str) -> str:
    """Return the first line that is not blank, cut to 500 characters: CUDA's errors begin with their point."""
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    return lines[0][:500] if lines else ""


def names_of(devices: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Return devices for a sentence: ``device 0 (TITAN V), device 1 (TITAN V)``."""
    return ", ".join(
        "device %d%s" % (item["index"], " (%s)" % item["name"] if item["name"] else "") for item in devices
    )
