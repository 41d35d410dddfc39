# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a report from the nodes of a run and the last report. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import FAILURES, VERDICTS, Reason

from .compare import make_changes
from .history import with_history
from .normalise import NOT_PART
from .schema import SCHEMA_VERSION, Node, Partition, Report, Totals


class Trouble(t.NamedTuple):
    """Nodes that failed for the same reason.

    :arg others: the codes of the further reasons that each of them has.
    :arg alike: the message is the same for every node; otherwise it is that of the first.
    """

    verdict: str
    reason: Reason
    others: tuple[str, ...]
    nodes: list[str]
    alike: bool


def make_report(
    nodes: t.Iterable[Node],
    last: Report | None,
    inventory: str,
    generator: str,
    generated: str,
    interval: int | None = None,
) -> Report:
    """Build the whole report.

    :arg nodes: of this run, and those that were not part of it. The latter keep their entry in the last report.
    :arg generated: the time, such as 2026-11-24T08:00:00Z.
    :arg interval: the seconds from one check to the next, if it is known.
    """
    known = {node["name"]: node for node in last["nodes"]} if last is not None else {}
    kept = [_keep(node, known.get(node["name"]), generated) for node in nodes]
    kept.sort(key=lambda node: natural(node["name"]))
    return Report(
        schema_version=SCHEMA_VERSION,
        generated=generated,
        last_checked=generated,
        interval=interval,
        generator=generator,
        inventory=inventory,
        totals=Totals(nodes=len(kept), verdicts=count_verdicts(kept), codes=_count_codes(kept)),
        partitions=_partitions(kept),
        changes=make_changes(last, kept),
        nodes=kept,
    )


def find_troubles(nodes: t.Iterable[Node]) -> list[Trouble]:
    """Group the failed nodes by their reasons: the largest group first, then the worst verdict."""
    groups: dict[tuple[t.Any, ...], list[Node]] = {}
    for node in nodes:
        if node["verdict"] in FAILURES:
            first = nearest_reason(node)
            others = tuple(dict.fromkeys(reason["code"] for reason in node["reasons"][1:]))
            groups.setdefault((node["verdict"], first["code"], first["remedy"], others), []).append(node)
    found = [
        Trouble(
            verdict=verdict,
            reason=nearest_reason(members[0]),
            others=others,
            nodes=[node["name"] for node in members],
            alike=len({nearest_reason(node)["message"] for node in members}) == 1,
        )
        for (verdict, _code, _remedy, others), members in groups.items()
    ]
    return sorted(
        found, key=lambda trouble: (-len(trouble.nodes), VERDICTS.index(trouble.verdict), trouble.reason["code"])
    )


def nearest_reason(node: Node) -> Reason:
    """The first reason of a node. One that only misses an expectation has no reason, but a summary."""
    if node["reasons"]:
        return node["reasons"][0]
    return Reason(
        code="expectation_unmet" if node["verdict"] == "failed" else node["verdict"],
        message=node["summary"],
        remedy="repair the node, or correct what the inventory expects of it",
    )


def count_verdicts(nodes: t.Iterable[Node]) -> dict[str, int]:
    """Count the nodes with each verdict."""
    counted = collections.Counter(node["verdict"] for node in nodes)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def count_earlier(report: Report) -> int:
    """Count the nodes whose entry comes from an earlier run."""
    return sum(1 for node in report["nodes"] if node["checked"] not in (None, report["last_checked"]))


def _keep(node: Node, known: Node | None, now: str) -> Node:
    # After a run with --limit, the last entry of another node is still the best one, with its own time.
    if known is None or node["checked"] is not None or node["summary"] != NOT_PART["summary"]:
        return with_history(node, known, now)
    # What the inventory says is always today's.
    of_inventory = {key: value for key, value in node.items() if key in ("slurm_node", "partitions", "expectation")}
    return t.cast(Node, {**known, **of_inventory})


def _count_codes(nodes: t.Iterable[Node]) -> dict[str, int]:
    counted = collections.Counter(code for node in nodes for code in {reason["code"] for reason in node["reasons"]})
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _partitions(nodes: t.Sequence[Node]) -> list[Partition]:
    members: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node["partitions"]:
            members.setdefault(name, []).append(node)
    # Login nodes are not a partition of Slurm; they come last.
    names = sorted(members, key=lambda name: (name == "login", natural(name)))
    return [Partition(name=name, nodes=len(members[name]), verdicts=count_verdicts(members[name])) for name in names]
