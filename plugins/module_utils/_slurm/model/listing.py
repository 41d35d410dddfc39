# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of squeue and sinfo as data. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.lines import lines_of, whole
from .pairs import given

# The formats that the parsers read; the last field may hold the separator.
QUEUE_FORMAT = "%A|%F|%K|%T|%N|%n|%r"
NODES_FORMAT = "%N|%T|%P|%E"


class Task(t.NamedTuple):
    """A line of squeue.

    :arg job: number of the array, or of the job.
    :arg array_index: index in the array, None for a job that is no array.
    :arg wanted: the nodes that the task is bound to.
    """

    job: str
    array_index: int | None
    state: str
    reason: str
    nodes: str
    wanted: str


# The state of a node that partitions list and sinfo does not show; no state of Slurm's.
HIDDEN = "hidden"


class Node(t.NamedTuple):
    """A line of sinfo.

    :arg state: as sinfo writes it, with its suffix: ``idle``, ``drained``, ``down*``.
    :arg reason: why a person or Slurm took the node out of service; empty when it is in service.
    :arg partitions: the partitions that the user may see, Slurm's default one first.
    """

    state: str
    reason: str
    partitions: tuple[str, ...] = ()


def parse_queue(text: str) -> list[Task]:
    """Lines of ``QUEUE_FORMAT``: ``8|7|0|RUNNING|t1|t1|None`` is task 0 of array 7."""
    tasks = []
    for line in lines_of(text):
        parts = line.split("|", 6)
        if len(parts) != 7:
            continue
        number, array, index, state, nodes, wanted, reason = (part.strip() for part in parts)
        # Tasks that wait share one line ("0-3%2"): none of them has an index of its own.
        array_index = whole(index)
        tasks.append(Task(array or number, array_index, state, reason, given(nodes), given(wanted)))
    return tasks


def parse_nodes(text: str, mark: str = "") -> dict[str, Node]:
    """Lines of ``NODES_FORMAT``, such as ``c1|idle|all*|none``; a node has one line for each of its partitions.

    :arg mark: what each line of sinfo's begins with; another one is part of the reason in the line before.
    """
    nodes: dict[str, Node] = {}
    lines = lines_of(text)
    if mark and any(line.startswith(mark) for line in lines):
        lines = [line[len(mark) :] for line in lines if line.startswith(mark)]
    for line in lines:
        parts = line.split("|", 3)
        if len(parts) == 4:
            name, state, partition, reason = (part.strip() for part in parts)
            partitions = nodes[name].partitions if name in nodes else ()
            # A star marks Slurm's default partition.
            partitions = (partition[:-1], *partitions) if partition.endswith("*") else (*partitions, partition)
            nodes[name] = Node(state, "" if reason.lower() in ("none", "(null)") else reason, partitions)
    return nodes
