# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when a node is as it is, from the last report, and how old a check is. Plain data, no I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import datetime
import functools
import statistics
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import FAILURES

from .schema import Node, Report

DAY = 24 * 60 * 60


def with_history(node: Node, known: Node | None, now: str) -> Node:
    """The node with ``since``, ``before`` and ``failed_since``.

    :arg known: its entry in the last report.
    :arg now: the time of this check.
    """
    if known is not None and _condition(known) == _condition(node):
        since, before = known["since"], known["before"]
    else:
        since, before = now, known["verdict"] if known is not None else None
    failed_since = known["failed_since"] if known is not None else None
    if node["verdict"] in FAILURES:
        failed_since = failed_since or now
    elif node["verdict"] != "not_checked":
        # A node that was not checked may still have what it had.
        failed_since = None
    return t.cast(Node, dict(node, since=since, before=before, failed_since=failed_since))


def is_new(node: Node, report: Report) -> bool:
    """Whether the node came into its failed state, from another one, in the day before the last check."""
    if node["verdict"] not in FAILURES or node["before"] in (None, "not_checked"):
        return False
    passed = seconds_between(node["since"], report["last_checked"])
    return passed is not None and passed <= DAY


def refresh(last: Report, now: Report) -> Report:
    """The report of a check that found the same as the last one: the new times, in the state that was found before."""
    return t.cast(Report, dict(now, generated=last["generated"], changes=last["changes"]))


def complete(last: t.Mapping[str, t.Any]) -> Report:
    """A report of an earlier version of the collection, with the fields that have come since.

    What it does not have is not known; a node's state is at least as old as its check.
    """
    nodes = []
    for node in last["nodes"]:
        known = node.get("checked") or last.get("generated")
        failed = known if node.get("verdict") in FAILURES else None
        added: dict[str, t.Any] = {
            "slurm_node": None,
            "since": known,
            "before": None,
            "failed_since": failed,
            "output": [],
            "kernel_log": [],
        }
        nodes.append({**added, **node})
    return t.cast(Report, {"last_checked": last.get("generated"), "interval": None, **last, "nodes": nodes})


def mostly_checked(report: Report) -> str:
    """The time since which at least half of the nodes have been checked.

    A check of a few nodes (``--limit``) does not make the others' results newer.
    """
    times = sorted(node["checked"] for node in report["nodes"] if node["checked"] is not None)
    return statistics.median_high(times) if times else report["last_checked"]


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    """The seconds between two times such as 2026-11-24T08:00:00Z; None if either is not one."""
    times = [parse(text) for text in (earlier, later)]
    if times[0] is None or times[1] is None:
        return None
    return (times[1] - times[0]).total_seconds()


def later(time: str, seconds: int) -> str | None:
    """The time so many seconds after another; None if that is not one, or no calendar has it."""
    start = parse(time)
    try:
        return (start + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ") if start else None
    except OverflowError:
        return None


@functools.lru_cache(maxsize=1000)
def parse(text: str | None) -> datetime.datetime | None:
    """A time such as 2026-11-24T08:00:00Z; None if it is not one."""
    try:
        return datetime.datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None


def describe_span(seconds: float) -> str:
    """``3 days``, ``5 hours``, ``20 minutes``: the largest unit of which there are two, rounded down."""
    for name, size in (("day", DAY), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return "%d %ss" % (seconds // size, name)
    return "1 minute" if seconds >= 60 else "%d seconds" % seconds


def _condition(node: Node) -> tuple[str, list[str]]:
    return node["verdict"], sorted({reason["code"] for reason in node["reasons"]})
