# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as the page shows them: sections of the same partitions, and a row for each node. Plain data, no I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import FAILURES, VERDICTS

from ..build import nearest_reason
from ..compare import describe_devices
from ..schema import Node, Report


class Section(t.NamedTuple):
    """The nodes of the same partitions, the failed ones first."""

    name: str
    counts: list[tuple[str, int]]
    rows: list[dict[str, t.Any]]


def make_sections(report: Report) -> list[Section]:
    """Group the nodes by their partitions. Sections with failed nodes come first."""
    members: dict[tuple[str, ...], list[Node]] = {}
    for node in report["nodes"]:
        members.setdefault(tuple(node["partitions"]), []).append(node)
    sections = []
    for names in sorted(members, key=lambda names: ("login" in names[:1], [natural(name) for name in names])):
        nodes = sorted(members[names], key=lambda node: (VERDICTS.index(node["verdict"]), natural(node["name"])))
        counts = [(verdict, sum(1 for node in nodes if node["verdict"] == verdict)) for verdict in VERDICTS]
        sections.append(
            Section(
                ", ".join(names),
                [pair for pair in counts if pair[1]],
                [_row(node, report["generated"]) for node in nodes],
            )
        )
    return sorted(sections, key=lambda section: min(VERDICTS.index(verdict) for verdict, _count in section.counts))


def _row(node: Node, generated: str) -> dict[str, t.Any]:
    reasons = node["reasons"]
    if node["verdict"] in FAILURES and not reasons:
        reasons = [nearest_reason(node)]
    times = [device["seconds"] for device in node["devices"] if device["seconds"] is not None]
    return {
        "name": node["name"],
        "verdict": node["verdict"],
        "torch": node["torch"]["version"],
        "built": _built_for(node),
        "python": node["python"],
        "driver": node["driver"],
        "devices": describe_devices(node["devices"]),
        "failed_devices": [device for device in node["devices"] if not device["passed"]],
        "expected": _expected(node),
        "seconds": None if node["seconds"] is None else "%.1f s" % node["seconds"],
        "device_seconds": _span(times),
        "reasons": reasons,
        # The reason of a cpu_only node needs no remedy.
        "failed": node["verdict"] in FAILURES,
        "checked": node["checked"] if node["checked"] not in (None, generated) else None,
    }


def _built_for(node: Node) -> str | None:
    if node["torch"]["cuda"]:
        return "CUDA %s" % node["torch"]["cuda"]
    return "ROCm %s" % node["torch"]["hip"] if node["torch"]["hip"] else None


def _expected(node: Node) -> str | None:
    expectation = node["expectation"]
    kinds = " or ".join(expectation["gpu"])
    if expectation["devices"] is not None:
        return ("%d x %s" % (expectation["devices"], kinds or "GPU")) if expectation["devices"] else "no GPU"
    if expectation["cuda"] is None:
        return kinds or None
    return (kinds or "a GPU") if expectation["cuda"] else "no GPU"


def _span(times: t.Sequence[float]) -> str | None:
    if not times:
        return None
    least, most = "%.1f" % min(times), "%.1f" % max(times)
    return "%s s" % least if least == most else "%s to %s s" % (least, most)
