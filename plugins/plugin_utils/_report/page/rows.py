# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as the page shows them: sections of the same partitions, and a row for each node. Plain data, no I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import FAILURES, VERDICTS

from ..build import nearest_reason
from ..compare import describe_devices
from ..history import is_new
from ..schema import Node, Report
from .troubles import anchor, failing_for


class Column(t.NamedTuple):
    """A column of the tables of nodes. The page's script sorts by its key."""

    key: str
    title: str


COLUMNS = (
    Column("node", "Node"),
    Column("verdict", "Verdict"),
    Column("since", "Since"),
    Column("torch", "torch"),
    Column("python", "Python, driver"),
    Column("devices", "Devices"),
    Column("time", "Time"),
)


class Section(t.NamedTuple):
    """The nodes of the same partitions, the failed ones first.

    :arg places: the places of the partitions in the report's list.
    """

    name: str
    places: list[int]
    counts: list[tuple[str, int]]
    rows: list[dict[str, t.Any]]


def make_sections(report: Report, keys: t.Mapping[str, str]) -> list[Section]:
    """Group the nodes by their partitions. Sections with failed nodes come first.

    :arg keys: the key of a failed node's trouble, by the node's name.
    """
    places = {row["name"]: place for place, row in enumerate(report["partitions"])}
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
                [places[name] for name in names],
                [pair for pair in counts if pair[1]],
                [_row(node, report, keys.get(node["name"])) for node in nodes],
            )
        )
    return sorted(sections, key=lambda section: min(VERDICTS.index(verdict) for verdict, _count in section.counts))


def filter_of(**wanted: str) -> str:
    """The text after the # of the page's address that shows these nodes: ``verdict=failed&partition=titan``."""
    return urllib.parse.urlencode(wanted)


def _row(node: Node, report: Report, key: str | None) -> dict[str, t.Any]:
    reasons = node["reasons"]
    if node["verdict"] in FAILURES and not reasons:
        reasons = [nearest_reason(node)]
    times = [device["seconds"] for device in node["devices"] if device["seconds"] is not None]
    return {
        "name": node["name"],
        "anchor": anchor(node["name"]),
        "trouble": key,
        "since": node["failed_since"] or node["since"],
        "failing": failing_for(node, report),
        "new": is_new(node, report),
        "printed": [
            (title, node_lines)
            for title, node_lines in (("the check", node["output"]), ("the kernel", node["kernel_log"]))
            if node_lines and node["verdict"] in FAILURES
        ],
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
        "checked": node["checked"] if node["checked"] not in (None, report["last_checked"]) else None,
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
