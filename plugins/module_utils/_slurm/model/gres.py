# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generic resources as Slurm writes them. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

# gres.conf(5): a count may end with one of these.
_FACTORS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_COUNT = re.compile(r"(\d+)([KMGTP]?)", re.IGNORECASE)


class Gres(t.NamedTuple):
    """So many of a kind.

    :arg name: ``gpu``, ``shard``, ``nvme``, ...
    :arg type: ``a100``, ``1g.5gb``, ...; None where the site tells no types apart.
    """

    name: str
    type: str | None
    count: int


def parse_gres(text: str) -> tuple[Gres, ...]:
    """``gpu:titan:2(S:0-1),shard:8``; what is there none of is left out, and what stands there twice is counted once.

    In parentheses stand sockets and indexes, which may hold commas. ``no_consume`` is a word of Slurm's and no type. The form of
    trackable resources, ``gres/gpu:titan=2``, is read as well.
    """
    if text in ("", "(null)", "N/A"):
        return ()
    counts: dict[tuple[str, str | None], int] = {}
    for item in re.sub(r"\([^)]*\)", "", text).split(","):
        name, *rest = [part for part in re.split(r"[:=]", item.strip()) if part and part != "no_consume"] or [""]
        name = name[5:] if name.startswith("gres/") else name
        if not name or name == "(null)":
            continue
        match = _COUNT.fullmatch(rest[-1]) if rest else None
        count = int(match.group(1)) * _FACTORS[match.group(2).upper()] if match else 1
        kind = ":".join(rest[:-1] if match else rest) or None
        counts[(name, kind)] = counts.get((name, kind), 0) + count
    return tuple(Gres(name, kind, count) for (name, kind), count in counts.items() if count)
