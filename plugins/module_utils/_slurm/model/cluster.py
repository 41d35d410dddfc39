# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster, read from what scontrol prints. Plain data, no I/O. Private to hpc.pytorch.

It reads scontrol's text and not its JSON: no Slurm before 20.11 has JSON, and it has changed with every release since.
"""

from __future__ import annotations

import re
import typing as t

from .gres import Gres, parse_gres
from .hostlist import unfold
from .node_state import parse_state
from .pairs import given, parse_config, parse_pairs
from .times import whole_minutes

# The pairs of a node's line that are used; no value has a space. The first one of a name counts: what users write
# (Reason, Comment, Extra) comes after these, and may look like one.
_NODE = re.compile(
    r"(?:^|\s)(NodeName|CPUTot|ActiveFeatures|AvailableFeatures|Features|Gres|NodeAddr|NodeHostName|RealMemory|State"
    r"|Partitions)=(\S*)"
)
# Slurm signs a reason with user and time.
_REASON = re.compile(r"\sReason=(.*? \[[^\]\s]+@[^\]\s]+\])")
_ENDLESS = frozenset(("UNLIMITED", "INFINITE"))
_MEGABYTES = {"": 1, "M": 1, "G": 2**10, "T": 2**20, "P": 2**30}


class ClusterNode(t.NamedTuple):
    """A node.

    :arg state: the base state: ``idle``, ``mixed``, ``allocated``, ``down``, ``unknown``, ``future``, ``error``.
    :arg flags: in addition to the state: ``drain``, ``not_responding``, ``cloud``, ``powered_down``, ...
    :arg features: the features that it has now.
    :arg partitions: its partitions, as far as the user may see them.
    :arg reason: why a user or Slurm took it out of service, with name and time; empty if it is in service.
    :arg address: the address at which Slurm reaches it.
    :arg hostname: the machine's own name.
    """

    name: str
    state: str
    flags: tuple[str, ...]
    cpus: int
    memory_mb: int
    gres: tuple[Gres, ...]
    features: tuple[str, ...]
    partitions: tuple[str, ...]
    reason: str
    address: str
    hostname: str = ""


class Partition(t.NamedTuple):
    """A partition.

    :arg default: whether jobs without a partition go there.
    :arg state: ``up``, ``down``, ``drain``, ``inactive``.
    :arg max_minutes: the longest that a job may run, None without a limit.
    :arg default_minutes: the time limit of a job that sets none; None if that is max_minutes.
    :arg max_nodes: the most nodes that a job may have, None without a limit.
    """

    name: str
    default: bool
    state: str
    max_minutes: int | None
    default_minutes: int | None
    min_nodes: int
    max_nodes: int | None
    nodes: tuple[str, ...]


class Cluster(t.NamedTuple):
    """Partitions and nodes by their names, in Slurm's order."""

    name: str
    version: tuple[int, ...]
    partitions: t.Mapping[str, Partition]
    nodes: t.Mapping[str, ClusterNode]


def parse_cluster(config: str, partitions: str, nodes: str) -> Cluster:
    """The output of ``scontrol show config``, ``--oneliner show partition`` and ``--oneliner show node``.

    Output without ``--oneliner`` is read too.
    """
    settings = parse_config(config)
    found = [_parse_partition(line) for line in _lines(partitions, "PartitionName=")]
    by_name = {partition.name: partition for partition in found}
    parsed = [_parse_node(line) for line in _lines(nodes, "NodeName=")]
    return Cluster(
        given(settings.get("ClusterName", "")),
        parse_version(settings.get("SLURM_VERSION", "")),
        by_name,
        {node.name: node for node in _with_partitions(parsed, found)},
    )


def parse_version(text: str) -> tuple[int, ...]:
    """``"21.08.8-2"`` gives ``(21, 8, 8)``."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def show_version(version: t.Sequence[int]) -> str:
    """``(21, 8, 8)`` gives ``"21.08.8"``: since 14.03 the second number is a month."""
    return ".".join(
        "%02d" % part if index == 1 and version[0] >= 14 else str(part) for index, part in enumerate(version)
    )


def _lines(text: str, start: str) -> t.Iterator[str]:
    """One line for each record, even if scontrol was not called with ``--oneliner``."""
    held: list[str] = []
    for line in text.splitlines():
        if line.startswith(start):
            if held:
                yield " ".join(held)
            held = [line]
        elif held and line[:1].isspace() and line.strip():
            held.append(line.strip())
    if held:
        yield " ".join(held)


def _parse_node(line: str) -> ClusterNode:
    words: dict[str, str] = {}
    for name, value in _NODE.findall(line):
        words.setdefault(name, value)
    state, flags = parse_state(words.get("State", ""))
    # A node that reboots into other features shows its current ones; Slurm before 15.08 has one kind only.
    features = words.get("ActiveFeatures", words.get("AvailableFeatures", words.get("Features", "")))
    name = words["NodeName"]
    return ClusterNode(
        name,
        state,
        flags,
        _number(words.get("CPUTot", "")) or 0,
        _megabytes(words.get("RealMemory", "")),
        parse_gres(words.get("Gres", "")),
        _list(features),
        _list(words.get("Partitions", "")),
        _reason(line),
        given(words.get("NodeAddr", "")) or name,
        given(words.get("NodeHostName", "")) or name,
    )


def _reason(line: str) -> str:
    if " Reason=" not in line:
        return ""
    signed = _REASON.search(line)
    reason = signed.group(1) if signed else parse_pairs(line[line.index(" Reason=") :])["Reason"]
    return given(reason)


def _parse_partition(line: str) -> Partition:
    pairs = parse_pairs(line)
    return Partition(
        pairs["PartitionName"],
        pairs.get("Default") == "YES",
        pairs.get("State", "").lower(),
        whole_minutes(pairs.get("MaxTime", "")),
        whole_minutes(pairs.get("DefaultTime", "")),
        _number(pairs.get("MinNodes", "")) or 0,
        _number(pairs.get("MaxNodes", "")),
        tuple(unfold(given(pairs.get("Nodes", "")))),
    )


def _with_partitions(nodes: t.Sequence[ClusterNode], partitions: t.Sequence[Partition]) -> t.Sequence[ClusterNode]:
    """Add partitions to nodes that do not show theirs (Slurm before 16.05)."""
    if any(node.partitions for node in nodes):
        return nodes
    inside: dict[str, list[str]] = {}
    for partition in partitions:
        for name in partition.nodes:
            inside.setdefault(name, []).append(partition.name)
    return [node._replace(partitions=tuple(inside.get(node.name, ()))) for node in nodes]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in given(text).split(",") if part)


def _number(text: str) -> int | None:
    return None if text in _ENDLESS or not text.isdecimal() else int(text)


def _megabytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MGTP]?)B?", text)
    return int(float(match.group(1)) * _MEGABYTES[match.group(2)]) if match else 0
