# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many GPUs directives ask for, and of which type. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .script_text import Directives

_ASKED_BY = ("gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket")


class Request(t.NamedTuple):
    """So many of a generic resource, of any type where that is None."""

    name: str
    type: str | None
    count: int


def gres(text: str) -> list[Request]:
    """A value of --gres, item by item."""
    found: list[Request] = []
    for item in text.split(","):
        words = re.sub(r"^gres[:/]", "", item.strip(), flags=re.IGNORECASE).replace("=", ":").split(":")
        if not words[0] or words[0].lower() == "none":
            continue
        count = _count(words[-1]) if len(words) > 1 else None
        kind = words[1] if len(words) > 1 and _count(words[1]) is None else None
        found.append(Request(words[0], kind, 1 if count is None else count))
    return found


def gpus(text: str) -> list[Request]:
    """A value of --gpus and its relatives: [type:]number, with commas."""
    found: list[Request] = []
    for item in text.split(","):
        kind, colon, count = item.rpartition(":")
        found.append(Request("gpu", kind if colon else None, _count(count) or 0))
    return found


def per_node(directives: Directives) -> list[Request]:
    """What each node must have: --gres, --gpus-per-node, and what the others come to where that can be said."""
    found = gres(str(directives.get("gres", "")))
    if any(one.name == "gpu" for one in found):
        return found
    if "gpus-per-node" in directives:
        found += gpus(str(directives["gpus-per-node"]))
    elif "gpus" in directives and str(directives.get("nodes")) == "1":
        found += gpus(str(directives["gpus"]))
    elif "gpus-per-task" in directives:
        tasks = tasks_per_node(directives)
        if tasks:
            found += [one._replace(count=one.count * tasks) for one in gpus(str(directives["gpus-per-task"]))]
    return found


def tasks_per_node(directives: Directives) -> int | None:
    """How many tasks a node runs, where that is said."""
    if "ntasks-per-node" in directives:
        return int(directives["ntasks-per-node"])
    if "ntasks" in directives and str(directives.get("nodes")) == "1":
        return int(directives["ntasks"])
    return None


def count_per_node(directives: Directives) -> int | None:
    """How many GPUs a job has on each node, None where the directives do not say."""
    wanted = [one.count for one in per_node(directives) if one.name == "gpu"]
    return sum(wanted) if wanted else None


def asked(directives: Directives) -> bool:
    """Whether a job asks for GPUs by any option."""
    return bool(count_per_node(directives)) or any(name in directives for name in _ASKED_BY)


def _count(word: str) -> int | None:
    number = re.fullmatch(r"(\d+)([kmgtp]?)", word, re.IGNORECASE | re.ASCII)
    return int(number[1]) * 1024 ** " kmgtp".index(number[2].lower() or " ") if number else None
