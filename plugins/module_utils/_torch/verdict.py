# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a report and what was expected to one word. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._host.errors import UserError, one_line
from .asked import Asked
from .causes.base import Reason
from .reasons import find_reasons
from .report import FINISHED, Report

OK = "ok"
CPU_ONLY = "cpu_only"
FAILED = "failed"


def require_sense(asked: Asked) -> None:
    """Refuse expectations that nothing can meet.

    :raises UserError: expect_devices is negative or contradicts expect_cuda.
    """
    count = asked.expect_devices
    if count is None:
        return
    if count < 0:
        raise UserError("expect_devices to be 0 or more", str(count), "leave expect_devices out to expect nothing")
    if asked.expect_cuda is not None and asked.expect_cuda != (count > 0):
        raise UserError(
            "expect_cuda and expect_devices that agree",
            "expect_cuda %s with expect_devices %d" % (str(asked.expect_cuda).lower(), count),
            "leave expect_cuda out, expect_devices says it all",
        )


def decide(report: Report, asked: Asked) -> str:
    """``ok``, ``cpu_only`` or ``failed``."""
    computes = report.cpu is not None and report.cpu["passed"]
    if not computes or report.ending.how != FINISHED:
        return FAILED
    if unmet(report, asked) or not all(device["passed"] for device in report.devices):
        return FAILED
    return OK if report.devices else CPU_ONLY


def unmet(report: Report, asked: Asked) -> t.Optional[str]:
    """The expectation about devices that the report does not meet, or None."""
    found = len(report.devices)
    if asked.expect_devices is not None:
        if found != asked.expect_devices:
            return "expected %s, found %d" % (_devices(asked.expect_devices), found)
    elif asked.expect_cuda is True and not found:
        return "expected a CUDA device, found none"
    elif asked.expect_cuda is False and found:
        return "expected no CUDA device, found %d" % found
    return None


def summarize(verdict: str, report: Report, asked: Asked, reasons: t.Sequence[Reason]) -> str:
    """The verdict and what led to it, on one line."""
    parts = []
    if report.torch is not None:
        built = report.torch["cuda"] or report.torch["hip"]
        parts.append("torch %s%s" % (report.torch["version"], " for CUDA %s" % built if built else ""))
    if report.devices:
        passed = sum(1 for device in report.devices if device["passed"])
        parts.append("%d of %s passed" % (passed, _devices(len(report.devices))))
    missed = unmet(report, asked)
    if verdict == FAILED and missed and report.cuda is not None:
        parts.append(missed)
    parts.extend("%s - %s" % (reason.code, reason.message) for reason in reasons)
    return one_line("%s: %s" % (verdict, "; ".join(parts)))


def result(report: Report, asked: Asked) -> dict[str, t.Any]:
    """What the module returns."""
    torch = report.torch or {}
    python = report.python or {}
    reasons = find_reasons(report, asked)
    verdict = decide(report, asked)
    path = torch.get("path") or (report.torch_path or "").rpartition("/")[0] or None
    return {
        "verdict": verdict,
        "summary": summarize(verdict, report, asked, reasons),
        "reasons": [reason._asdict() for reason in reasons],
        "torch": {
            "version": torch.get("version"),
            "cuda": torch.get("cuda"),
            "hip": torch.get("hip"),
            "git": torch.get("git"),
            "path": path,
        },
        "python": {name: python.get(name) for name in ("version", "executable", "prefix", "user_site")},
        "cuda_available": bool(report.cuda and report.cuda["available"]),
        "devices": report.devices,
        "step": report.step,
        "seconds": round(report.ending.seconds, 3),
        "output": report.ending.output if verdict == FAILED else "",
    }


def _devices(count: int) -> str:
    return "1 device" if count == 1 else "%d devices" % count
