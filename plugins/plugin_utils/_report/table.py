# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a terminal: counts by partition, failed nodes with remedies. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import counted
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import fold
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import VERDICTS

from .build import count_earlier, find_troubles
from .compare import describe_change, describe_devices, fold_changes
from .schema import Node, Report

WIDTH = 80
# The files have the rest.
MOST_LINES_OF_NODES = 4
MOST_CHANGES = 10


class Line(t.NamedTuple):
    """A line, and the verdict that gives it its colour."""

    text: str
    verdict: str | None = None


def make_table(report: Report, width: int = WIDTH) -> list[Line]:
    """The lines of the table, none longer than *width* (a single word may be)."""
    lines = [*_heading(report, width), *_partitions(report, width)]
    for block in (_troubles(report, width), _changes(report, width)):
        if block:
            lines += [Line(""), *block]
    return lines


def describe_nodes(report: Report) -> str:
    """One line for each node, without times: what --diff compares."""
    return "".join("%s\n" % _describe_node(node) for node in report["nodes"])


def _heading(report: Report, width: int) -> list[Line]:
    totals = report["totals"]
    counts = ["%d %s" % (totals["verdicts"][verdict], verdict) for verdict in VERDICTS if totals["verdicts"][verdict]]
    text = "torch on %s: %s: %s" % (report["inventory"], counted(totals["nodes"], "node"), ", ".join(counts) or "none")
    lines = [Line(line) for line in textwrap.wrap(text, width, subsequent_indent="  ")]
    earlier = count_earlier(report)
    if earlier:
        lines.append(Line("of an earlier run: %s" % counted(earlier, "node")))
    return lines


def _partitions(report: Report, width: int) -> list[Line]:
    columns = [max(len(verdict), 6) for verdict in VERDICTS]
    room = width - 9 - sum(columns) - 2 * len(columns)
    first = min(max([len("partition"), *(len(row["name"]) for row in report["partitions"])]), room)
    lines = [_row("partition", "nodes", VERDICTS, first, columns)]
    for row in report["partitions"]:
        name = row["name"] if len(row["name"]) <= first else row["name"][: first - 1] + "…"
        cells = [str(row["verdicts"][verdict] or "-") for verdict in VERDICTS]
        worst = next((verdict for verdict in VERDICTS if row["verdicts"][verdict]), None)
        lines.append(_row(name, str(row["nodes"]), cells, first, columns, worst))
    return lines


def _row(
    name: str, nodes: str, cells: t.Sequence[str], first: int, columns: t.Sequence[int], verdict: str | None = None
) -> Line:
    padded = "".join("  " + cell.rjust(width) for cell, width in zip(cells, columns))
    return Line("%s  %s%s" % (name.ljust(first), nodes.rjust(7), padded), verdict)


def _troubles(report: Report, width: int) -> list[Line]:
    lines: list[Line] = []
    for trouble in find_troubles(report["nodes"]):
        head = "%s: %s, %s" % (trouble.verdict, trouble.reason["code"], counted(len(trouble.nodes), "node"))
        lines.append(Line(head + (" (also %s)" % ", ".join(trouble.others) if trouble.others else ""), trouble.verdict))
        lines += _nodes(trouble.nodes, width)
        message = trouble.reason["message"]
        if message:
            lines += _wrap(message if trouble.alike else "%s: %s" % (trouble.nodes[0], message), width)
        if trouble.reason["remedy"]:
            lines += _wrap("remedy: " + trouble.reason["remedy"], width)
    return [Line(text, line.verdict) for line in lines for text in _cut(line.text, width)]


def _changes(report: Report, width: int) -> list[Line]:
    changes = report["changes"]
    if not changes["nodes"]:
        return []
    groups = fold_changes(changes)
    lines = [Line("changed since %s:" % changes["since"])]
    for group in groups[:MOST_CHANGES]:
        lines += _wrap("%s: %s" % (describe_change(group), _some(group.nodes)), width)
    if len(groups) > MOST_CHANGES:
        lines.append(Line("  and %d more kinds of change" % (len(groups) - MOST_CHANGES)))
    return lines


def _nodes(names: t.Sequence[str], width: int) -> list[Line]:
    lines = _wrap(", ".join(fold(names, width - 4)), width)
    if len(lines) <= MOST_LINES_OF_NODES:
        return lines
    return [*lines[:MOST_LINES_OF_NODES], Line("  ... the report has all %d" % len(names))]


def _some(names: t.Sequence[str]) -> str:
    pieces = fold(names, WIDTH - 4)
    return ", ".join(pieces[:4]) + (", ... (%s)" % counted(len(names), "node") if len(pieces) > 4 else "")


def _wrap(text: str, width: int) -> list[Line]:
    wrapped = textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [Line(line) for line in wrapped]


def _cut(text: str, width: int) -> list[str]:
    return (
        textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)
        if len(text) > width and text[0] != " "
        else [text]
    )


def _describe_node(node: Node) -> str:
    torch = node["torch"]["version"]
    parts = [
        "%s: %s" % (node["name"], node["verdict"]),
        ", ".join(reason["code"] for reason in node["reasons"]),
        "torch %s" % torch if torch else "",
        describe_devices(node["devices"]) or "",
    ]
    return "; ".join(part for part in parts if part)
