# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the report, as in docs/report.schema.json. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import Reason

SCHEMA_VERSION = 1


class Expectation(t.TypedDict):
    """What the inventory says about the node's GPUs; None for no expectation."""

    cuda: bool | None
    devices: int | None
    gpu: list[str]


class Torch(t.TypedDict):
    """The torch that was imported."""

    version: str | None
    cuda: str | None
    hip: str | None


class Device(t.TypedDict):
    """One GPU, as torch sees it."""

    index: int
    name: str | None
    compute_capability: str | None
    memory: int | None
    passed: bool
    error: str | None
    seconds: float | None


class Node(t.TypedDict):
    """Everything known about one node."""

    name: str
    slurm_node: str | None
    partitions: list[str]
    expectation: Expectation
    verdict: str
    summary: str
    checked: str | None
    since: str | None
    before: str | None
    failed_since: str | None
    environment: str | None
    torch: Torch
    python: str | None
    driver: str | None
    devices: list[Device]
    reasons: list[Reason]
    seconds: float | None
    output: list[str]
    kernel_log: list[str]


class Partition(t.TypedDict):
    """The number of nodes of a partition; a node in two partitions counts in both."""

    name: str
    nodes: int
    verdicts: dict[str, int]


class Totals(t.TypedDict):
    """Each node is counted once, each code once for each node that has it."""

    nodes: int
    verdicts: dict[str, int]
    codes: dict[str, int]


class Change(t.TypedDict):
    """One difference between a node and its entry in the last report."""

    node: str
    what: str
    before: str | None
    after: str | None


class Changes(t.TypedDict):
    """The differences from the report of the time ``since``; None if there was no report."""

    since: str | None
    nodes: list[Change]


class Report(t.TypedDict):
    """The whole report."""

    schema_version: int
    generated: str
    last_checked: str
    interval: int | None
    generator: str
    inventory: str
    totals: Totals
    partitions: list[Partition]
    changes: Changes
    nodes: list[Node]
