# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of one node's check: its shape, and the results of checks without torch. Private to hpc.pytorch.

A check that ran torch returns what ``diagnose.verdict.result`` makes. slurm_torch_info and the role torch_check build
every other result here, and the report reads all of them. Plain data, no I/O.
"""

from __future__ import annotations

import typing as t

from .._common.errors import one_line

# The worst first: the order of every list and table.
VERDICTS = ("failed", "unreachable", "not_checked", "cpu_only", "ok")
# The verdicts that fail a host.
FAILURES = ("failed", "unreachable")
# Nothing is known about the torch of these nodes.
UNKNOWN = ("unreachable", "not_checked")


class Reason(t.TypedDict):
    """One cause, with what to do about it."""

    code: str
    message: str
    remedy: str


class NodeResult(t.TypedDict):
    """The keys that every result has. One of a check that ran torch has more of them, see the module torch_info."""

    verdict: str
    summary: str
    reasons: list[Reason]
    devices: list[dict[str, t.Any]]


def unreachable(host: str, why: str, remedy: str) -> NodeResult:
    """The result of a node that gave no answer."""
    return _without_torch("unreachable", "node_unreachable", "no result from %s: %s" % (host, why), remedy)


def refused(expected: str, found: str, remedy: str) -> NodeResult:
    """The result of a node where torch_info failed: there is no environment, or it must not be run."""
    return _without_torch("failed", "check_refused", "expected %s; found %s" % (expected, found), remedy)


def no_result() -> NodeResult:
    """The result of a host whose check ended without one."""
    return _without_torch(
        "failed",
        "no_result",
        "the check left no result for this node",
        "find the task that failed on it in the output of the run",
    )


def not_checked(why: str) -> NodeResult:
    """The result of a node that was not checked on purpose, as in check mode."""
    return NodeResult(verdict="not_checked", summary=one_line("not_checked: %s" % why), reasons=[], devices=[])


def driver_of(result: t.Mapping[str, t.Any]) -> t.Any:
    """The version of the NVIDIA driver in *result*: torch_info returns it below ``node``."""
    node = result.get("node")
    return node.get("driver") if isinstance(node, t.Mapping) else None


def _without_torch(verdict: str, code: str, message: str, remedy: str) -> NodeResult:
    return NodeResult(
        verdict=verdict,
        summary=one_line("%s: %s - %s" % (verdict, code, message)),
        reasons=[Reason(code=code, message=one_line(message), remedy=one_line(remedy))],
        devices=[],
    )
