# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a probe, and the steps that are left after it hung or crashed. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .probe import main
from .report import TIMEOUT, Report, is_library_of_torch

# The names of the checks of a node in trouble, each a task of its own.
CHECKS = tuple(name for name, dummy in main.CHECKS)


class Plan(t.NamedTuple):
    """The steps of one probe.

    :arg torch: whether to use torch; if not, only the node is checked.
    :arg devices: the devices to test; None for all.
    :arg passed: the devices that passed in an earlier probe, for the all-reduce.
    :arg all_reduce: whether to run it if two devices have passed.
    :arg trouble: whether to check the node even if every device passes.
    :arg skip: the checks of the node to skip.
    :arg expect: the expected number of devices; with another one the node is checked. None for no expectation.
    """

    torch: bool = True
    devices: tuple[int, ...] | None = None
    passed: tuple[int, ...] = ()
    all_reduce: bool = True
    trouble: bool = False
    skip: tuple[str, ...] = ()
    expect: int | None = None


def what_is_left(plan: Plan, report: Report) -> Plan | None:
    """Return the plan of the next probe after one broke in a task; None if nothing is left to do.

    Each plan has fewer steps than the one before, so this ends.

    :arg plan: the plan of the probe that broke.
    :arg report: of all probes so far; the last of ``report.broken`` is the task that broke.
    """
    task = report.broken[-1].task
    if task in CHECKS:
        skip = (*plan.skip, task)
        return None if set(CHECKS) <= set(skip) else Plan(torch=False, trouble=True, skip=skip)
    passed = tuple(device["index"] for device in report.devices if device["passed"])
    todo = tuple(device["index"] for device in report.devices if device["state"] == "untested")
    if task != "all-reduce" and (todo or plan.all_reduce and len(passed) > 1):
        return Plan(devices=todo, passed=passed, all_reduce=plan.all_reduce, trouble=True, skip=plan.skip)
    return Plan(torch=False, trouble=True, skip=plan.skip)


def counter_check(report: Report) -> Plan | None:
    """Return the plan of a probe without LD_LIBRARY_PATH and LD_PRELOAD; None if they cannot be the cause."""
    if report.ending.how == TIMEOUT or not any(is_library_of_torch(path) for _variable, path in report.library_path):
        return None
    bare = Plan(devices=(), all_reduce=False)
    if report.torch is None or report.cpu is None or not report.cpu["passed"]:
        return None if report.missing or report.exec_failed else bare
    if report.cuda is None:
        return bare
    if not report.cuda["count"]:
        return bare if report.torch["cuda"] and report.driver and report.driver["library"] else None
    failed = tuple(device["index"] for device in report.devices if device["state"] in ("failed", "died"))
    return bare._replace(devices=failed) if failed else None
