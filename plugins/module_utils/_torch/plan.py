# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe is to do, and what is left to do when it broke. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .probe import main
from .report import TIMEOUT, Report, is_torchs

# The names of the checks of a node in trouble, each a task of its own.
CHECKS = tuple(name for name, dummy in main.CHECKS)


class Plan(t.NamedTuple):
    """What one probe is to do.

    :arg torch: whether to use torch at all; if not, only the node is looked at.
    :arg devices: the devices to test; None for all.
    :arg passed: the devices that passed in an earlier probe, for the all-reduce.
    :arg all_reduce: whether to run it, where two devices have passed.
    :arg trouble: whether the node is looked at closely in any case.
    :arg skip: what of that closer look is left out.
    :arg expect: how many devices there should be; another number is a trouble. None for no opinion.
    """

    torch: bool = True
    devices: tuple[int, ...] | None = None
    passed: tuple[int, ...] = ()
    all_reduce: bool = True
    trouble: bool = False
    skip: tuple[str, ...] = ()
    expect: int | None = None


def what_is_left(plan: Plan, report: Report) -> Plan | None:
    """The next probe's plan after the one with *plan* broke in a task; None when nothing is left to do.

    Each plan does less than the one before, so there is an end to it.

    :arg report: of all probes so far; the last of ``report.broken`` is what just happened.
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
    """What to try without the libraries that LD_LIBRARY_PATH and LD_PRELOAD put first; None when they are not to blame."""
    if report.ending.how == TIMEOUT or not any(is_torchs(path) for _variable, path in report.library_path):
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
