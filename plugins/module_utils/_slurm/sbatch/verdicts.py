# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the judgement about a value, and rows of patterns that depend on the release of Slurm. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

# sbatch takes the value and uses it; takes it, but it means nothing or something else; does not take it.
RIGHT, ODD, REFUSED = "right", "odd", "refused"

# The releases that were tried, and those after them. What lies between the first two is taken for both.
OLD, NEW, LATER = "22.05", "24.11", "later"
_OLD, _NEW = (22, 5), (24, 11)

# A pattern for the whole value in any case of letters, and the release from which it holds, or OLD for that one alone.
Row = t.Tuple[str, str]
Rows = t.Mapping[str, t.Sequence[Row]]


def releases(slurm: t.Sequence[int] | None) -> tuple[str, ...]:
    """The tried releases that stand for a version: ``releases((22, 5, 8))`` is ``("22.05",)``.

    :arg slurm: the version of Slurm; None if it is not known.
    """
    if not slurm:
        return (OLD, NEW, LATER)
    version = tuple(slurm[:2])
    if version <= _OLD:
        return (OLD,)
    return (OLD, NEW) if version < _NEW else (NEW,) if version == _NEW else (LATER,)


def holds(release: str, since: str) -> bool:
    """Whether a row of a table is about a release: all, OLD alone, NEW and LATER, or LATER alone."""
    return not since or release == since or (since == NEW and release == LATER)


def matches(rows: t.Sequence[Row], value: str, release: str) -> bool:
    """Whether one of the patterns that hold for the release matches the whole value, in any case of its letters."""
    return any(
        holds(release, since) and re.fullmatch(pattern, value, re.IGNORECASE | re.DOTALL | re.ASCII) is not None
        for pattern, since in rows
    )
