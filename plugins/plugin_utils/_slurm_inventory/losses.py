# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a text is lost, overwritten or mixed on its way into an inventory. No I/O. Private to hpc.pytorch.

What contradicts itself before any node is refused. After a node, its comment may pose as anything, so no text there may
stop an inventory: a warning names it.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line, some
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import (
    Cluster,
    lines_about_nodes,
    lines_about_partitions,
    unseen,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import fold

_AGAIN = "save the output of each cluster once, in a file of its own"
_NAME = re.compile(r"ClusterName\s*=\s*(\S+)")


def require_one_cluster(config: str, where: str) -> None:
    """Refuse the settings of several clusters.

    :arg config: outputs of ``scontrol show config``.
    """
    names = list(dict.fromkeys(match.group(1) for match in map(_NAME.match, lines_of(config)) if match))
    if len(names) > 1:
        raise UserError(
            "the output of one cluster from %s" % where,
            "those of the clusters %s" % some([one_line(name) for name in names], 5),
            "%s, and give each an inventory file" % _AGAIN,
        )


def require_output(cluster: Cluster, where: str, by_hand: str) -> None:
    """Refuse slurm.conf, whose lines begin as those of scontrol do.

    :arg by_hand: the commands whose output is wanted.
    """
    lists = [name for name in cluster.nodes if re.search(r"[\[\],]", name) or name == "DEFAULT"]
    if lists:
        raise UserError(
            "the output of scontrol from %s" % where,
            "NodeName=%s, as slurm.conf has it" % one_line(lists[0]),
            "run on a login node: %s" % by_hand,
        )


def losses(partitions: str, nodes: str, cluster: Cluster) -> list[str]:
    """What an inventory of *cluster* does not have, or has from one of several lines: a sentence for each kind.

    :arg partitions: the output of ``scontrol show partition``.
    :arg nodes: that of ``scontrol show node``.
    """
    found: list[str] = []
    names: t.Collection[str] = cluster.nodes
    # Most texts are whole; they are not read a second time.
    if _begun(nodes, "NodeName=") != len(names) or any(node.state == "unknown" for node in cluster.nodes.values()):
        lines = lines_about_nodes(nodes)
        names = {node.name for node, _is_whole in lines}
        found += _of_lines("nodes", lines)
    if _begun(partitions, "PartitionName=") != len(cluster.partitions) or not all(
        partition.state for partition in cluster.partitions.values()
    ):
        found += _of_lines("partitions", lines_about_partitions(partitions))
    options = sorted({name for name in names if name.startswith("-")})
    if options:
        found.append(
            "nodes are left out, since a command would read their names as options: %s" % some(_shown(options), 10)
        )
    if _begun(nodes, "PartitionName=") or _begun(nodes, "Configuration data as of "):
        found.append(
            "more partitions or settings come after the nodes; they are not read, since the comment of a node may pose"
            " as them: %s" % _AGAIN
        )
    hidden = set(unseen(cluster)).difference(names)
    if hidden:
        found.append(
            "nodes of the partitions are not in the output, and so not in the inventory: %s; it is cut off, or they are"
            " cloud nodes that are powered down, which Slurm shows with PrivateData=cloud only" % some(fold(hidden), 10)
        )
    return found


def _begun(text: str, words: str) -> int:
    """How many lines begin with *words*."""
    return text.count("\n" + words) + text.startswith(words)


def _of_lines(what: str, lines: t.Sequence[tuple[t.Any, bool]]) -> t.Iterator[str]:
    seen: dict[str, t.Any] = {}
    twice: dict[str, None] = {}
    for one, _is_whole in lines:
        if seen.setdefault(one.name, one) != one:
            twice[one.name] = None
    if twice:
        yield "%s are there more than once with different facts, of which one counts: %s; %s" % (
            what,
            some(_shown(twice), 10),
            _AGAIN,
        )
    cut = dict.fromkeys(one.name for one, is_whole in lines if not is_whole)
    if cut:
        yield "%s have no state, as where the output is cut off: %s; save it anew" % (what, some(_shown(cut), 10))


def _shown(names: t.Iterable[str]) -> list[str]:
    return fold(one_line(name) for name in names)
