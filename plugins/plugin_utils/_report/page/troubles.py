# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The troubles as the page shows them: how long, how new, and what to copy. Plain data, no I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import hashlib
import typing as t
import urllib.parse

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import fold

from ..build import Trouble, find_troubles
from ..history import describe_span, is_new, seconds_between
from ..schema import Node, Report
from .copy import groups_of, limit_option, scontrol_update


class Shown(t.NamedTuple):
    """A trouble on the page.

    :arg key: names it in the page's address; the same trouble has the same key in every report.
    :arg pieces: the folded names of its nodes, each with the anchor of its row if it is one node.
    :arg first: the anchor of its first node's row.
    :arg new: of how many nodes it is new.
    :arg failing: how long its nodes have failed, in words; None if that is not known.
    :arg since: the earliest time since which one has failed, or None.
    """

    trouble: Trouble
    key: str
    pieces: list[tuple[str, str | None]]
    first: str
    new: int
    failing: str | None
    since: str | None
    limit: str
    scontrol: str


def show_troubles(report: Report) -> list[Shown]:
    """The troubles, the largest first."""
    by_name = {node["name"]: node for node in report["nodes"]}
    groups = groups_of(report)
    return [_show(trouble, by_name, report, groups) for trouble in find_troubles(report["nodes"])]


def anchor(name: str) -> str:
    """The id of a node's row. A browser finds it by the text after the # as it is."""
    return "node-%s" % urllib.parse.quote(name, safe="")


def failing_for(node: Node, report: Report) -> str | None:
    """``3 days``: how long the node had failed at the last check; None if it passes, or failed for the first time."""
    passed = seconds_between(node["failed_since"], report["last_checked"])
    return None if passed is None or passed < 1 else describe_span(passed)


def _show(trouble: Trouble, by_name: t.Mapping[str, Node], report: Report, groups: t.Container[str]) -> Shown:
    nodes = [by_name[name] for name in trouble.nodes]
    times = sorted(node["failed_since"] for node in nodes if node["failed_since"])
    oldest = next((node for node in nodes if times and node["failed_since"] == times[0]), None)
    span = failing_for(oldest, report) if oldest is not None else None
    what = repr((trouble.verdict, trouble.reason["code"], trouble.reason["remedy"], trouble.others))
    return Shown(
        trouble=trouble,
        key=hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:10],
        pieces=[(piece, anchor(piece) if piece in by_name else None) for piece in fold(trouble.nodes)],
        first=anchor(trouble.nodes[0]),
        new=sum(is_new(node, report) for node in nodes),
        failing=span if span is None or len(set(times)) == 1 else "up to %s" % span,
        since=times[0] if times else None,
        limit=limit_option(nodes, groups),
        scontrol=scontrol_update(nodes),
    )
