# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's nodes and the last report to a report. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import FAILURES, VERDICTS, Reason

from .compare import make_changes
from .normalise import NOT_PART
from .schema import SCHEMA_VERSION, Node, Partition, Report, Totals


class Trouble(t.NamedTuple):
    """Sick nodes with the same reason.

    :arg others: further reasons' codes that each of them has.
    :arg alike: every node says the same words; otherwise the message is that of the first.
    """

    verdict: str
    reason: Reason
    others: tuple[str, ...]
    nodes: list[str]
    alike: bool


def make_report(nodes: t.Iterable[Node], last: Report | None, inventory: str, generator: str, generated: str) -> Report:
    """The whole report.

    :arg nodes: of this run, and those that were not part of it; of the latter, what the last report knows is kept.
    :arg generated: the time, as in 2026-11-24T08:00:00Z.
    """
    known = {node["name"]: node for node in last["nodes"]} if last is not None else {}
    kept = [_keep(node, known.get(node["name"])) for node in nodes]
    kept.sort(key=lambda node: natural(node["name"]))
    return Report(
        schema_version=SCHEMA_VERSION,
        generated=generated,
        generator=generator,
        inventory=inventory,
        totals=Totals(nodes=len(kept), verdicts=count_verdicts(kept), codes=_count_codes(kept)),
        partitions=_partitions(kept),
        changes=make_changes(last, kept),
        nodes=kept,
    )


def find_troubles(nodes: t.Iterable[Node]) -> list[Trouble]:
    """Sick nodes by what they suffer from, the worst verdict first, then by how many they are."""
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
        found, key=lambda trouble: (VERDICTS.index(trouble.verdict), -len(trouble.nodes), trouble.reason["code"])
    )


def nearest_reason(node: Node) -> Reason:
    """The first reason; a node may have failed an expectation alone, its summary says so then."""
    if node["reasons"]:
        return node["reasons"][0]
    return Reason(
        code="expectation_unmet" if node["verdict"] == "failed" else node["verdict"],
        message=node["summary"],
        remedy="correct the node, or what the inventory expects of it",
    )


def count_verdicts(nodes: t.Iterable[Node]) -> dict[str, int]:
    """How many nodes have each verdict."""
    counted = collections.Counter(node["verdict"] for node in nodes)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def count_earlier(report: Report) -> int:
    """How many nodes were checked by an earlier run than the report's own."""
    return sum(1 for node in report["nodes"] if node["checked"] not in (None, report["generated"]))


def _keep(node: Node, known: Node | None) -> Node:
    # Of a run with --limit: what was found then still is the best that is known, with its own time.
    if known is None or node["checked"] is not None or node["summary"] != NOT_PART["summary"]:
        return node
    return t.cast(Node, dict(known, partitions=node["partitions"], expectation=node["expectation"]))


def _count_codes(nodes: t.Iterable[Node]) -> dict[str, int]:
    counted = collections.Counter(code for node in nodes for code in {reason["code"] for reason in node["reasons"]})
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _partitions(nodes: t.Sequence[Node]) -> list[Partition]:
    members: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node["partitions"]:
            members.setdefault(name, []).append(node)
    # Login nodes are no partition of Slurm's; they come last.
    names = sorted(members, key=lambda name: (name == "login", natural(name)))
    return [Partition(name=name, nodes=len(members[name]), verdicts=count_verdicts(members[name])) for name in names]
