# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the request of a job with the partitions and nodes of the cluster. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, counted
from ..model.cluster import Cluster, ClusterNode, Partition
from ..model.gres import Gres, parse_gpu_request
from ..model.times import minutes, show_minutes
from ..sbatch import gpus
from ..sbatch.script_text import Directives

# Slurm reads --mem in megabytes.
_MEGABYTES = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def violations(directives: Directives, cluster: Cluster) -> list[UserError]:
    """The reasons why none of the job's partitions can run it; empty if one can, even if the job has to wait.

    Nodes that are down count: Slurm lets a job wait for them.
    """
    if "clusters" in directives or not cluster.partitions:
        # The facts are about this cluster only.
        return []
    named = str(directives.get("partition", ""))
    wanted = named.split(",") if named else [name for name, one in cluster.partitions.items() if one.default]
    unknown = [name for name in wanted if name not in cluster.partitions]
    if unknown:
        return [
            UserError(
                "a partition of the cluster: %s" % ", ".join(cluster.partitions),
                "partition: %s" % ", ".join(unknown),
                "correct partition",
            )
        ]
    found: list[UserError] = []
    for name in wanted:
        reasons = list(_reasons(directives, cluster.partitions[name], cluster))
        if not reasons:
            return []
        found += reasons
    return found


def _reasons(directives: Directives, partition: Partition, cluster: Cluster) -> t.Iterator[UserError]:
    nodes = [cluster.nodes[name] for name in partition.nodes if name in cluster.nodes]
    yield from _time(directives, partition)
    if not partition.nodes:
        # The nodes are created on demand, or the user may not see them.
        return
    yield from _nodes(directives, partition)
    if len(nodes) < len(set(partition.nodes)):
        # What Slurm hides may have anything: cloud nodes that are powered down, without PrivateData=cloud.
        return
    yield from _resources(directives, partition, nodes)
    yield from _size(directives, partition, nodes)


def _time(directives: Directives, partition: Partition) -> t.Iterator[UserError]:
    if "time" not in directives or partition.max_minutes is None:
        return
    asked = minutes(str(directives["time"]))
    if asked is None or asked > partition.max_minutes:
        yield UserError(
            "time to be at most %s in partition %s" % (show_minutes(partition.max_minutes), partition.name),
            str(directives["time"]),
            "request less, save checkpoints and requeue, or choose another partition",
        )


def _least_nodes(directives: Directives) -> int:
    low = re.match(r"(\d+)([km]?)", str(directives.get("nodes", "1")), re.IGNORECASE)
    return int(low[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[low[2].lower()] if low else 1


def _nodes(directives: Directives, partition: Partition) -> t.Iterator[UserError]:
    asked, most = _least_nodes(directives), len(partition.nodes)
    if partition.max_nodes is not None:
        most = min(most, partition.max_nodes)
    if asked > most:
        yield UserError(
            "nodes to be at most %s in partition %s" % (counted(most, "node"), partition.name),
            "nodes: %d" % asked,
            "request fewer nodes",
        )
    top = re.fullmatch(r"\d+", str(directives.get("nodes", "")))
    if top and asked < partition.min_nodes:
        yield UserError(
            "nodes to be at least %s in partition %s" % (counted(partition.min_nodes, "node"), partition.name),
            "nodes: %d" % asked,
            "request more nodes",
        )


def _resources(directives: Directives, partition: Partition, nodes: t.Sequence[ClusterNode]) -> t.Iterator[UserError]:
    """Check the generic resources of each node, and the GPUs of the whole job."""
    needed = _least_nodes(directives)
    for one in gpus.per_node(directives):
        having = [node for node in nodes if _count(node, one) >= one.count]
        if len(having) < needed:
            yield _too_many(one, needed if len(having) else 1, partition, nodes)
    total = parse_gpu_request(str(directives["gpus"])) if "gpus" in directives else []
    for one in total:
        counts = sorted((_count(node, one) for node in nodes), reverse=True)
        there = sum(counts[:needed] if str(directives.get("nodes", "")).isdigit() else counts)
        if one.count > there:
            yield _too_many(one, 0, partition, nodes)


def _count(node: ClusterNode, wanted: Gres) -> int:
    return sum(
        have.count
        for have in node.gres
        if have.name == wanted.name and (wanted.type is None or (have.type or "").lower() == wanted.type.lower())
    )


def _too_many(one: Gres, nodes: int, partition: Partition, having: t.Sequence[ClusterNode]) -> UserError:
    shown = one.name + (":%s" % one.type if one.type else "") + ":%d" % one.count
    where = {0: " in the whole job", 1: " on a node"}.get(nodes, " on each of %d nodes" % nodes)
    return UserError(
        "resources of partition %s: %s" % (partition.name, _has(one.name, having)),
        shown + where,
        "request less, or choose another partition",
    )


def _has(name: str, nodes: t.Sequence[ClusterNode]) -> str:
    """Count the nodes by their resources: ``2 nodes with gpu:titan:4``."""
    groups: dict[str, int] = {}
    for node in nodes:
        parts = [
            "%s%s:%d" % (have.name, ":" + have.type if have.type else "", have.count)
            for have in node.gres
            if have.name == name
        ]
        groups[",".join(parts)] = groups.get(",".join(parts), 0) + 1
    found = ["%s with %s" % (counted(count, "node"), text) for text, count in groups.items() if text]
    return ", ".join(found) or "no %s" % name


def _size(directives: Directives, partition: Partition, nodes: t.Sequence[ClusterNode]) -> t.Iterator[UserError]:
    """Check the CPUs of a task and the memory of a node."""
    cpus = max((node.cpus for node in nodes), default=0)
    tasks = gpus.tasks_per_node(directives) or 1
    asked = int(directives.get("cpus-per-task", 1)) * tasks
    if asked > cpus:
        yield UserError(
            "cpus_per_task x tasks to be at most %d CPUs on a node of partition %s" % (cpus, partition.name),
            str(asked),
            "request fewer",
        )
    memory = max((node.memory_mb for node in nodes), default=0)
    size = re.fullmatch(r"(\d+)([kmgt]?)b?", str(directives.get("mem", "")), re.IGNORECASE)
    # Slurm reports 1 MB if the site has not declared the memory of a node.
    if size and memory > 1 and int(size[1]) * _MEGABYTES[size[2].lower()] > memory:
        yield UserError(
            "mem to be at most %dM on a node of partition %s" % (memory, partition.name),
            str(directives["mem"]),
            "request less",
        )
