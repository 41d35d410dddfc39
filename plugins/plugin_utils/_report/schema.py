# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report is made of, as docs/report.schema.json has it. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import (
    VERDICTS as VERDICTS,
    Reason as Reason,
)

SCHEMA_VERSION = 1


class Expectation(t.TypedDict):
    """What the inventory says of the node's GPUs; none for no opinion."""

    cuda: bool | None
    devices: int | None
    gpu: list[str]


class Torch(t.TypedDict):
    """The torch that was imported."""

    version: str | None
    cuda: str | None
    hip: str | None


class Device(t.TypedDict):
    """One GPU as torch sees it."""

    index: int
    name: str | None
    compute_capability: str | None
    memory: int | None
    passed: bool
    error: str | None
    seconds: float | None


class Node(t.TypedDict):
    """All that is known of one node."""

    name: str
    partitions: list[str]
    expectation: Expectation
    verdict: str
    summary: str
    checked: str | None
    environment: str | None
    torch: Torch
    python: str | None
    driver: str | None
    devices: list[Device]
    reasons: list[Reason]
    seconds: float | None


class Partition(t.TypedDict):
    """A partition's nodes, counted; a node in two partitions counts in both."""

    name: str
    nodes: int
    verdicts: dict[str, int]


class Totals(t.TypedDict):
    """Every node counted once; every code once for each node that has it."""

    nodes: int
    verdicts: dict[str, int]
    codes: dict[str, int]


class Change(t.TypedDict):
    """One difference of one node to the last report."""

    node: str
    what: str
    before: str | None
    after: str | None


class Changes(t.TypedDict):
    """The differences to the report of the time ``since``, none where there was no report."""

    since: str | None
    nodes: list[Change]


class Report(t.TypedDict):
    """The whole of it."""

    schema_version: int
    generated: str
    generator: str
    inventory: str
    totals: Totals
    partitions: list[Partition]
    changes: Changes
    nodes: list[Node]
