# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as slurm_info returns it. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from .access import JobShare
from .cluster import Cluster, ClusterNode, Partition, show_version
from .controller import accounting_storage
from .hostlist import fold, slurm_list, unfold


def describe(
    cluster: Cluster,
    config: t.Mapping[str, str],
    partitions: t.Sequence[str] | None,
    nodes: t.Sequence[str] | None,
    access: bool = False,
) -> dict[str, t.Any]:
    """The module's result.

    :arg config: the controller's configuration.
    :arg partitions: the partitions to return, with their nodes; None for all.
    :arg nodes: the nodes to return, such as ``titan[01-04]``; None for all.
    :arg access: whether to add who may use each partition, and what is left of each node for jobs.
    :raises UserError: Slurm does not know one of them.
    """
    asked = None if nodes is None else {name for item in nodes for name in unfold(item)}
    _require_known("partitions", partitions or (), cluster.partitions)
    _require_known("nodes", asked or (), cluster.nodes)
    kept = [node for node in cluster.nodes.values() if asked is None or node.name in asked]
    if partitions is not None:
        kept = [node for node in kept if set(partitions).intersection(node.partitions)]
    return {
        "cluster": cluster.name,
        "version": show_version(cluster.version),
        "accounting": accounting_storage(config),
        "partitions": [
            _partition(partition, cluster, access)
            for partition in cluster.partitions.values()
            if partitions is None or partition.name in partitions
        ],
        "nodes": [_node(node, cluster.shares.get(node.name) if access else None) for node in kept],
        "gres": _totals(kept),
    }


def _require_known(option: str, names: t.Iterable[str], known: t.Mapping[str, t.Any]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise UserError(
            "%s to be among those that Slurm knows: %s" % (option, ",".join(fold(known)) or "none"),
            ", ".join(unknown),
            "correct the names; Slurm may hide some from this user",
        )


def _partition(partition: Partition, cluster: Cluster, access: bool) -> dict[str, t.Any]:
    found = dict(
        partition._asdict(),
        nodes=list(partition.nodes),
        node_list=slurm_list(partition.nodes),
        node_count=len(partition.nodes),
        gres=_totals(cluster.nodes[name] for name in partition.nodes if name in cluster.nodes),
    )
    if access:
        of_slurm = cluster.access[partition.name]._asdict()
        found["access"] = {name: list(value) if isinstance(value, tuple) else value for name, value in of_slurm.items()}
    return found


def _node(node: ClusterNode, share: JobShare | None) -> dict[str, t.Any]:
    found = dict(
        node._asdict(),
        flags=list(node.flags),
        gres=[item._asdict() for item in node.gres],
        features=list(node.features),
        partitions=list(node.partitions),
    )
    if share is not None:
        found["job_cpus"] = node.cpus if share.cpus is None else min(node.cpus, share.cpus)
        found["job_memory_mb"] = max(0, node.memory_mb - share.kept_mb)
    return found


def _totals(nodes: t.Iterable[ClusterNode]) -> list[dict[str, t.Any]]:
    totals: dict[tuple[str, str | None], int] = {}
    for node in nodes:
        for name, kind, count in node.gres:
            totals[(name, kind)] = totals.get((name, kind), 0) + count
    in_order = sorted(totals.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return [{"name": name, "type": kind, "count": count} for (name, kind), count in in_order]
