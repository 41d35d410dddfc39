# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts, from squeue's columns of fixed widths. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ...._common.lines import lines_of, whole
from ..pairs import given
from .part import Part

# squeue's columns and their widths. Slurm writes all of them; the reason is last.
COLUMNS = (
    ("jobid", 12),
    ("arraytaskid", 12),
    ("userid", 12),
    ("state", 24),
    ("exit_code", 12),
    ("restartcnt", 12),
    ("nodelist", 1024),
    ("reason", 256),
)


class Row(t.NamedTuple):
    """What squeue shows of a part. No other user can have written it."""

    number: str
    task: str
    owner: int
    state: str
    exit_code: int
    signal: int
    restarts: int
    nodes: str
    reason: str


def parse_rows(text: str) -> list[Row]:
    """Lines of squeue with COLUMNS. Other lines are left out."""
    rows = []
    for line in lines_of(text):
        cells, begin = [], 0
        for _name, width in COLUMNS:
            cells.append(line[begin : begin + width].strip())
            begin += width
        number, task, owner, state, status, restarts, nodes, reason = cells
        code, user = whole(status), whole(owner)
        if whole(number) is None or user is None or code is None or not re.fullmatch("[A-Z_]+", state):
            continue
        # As wait() returns it.
        rows.append(
            Row(
                number,
                task if whole(task) is not None else "",
                user,
                state,
                0 if code & 127 else code >> 8 & 255,
                code & 127,
                whole(restarts) or 0,
                given(nodes),
                given(reason),
            )
        )
    return rows


def corrected(parts: t.Sequence[Part], rows: t.Sequence[Row]) -> list[Part]:
    """The parts that squeue has, with its fields. Name and paths, which are the owner's in any case, are scontrol's."""
    by_number: dict[str, Part] = {}
    for part in parts:
        by_number.setdefault(part.number, part)
    found = []
    for row in rows:
        part = by_number.get(row.number) or (parts[0] if parts else Part("", ""))
        name = row.task or (part.name if part.name.startswith("+") and len(rows) > 1 else "")
        found.append(
            part._replace(
                name=name,
                state=row.state,
                reason=row.reason,
                number=row.number,
                exit_code=row.exit_code,
                signal=row.signal,
                # A long list is cut off at the column's end.
                nodes=part.nodes if row.nodes and part.nodes.startswith(row.nodes) else row.nodes,
                restarts=row.restarts,
            )
        )
    return found
