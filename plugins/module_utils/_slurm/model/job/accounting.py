# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts, from what sacct prints. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

from ...._common.lines import lines_of
from ..states import plain
from .part import Part, exit_status


def parse_accounting(text: str, mark: str = "") -> list[Part]:
    """Lines of sacct's ``JobID|JobName|State|ExitCode|NodeList``; tasks of an array that wait are left out.

    :arg mark: the separator that sacct was asked for instead of ``|``: a name may have that, and lines.
    """
    if mark and mark in text:
        # The last cell of a line and the first one of the next are one text here; neither has a line break of its own.
        cells: list[str] = []
        for number, cell in enumerate(text.split(mark)):
            cells += cell.split("\n", 1) if number and number % 4 == 0 else [cell]
        rows = (cells[begin : begin + 5] for begin in range(0, len(cells) - 4, 5))
        text = "\n".join("|".join(cell.replace("\n", " ") for cell in row) for row in rows)
    parts = []
    for line in lines_of(text):
        match = re.fullmatch(r"\d{1,18}(?:_(\d{1,18})|(\+\d{1,18}))?\|(.*)\|([^|]*)\|([^|]*)\|([^|]*)", line)
        if match:
            code, signal = exit_status(match.group(5))
            name = match.group(1) or match.group(2) or ""
            nodes = "" if match.group(6) == "None assigned" else match.group(6)
            parts.append(
                Part(name, plain(match.group(4)), _who(match.group(4)), "", match.group(3), code, signal, nodes)
            )
    return parts


def _who(state: str) -> str:
    """``by user 2000`` for ``CANCELLED by 2000``, as sacct alone writes it."""
    match = re.fullmatch(r"CANCELLED by (\d{1,10})", state.strip())
    return "" if match is None else "by user %s%s" % (match.group(1), " (root)" if match.group(1) == "0" else "")
