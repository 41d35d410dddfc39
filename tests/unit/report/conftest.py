# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of the generated cluster, at a fixed time."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.build import make_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.collect import collect
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.schema import Report

from .generate import make_cluster

Hosts = t.Mapping[str, t.Mapping[str, t.Any]]


class Make(t.Protocol):
    """The type of the fixture ``make``."""

    def __call__(
        self, hosts: Hosts, last: Report | None = ..., generated: str = ..., limit: t.Sequence[str] | None = ...
    ) -> Report: ...


@pytest.fixture(name="make")
def fixture_make() -> Make:
    """Make a report of hosts from the generator; *limit* is --limit."""

    def make(
        hosts: Hosts,
        last: Report | None = None,
        generated: str = "2026-11-24T08:00:00Z",
        limit: t.Sequence[str] | None = None,
    ) -> Report:
        groups: dict[str, list[str]] = {"compute": []}
        for name, variables in hosts.items():
            for group in variables["groups"]:
                groups.setdefault(group, []).append(name)
                if group != "login" and name not in groups["compute"]:
                    groups["compute"].append(name)
        partitions = [name for name in groups if name not in ("login", "compute")]
        run = list(hosts) if limit is None else limit
        return make_report(
            collect(run, groups, partitions, hosts, generated), last, "campus", "hpc.pytorch 0.1.0", generated
        )

    return make


@pytest.fixture
def cluster() -> dict[str, dict[str, t.Any]]:
    """Sixty nodes."""
    return make_cluster(60)
