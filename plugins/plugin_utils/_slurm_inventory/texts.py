# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of scontrol for an inventory, in one text or in three. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import Cluster, parse_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.controller import hides_nodes
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.pairs import parse_config

from .losses import losses, require_one_cluster, require_output

# The commands to run, also by a user who saves their output.
ASKED: tuple[tuple[str, ...], ...] = (
    ("scontrol", "show", "config"),
    ("scontrol", "--oneliner", "show", "partition"),
    ("scontrol", "--oneliner", "show", "node"),
)
# As scontrol prints it.
_NO_NODES = "No nodes in the system"
BY_HAND = "(%s) > cluster.txt" % "; ".join(" ".join(words) for words in ASKED)


class Texts(t.NamedTuple):
    """The outputs of the three commands."""

    config: str
    partitions: str
    nodes: str


def split(text: str) -> Texts:
    """Divide *text* into the three outputs, whose order does not matter.

    With ``--oneliner`` and in the order of ``ASKED``, what follows the first node is about nodes: a node's comment may
    have lines that look like another output.
    """
    kept: tuple[list[str], list[str], list[str]] = ([], [], [])
    part, in_order = 0, False
    for line in lines_of(text):
        if in_order:
            pass
        elif line.startswith("NodeName="):
            part, in_order = 2, bool(kept[1]) and " State=" in line
        elif line.startswith("PartitionName="):
            part = 1
        elif line.startswith("Configuration data as of"):
            part = 0
        kept[part].append(line)
    return Texts(*("\n".join(lines) for lines in kept))


def read(text: str, where: str) -> Cluster:
    """The cluster in the output of scontrol. Its doubts have what is lost, too.

    :arg where: the source of *text*, for messages.
    :raises UserError: the text has no nodes, or is about several clusters.
    """
    texts = split(text)
    require_one_cluster(texts.config, where)
    cluster = parse_cluster(*texts)
    require_output(cluster, where, BY_HAND)
    hidden = hides_nodes(parse_config(texts.config))
    if not cluster.nodes and (hidden or _NO_NODES in text):
        raise UserError(
            "nodes from %s" % where,
            _NO_NODES + (", and PrivateData, which hides nodes from ordinary users" if hidden else ""),
            "ask the administrators for a saved output of scontrol (saved_output), or for a user who may see the nodes",
        )
    if not cluster.nodes:
        raise UserError(
            "lines of scontrol with NodeName= from %s" % where,
            shown(text.strip()) if text.strip() else "nothing",
            "run on a login node: %s" % BY_HAND,
        )
    return cluster._replace(doubts=(*cluster.doubts, *losses(texts.partitions, texts.nodes, cluster)))
