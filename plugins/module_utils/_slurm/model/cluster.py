# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster, read from what scontrol prints. Plain data, no I/O. Private to hpc.pytorch.

It reads scontrol's text and not its JSON: no Slurm before 20.11 has JSON, and it has changed with every release since.
"""

from __future__ import annotations

import re
import typing as t

from ..._common.lines import lines_of, visible, whole
from .access import Access, JobShare, parse_access, parse_shares
from .gres import Gres, parse_gres
from .hostlist import unfold
from .node_state import parse_state
from .pairs import given, parse_config, parse_pairs
from .times import whole_minutes

# The pairs of a node's line that are used; no value has a space.
_NODE = re.compile(
    r"(?:^|\s)(NodeName|CPUTot|ActiveFeatures|AvailableFeatures|Features|Gres|NodeAddr|NodeHostName|RealMemory|State"
    r"|Partitions)=(\S*)"
)
# What users write comes after these, and may look like one. scontrol escapes nothing: a comment may even have lines.
_LINES = (" Comment=", " Extra=")
_WRITTEN = (" Reason=", *_LINES)
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
    """Partitions and nodes by their names, in Slurm's order.

    :arg doubts: why nodes were left out, each a sentence: a text that a user wrote may pose as them.
    :arg access: who may use each partition; empty if that was not read.
    :arg shares: what jobs may have of each node; empty if that was not read.
    """

    name: str
    version: tuple[int, ...]
    partitions: t.Mapping[str, Partition]
    nodes: t.Mapping[str, ClusterNode]
    doubts: tuple[str, ...] = ()
    access: t.Mapping[str, Access] = {}
    shares: t.Mapping[str, JobShare] = {}


def unseen(cluster: Cluster) -> list[str]:
    """The nodes that partitions list and Slurm shows nothing of, in Slurm's order.

    Slurm hides cloud nodes that are powered down, without PrivateData=cloud, from everyone:
    https://slurm.schedmd.com/slurm.conf.html#OPT_PrivateData. Nodes of State=FUTURE are hidden too.
    """
    listed = dict.fromkeys(name for partition in cluster.partitions.values() for name in partition.nodes)
    return [name for name in listed if name not in cluster.nodes]


def parse_cluster(config: str, partitions: str, nodes: str, access: bool = False) -> Cluster:
    """The output of ``scontrol show config``, ``--oneliner show partition`` and ``--oneliner show node``.

    Output without ``--oneliner`` is read too.

    :arg access: whether to read who may use each partition, and what jobs may have of each node.
    """
    settings = parse_config(config)
    records = _records(nodes, "NodeName=")
    listed = [" ".join(lines) for lines in _records(partitions, "PartitionName=")]
    found = [_parse_partition(line) for line in listed]
    by_name = {partition.name: partition for partition in found}
    doubts: list[str] = []
    parsed = _nodes_without_doubt(records, by_name, doubts)
    return Cluster(
        given(settings.get("ClusterName", "")),
        parse_version(settings.get("SLURM_VERSION", "")),
        by_name,
        {node.name: node for node in _with_partitions(parsed, found)},
        tuple(doubts),
        parse_access(listed, settings) if access else {},
        parse_shares(_own(" ".join(lines)) for lines in records) if access else {},
    )


def lines_about_nodes(text: str) -> list[tuple[ClusterNode, bool]]:
    """Each node of ``show node``, also one that parse_cluster leaves out or has from another line; whether it is whole.

    A line without a state was cut off.
    """
    found = []
    for lines in _records(text, "NodeName="):
        record = " ".join(lines)
        words = dict(_NODE.findall(_own(record)))
        found.append((_parse_node(record, words), "State" in words))
    return found


def lines_about_partitions(text: str) -> list[tuple[Partition, bool]]:
    """The same for ``show partition``."""
    found = (_parse_partition(" ".join(lines)) for lines in _records(text, "PartitionName="))
    return [(partition, bool(partition.state)) for partition in found]


def parse_version(text: str) -> tuple[int, ...]:
    """``"21.08.8-2"`` gives ``(21, 8, 8)``."""
    match = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", text)
    return tuple(int(part) for part in match.group().split(".")[:4]) if match else ()


def show_version(version: t.Sequence[int]) -> str:
    """``(21, 8, 8)`` gives ``"21.08.8"``: since 14.03 the second number is a month."""
    return ".".join(
        "%02d" % part if index == 1 and version[0] >= 14 else str(part) for index, part in enumerate(version)
    )


def _records(text: str, start: str) -> list[list[str]]:
    """The lines of each record: one, or more if scontrol was not called with ``--oneliner``."""
    found: list[list[str]] = []
    for line in lines_of(text):
        if line.startswith(start):
            found.append([line])
        elif found and line[:1] in (" ", "\t") and line.strip() and not _is_complete(found[-1][0]):
            found[-1].append(line.strip())
    return found


def _is_complete(line: str) -> bool:
    """Whether a line has all of a record: with ``--oneliner`` only a text that a user wrote may have more lines."""
    return " State=" in line and not any(word in line for word in _WRITTEN)


def _nodes_without_doubt(
    records: t.Sequence[t.Sequence[str]], partitions: t.Mapping[str, Partition], doubts: list[str]
) -> list[ClusterNode]:
    """The nodes of *records*, without those that a feature, a comment or the like of a node may have made up.

    :arg doubts: gets a sentence for each node that is left out.
    """
    sure: dict[str, bool] = {}
    found: dict[str, ClusterNode] = {}
    twice: set[str] = set()
    doubtful = False
    listed = {name for partition in partitions.values() for name in partition.nodes}
    for lines in records:
        record = " ".join(lines)
        pairs = _NODE.findall(_own(record))
        names = [name for name, _value in pairs]
        node = _parse_node(record, dict(pairs))
        shown = visible(node.name, 100)
        if not node.name or node.name.startswith("-"):
            continue
        if len(names) != len(set(names)):
            doubts.append(
                "node %s is left out: a field is there twice in its line, and features or another text may pose as one"
                % shown
            )
        elif doubtful and listed and node.name not in listed and (len(lines) == 1 or not _is_hidden(node, partitions)):
            doubts.append(
                "node %s is left out: no partition has it, and the comment of another node may pose as it" % shown
            )
        elif node.name not in found or not doubtful:
            found[node.name], sure[node.name] = node, not doubtful
        elif not sure[node.name] and found[node.name] != node:
            doubts.append("node %s is left out: it is there twice, and the comment of a node may pose as it" % shown)
            twice.add(node.name)
        # What follows a text that may have lines of its own may be such a line.
        doubtful = doubtful or any(word in record for word in _LINES) or "State" not in names
    return [node for node in found.values() if node.name not in twice]


def _is_hidden(node: ClusterNode, partitions: t.Mapping[str, Partition]) -> bool:
    """Whether the user may not see the partitions that the node's own line names."""
    return bool(node.partitions) and not any(name in partitions for name in node.partitions)


def _own(record: str) -> str:
    """The part of a node's line that Slurm wrote, but for the node's features and the name of its system."""
    ends = [record.index(word) for word in _WRITTEN if word in record]
    return record[: min(ends)] if ends else record


def _parse_node(line: str, words: t.Mapping[str, str]) -> ClusterNode:
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
        tuple(visible(feature) for feature in _list(features)),
        _list(words.get("Partitions", "")),
        visible(_reason(line)),
        _host(words.get("NodeAddr", "")) or name,
        _host(words.get("NodeHostName", "")) or name,
    )


def _host(text: str) -> str:
    """An address or name of a host; empty for none, and for what ssh would read as an option."""
    return "" if text.startswith("-") else given(text)


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
    return None if text in _ENDLESS else whole(text)


def _megabytes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)([MGTP]?)B?", text)
    return int(float(match.group(1)) * _MEGABYTES[match.group(2)]) if match else 0
