# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generic resources (GRES): what nodes have, and what jobs ask for. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

# gres.conf(5): a count may end with one of these.
_FACTORS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
_COUNT = re.compile(r"(\d{1,18})([KMGTP]?)", re.IGNORECASE | re.ASCII)


class Gres(t.NamedTuple):
    """A number of one resource.

    :arg name: ``gpu``, ``shard``, ``nvme``, ...
    :arg type: ``a100``, ``1g.5gb``, ...; None if the site does not tell types apart, or the job takes any.
    """

    name: str
    type: str | None
    # A key of public results; nothing here uses tuple.count.
    count: int  # type: ignore[assignment]


def parse_gres(text: str) -> tuple[Gres, ...]:
    """What a node has: ``gpu:titan:2(S:0-1),shard:8`` is two GPUs of type titan and eight shards.

    Resources with count 0 are left out; entries of the same name and type are added up. Parentheses hold sockets and
    indexes, which may contain commas. ``no_consume`` is a keyword and no type. The form of trackable resources,
    ``gres/gpu:titan=2``, is read too.
    """
    if text in ("", "(null)", "N/A"):
        return ()
    counts: dict[tuple[str, str | None], int] = {}
    for item in re.sub(r"\([^)]*\)", "", text).split(","):
        name, *rest = [part for part in re.split(r"[:=]", item.strip()) if part and part != "no_consume"] or [""]
        name = name[5:] if name.startswith("gres/") else name
        if not name or name == "(null)":
            continue
        count = _count(rest[-1]) if rest else None
        kind = ":".join(rest if count is None else rest[:-1]) or None
        counts[(name, kind)] = counts.get((name, kind), 0) + (1 if count is None else count)
    return tuple(Gres(name, kind, count) for (name, kind), count in counts.items() if count)


def parse_request(text: str) -> list[Gres]:
    """What a job asks for with --gres: ``gpu:a100:2,nvme`` is two GPUs of type a100 and one nvme."""
    found: list[Gres] = []
    for item in text.split(","):
        words = re.sub(r"^gres[:/]", "", item.strip(), flags=re.IGNORECASE).replace("=", ":").split(":")
        if not words[0] or words[0].lower() == "none":
            continue
        count = _count(words[-1]) if len(words) > 1 else None
        # The word in the middle is a type even where it is a number: gpu:3090:1.
        kind = words[1] if len(words) > 2 or (len(words) > 1 and count is None) else None
        found.append(Gres(words[0], kind, 1 if count is None else count))
    return found


def parse_gpu_request(text: str) -> list[Gres]:
    """What a job asks for with --gpus and its relatives: ``a100:2,v100:1``, or ``4`` of any type."""
    found: list[Gres] = []
    for item in text.split(","):
        kind, colon, last = item.rpartition(":")
        count = _count(last)
        if not colon and count is None:
            # A type alone is one GPU of it.
            kind, colon, count = last, ":", 1
        found.append(Gres("gpu", kind if colon else None, count or 0))
    return found


def _count(word: str) -> int | None:
    """``4`` or ``32G``; None for anything else."""
    match = _COUNT.fullmatch(word)
    return int(match.group(1)) * _FACTORS[match.group(2).upper()] if match else None
