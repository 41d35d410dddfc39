# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a probe, and the steps that are left after it hung or crashed. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .probe import main
from .report import DIED, FINISHED, TIMEOUT, Report, is_library_of_torch

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
    :arg numpy: whether to hand numbers to numpy and back.
    :arg alone: whether only the environment's own packages may be imported.
    """

    torch: bool = True
    devices: tuple[int, ...] | None = None
    passed: tuple[int, ...] = ()
    all_reduce: bool = True
    trouble: bool = False
    skip: tuple[str, ...] = ()
    expect: int | None = None
    numpy: bool = True
    alone: bool = False


# Of a probe for comparison: what every one of them does.
BARE = Plan(devices=(), all_reduce=False, numpy=False)


def what_is_left(plan: Plan, report: Report) -> Plan | None:
    """Return the plan of the next probe after one broke in a task; None if nothing is left to do.

    Each plan has fewer steps than the one before, so this ends.

    :arg plan: the plan of the probe that broke.
    :arg report: of all probes so far; the last of ``report.broken`` is the task that broke.
    """
    task = report.broken[-1].task
    if task == "numpy":
        return Plan(torch=False, trouble=True, skip=plan.skip)
    if task in CHECKS:
        skip = (*plan.skip, task)
        return None if set(CHECKS) <= set(skip) else Plan(torch=False, trouble=True, skip=skip)
    passed = tuple(device["index"] for device in report.devices if device["passed"])
    todo = tuple(device["index"] for device in report.devices if device["state"] == "untested")
    if task != "all-reduce" and (todo or plan.all_reduce and len(passed) > 1):
        return Plan(devices=todo, passed=passed, all_reduce=plan.all_reduce, trouble=True, skip=plan.skip)
    return Plan(torch=False, trouble=True, skip=plan.skip)


def library_check(report: Report) -> Plan | None:
    """Return the plan of a probe without LD_LIBRARY_PATH and LD_PRELOAD; None if they cannot be the cause."""
    if report.ending.how == TIMEOUT or report.exec_failed or report.missing:
        return None
    if not _computes(report) and report.library_variables:
        # Libraries of any name may be the cause: libstdc++, libgomp, libmkl, that of Python.
        return BARE
    mine = any(is_library_of_torch(path) for _variable, path in report.library_path)
    return _counter_check(report) if mine else None


def package_check(report: Report) -> Plan | None:
    """Return the plan of a probe with the environment's own packages alone; None if others cannot be the cause."""
    if report.ending.how == TIMEOUT or report.exec_failed:
        return None
    python = report.python
    if python is None:
        # It did not even start: what is in the user site is not known.
        return BARE._replace(alone=True) if report.ending.how == DIED else None
    if not (report.python_variables or python.get("added") or python["user_site"]):
        return None
    if report.missing or not _computes(report) or report.has_bad_numpy():
        return BARE._replace(alone=True, numpy=True)
    plan = _counter_check(report) if report.outside else None
    return plan and plan._replace(alone=True)


def settings_check(report: Report) -> Plan | None:
    """Return the plan of a probe without the settings of torch and CUDA; None if they cannot be the cause."""
    if report.ending.how == TIMEOUT or report.exec_failed or report.missing or not report.settings:
        return None
    return _counter_check(report) or _all_reduce_again(report)


def _all_reduce_again(report: Report) -> Plan | None:
    """Return the plan that repeats an all-reduce that failed; None if it did not."""
    if report.broke_at("all-reduce") is None and (report.all_reduce is None or report.all_reduce["passed"]):
        return None
    passed = tuple(device["index"] for device in report.devices if device["passed"])
    return BARE._replace(passed=passed, all_reduce=True)


def fewest(names: tuple[str, ...], helps: t.Callable[[tuple[str, ...]], bool | None]) -> tuple[str, ...]:
    """Return the fewest of *names* without which torch gets further; empty if it never does, or does so with them too.

    Each is found by as many probes as the number of names has binary digits, and one. If the time ends before, some
    more are returned.

    :arg helps: whether torch gets further without these names; None if that is not known, since the time is over.
    """
    # Once more with all of them: what only failed once, such as a GPU that another job had, is no variable's fault.
    if not helps(names) or helps(()) is not False:
        return ()
    found: tuple[str, ...] = ()
    rest = names
    while rest:
        low, high = 0, len(rest)
        # Without the first *low* of the rest it fails, without the first *high* it works.
        while high - low > 1:
            middle = (low + high) // 2
            known = helps(found + rest[:middle])
            if known is None:
                return _in_order(names, found + rest[:high])
            low, high = (low, middle) if known else (middle, high)
        found, rest = found + rest[high - 1 : high], rest[: high - 1]
        if rest and helps(found):
            break
    return _in_order(names, found)


def _in_order(names: tuple[str, ...], some: t.Container[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in some)


def _counter_check(report: Report) -> Plan | None:
    """Return the plan that repeats what failed; None if nothing did."""
    if not _computes(report) or report.cuda is None or report.torch is None:
        return BARE
    if not report.cuda["count"]:
        return BARE if report.torch["cuda"] and report.driver and report.driver["library"] else None
    failed = tuple(device["index"] for device in report.devices if device["state"] in ("failed", "died"))
    return BARE._replace(devices=failed) if failed else None


def _computes(report: Report) -> bool:
    return report.torch is not None and report.cpu is not None and bool(report.cpu["passed"])


def gets_further(other: Report, report: Report, plan: Plan) -> bool:
    """Return whether the counter-check *other* succeeds where *report* failed.

    :arg plan: that of the counter-check.
    """
    if other.cpu is None or not other.cpu["passed"]:
        return False
    if report.cuda is None:
        return True
    if report.has_bad_numpy() and plan.numpy:
        # Without any numpy torch is fine.
        return other.ending.how == FINISHED and not other.has_bad_numpy()
    if not other.cuda or not other.cuda["count"]:
        return False
    if plan.all_reduce:
        return other.all_reduce is not None and bool(other.all_reduce["passed"])
    failed = [item["index"] for item in report.devices if item["state"] in ("failed", "died")]
    passed = [item["index"] for item in other.devices if item["passed"]]
    return set(failed) <= set(passed)
