# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many GPUs directives ask for, and of which type. Private to hpc.pytorch."""

from __future__ import annotations

from ..model.gres import Gres, parse_gpu_request, parse_request
from .script_text import Directives

_REQUESTED_BY = ("gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket")


def per_node(directives: Directives) -> list[Gres]:
    """The generic resources that each node must have, from --gres and --gpus...: ``{"gres": "gpu:2"}`` is two GPUs."""
    found = parse_request(str(directives.get("gres", "")))
    if any(one.name == "gpu" for one in found):
        return found
    if "gpus-per-node" in directives:
        found += parse_gpu_request(str(directives["gpus-per-node"]))
    elif "gpus" in directives and str(directives.get("nodes")) == "1":
        found += parse_gpu_request(str(directives["gpus"]))
    elif "gpus-per-task" in directives:
        tasks = tasks_per_node(directives)
        if tasks:
            found += [
                one._replace(count=one.count * tasks) for one in parse_gpu_request(str(directives["gpus-per-task"]))
            ]
    return found


def tasks_per_node(directives: Directives) -> int | None:
    """The number of tasks on each node, None if the directives do not give it."""
    if "ntasks-per-node" in directives:
        return int(directives["ntasks-per-node"])
    if "ntasks" in directives and str(directives.get("nodes")) == "1":
        return int(directives["ntasks"])
    return None


def count_per_node(directives: Directives) -> int | None:
    """The number of GPUs on each node, None if the directives do not give it."""
    wanted = [one.count for one in per_node(directives) if one.name == "gpu"]
    return sum(wanted) if wanted else None


def requested(directives: Directives) -> bool:
    """Whether any directive requests GPUs."""
    return bool(count_per_node(directives)) or any(name in directives for name in _REQUESTED_BY)
