# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job arrays to submit for the nodes. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import math
import os
import shlex
import typing as t

from ..._slurm.model.listing import HIDDEN, Node
from ..._slurm.model.node_state import parse_state
from .follow import Limits
from .outcome import NoAnswer, Outcome

BUNDLE = "check.zip"
# If this process is killed, Slurm ends held and running tasks a day later.
_DEADLINE = "now+1days"
# States in which a node takes no job, as sinfo writes them without the suffix.
_OUT = (
    "down",
    "drain",
    "draining",
    "drained",
    "fail",
    "failing",
    "error",
    "future",
    "maint",
    "unknown",
    "blocked",
    "inval",
    "perfctrs",
)

# https://slurm.schedmd.com/slurm.conf.html#OPT_PrivateData: without "cloud" in it powered-down cloud nodes are hidden.
_HIDES = (
    "powered down, or hidden: a partition lists it, but Slurm shows nothing of it (PrivateData in slurm.conf);"
    " torch_check_slurm_powered_down: true checks it, and starts it for that"
)
# https://slurm.schedmd.com/power_save.html: a job powers such a node up, which in a cloud costs money.
_POWER = {
    "powered_down": "powered down",
    "powering_down": "powered down: it is on its way",
    "power_down": "powered down: it will be when it is free",
}


class Order(t.NamedTuple):
    """The check of one node.

    :arg partition: the partition to reach it by; None for one of its own, Slurm's default one if possible.
    :arg gres: the GPUs to ask for.
    :arg order: the input of the program on the node.
    """

    node: str
    partition: str | None
    gres: str | None
    order: dict[str, t.Any]

    @property
    def request(self) -> tuple[str, ...]:
        """The options of sbatch that this node needs."""
        options = (("partition", self.partition), ("gres", self.gres))
        return tuple("--%s=%s" % (name, value) for name, value in options if value)


class Settings(t.NamedTuple):
    """What applies to every node.

    :arg folder: where a private folder is made; login node and compute nodes share it.
    :arg python: the Python that runs our code on a node.
    :arg arguments: options of sbatch.
    :arg chunk: how many tasks of an array may run at the same time.
    :arg powered_down: whether to start nodes that Slurm has powered down.
    """

    folder: str
    python: str
    arguments: tuple[str, ...]
    chunk: int
    limits: Limits
    powered_down: bool = False


class Array(t.NamedTuple):
    """Nodes with the same request to Slurm, in the order of their tasks; numbers are those of the orders."""

    request: tuple[str, ...]
    numbers: tuple[int, ...]


def split_up(orders: t.Mapping[int, Order], nodes: t.Mapping[str, Node], largest: int) -> list[Array]:
    """One array for all nodes with the same request; several if Slurm's MaxArraySize demands it.

    A node that is not idle gets an array of its own: if Slurm cannot start a task at once, it does not try the other
    tasks of that array.
    """
    by_request: dict[tuple[str, ...], list[int]] = {}
    alone = []
    for number, order in orders.items():
        if is_idle(order.node, nodes):
            by_request.setdefault(order.request, []).append(number)
        else:
            alone.append(Array(order.request, (number,)))
    together = [
        Array(request, tuple(numbers[start : start + largest]))
        for request, numbers in by_request.items()
        for start in range(0, len(numbers), largest)
    ]
    return together + alone


def is_idle(name: str, nodes: t.Mapping[str, Node]) -> bool:
    """Whether no job runs on node *name*."""
    return name in nodes and _plain(nodes[name].state) in ("idle", HIDDEN)


def unusable(order: Order, nodes: t.Mapping[str, Node], settings: Settings | None = None) -> Outcome | None:
    """The outcome of a node that takes no such job, or is left alone; None if it does."""
    node = nodes.get(order.node)
    if node is None:
        return Outcome(reason=NoAnswer.UNKNOWN_NODE, detail="Slurm knows no node of this name")
    if _plain(node.state) in _OUT or node.state.endswith("*"):
        detail = "Slurm reports %s%s" % (node.state, ": " + node.reason if node.reason else "")
        return Outcome(reason=NoAnswer.OUT_OF_SERVICE, detail=detail)
    if order.partition and not set(order.partition.split(",")) & set(node.partitions):
        there = ", ".join(node.partitions) or "none"
        detail = "Slurm has it in partition %s, not in %s" % (there, order.partition)
        return Outcome(reason=NoAnswer.OTHER_PARTITION, detail=detail)
    if settings is not None:
        why = left_alone(node.state, settings.powered_down, settings.arguments)
        if why:
            return Outcome(left_alone=why)
    return None


def left_alone(state: str, powered_down: bool, arguments: t.Sequence[str]) -> str:
    """Why no job is sent to a node that would take one, but would be started for it; empty if one is sent.

    :arg powered_down: whether to start nodes that Slurm has powered down.
    :arg arguments: options of sbatch or salloc.
    """
    if state == HIDDEN:
        return "" if powered_down else _HIDES
    flags = parse_state(state)[1]
    found = next((flag for flag in _POWER if flag in flags), None)
    why = ""
    if found and not powered_down:
        why = "%s; torch_check_slurm_powered_down: true starts it" % _POWER[found]
    elif "maintenance" in flags and not any(argument.startswith("--reservation=") for argument in arguments):
        why = "in a reservation for maintenance; torch_check_slurm_reservation reaches it"
    return "%s (Slurm reports %s)" % (why, state) if why else ""


def with_partition(order: Order, nodes: t.Mapping[str, Node]) -> Order:
    """*order* with a partition that its node is in, if it has none."""
    node = nodes.get(order.node)
    if order.partition or node is None or not node.partitions:
        return order
    return order._replace(partition=node.partitions[0])


def _plain(state: str) -> str:
    return state.rstrip("*~#!%$@^-+").lower()


def arguments_of(array: Array, settings: Settings, folder: str) -> list[str]:
    """The arguments of sbatch."""
    last = len(array.numbers) - 1
    return [
        "--array=0-%d%%%d" % (last, settings.chunk),
        "--hold",
        "--nodes=1",
        "--ntasks=1",
        "--no-requeue",
        "--job-name=torch_check",
        "--chdir=/",
        "--input=/dev/null",
        "--output=%s" % os.path.join(folder, "%A_%a.out"),
        "--time=%d" % math.ceil(settings.limits.run / 60),
        "--deadline=%s" % _DEADLINE,
        *settings.arguments,
        *array.request,
    ]


def script_of(array: Array, settings: Settings, folder: str) -> str:
    """The batch script, with a list of the orders' numbers by task."""
    numbers = " ".join(str(number) for number in array.numbers)
    return '#!/bin/sh\nset -- %s\nshift "$SLURM_ARRAY_TASK_ID"\nexec %s %s %s "$1"\n' % (
        numbers,
        shlex.quote(settings.python),
        shlex.quote(os.path.join(folder, BUNDLE)),
        shlex.quote(folder),
    )
