# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one line a node, for --diff. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

from .compare import describe_devices
from .schema import Node, Report


def describe_nodes(report: Report) -> str:
    """What of each node lasts, on one line."""
    return "".join("%s\n" % _describe(node) for node in report["nodes"])


def _describe(node: Node) -> str:
    torch = node["torch"]["version"]
    parts = [
        "%s: %s" % (node["name"], node["verdict"]),
        ", ".join(reason["code"] for reason in node["reasons"]),
        "torch %s" % torch if torch else "",
        describe_devices(node["devices"]) or "",
    ]
    return "; ".join(part for part in parts if part)
