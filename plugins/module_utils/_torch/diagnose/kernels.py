# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code for a device that did not compute, by its error. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._gpu.capabilities import build_runs
from ..report import Report

# The first pattern in a device's error counts; without any it is device_failed.
PATTERNS = (
    ("arch_mismatch", r"no kernel image|device kernel image is invalid|CU\w+_STATUS_ARCH_MISMATCH"),
    ("driver_too_old", r"unsupported toolchain|driver version is insufficient"),
    ("exclusive_or_busy", r"busy or unavailable|out of memory|exclusive|CU\w+_STATUS_ALLOC_FAILED"),
)


def code_of(report: Report, device: t.Mapping[str, t.Any]) -> str | None:
    """Return the code for one device; None for one that passed or was not tested."""
    if device["state"] in ("passed", "untested"):
        return None
    if device["state"] == "hung":
        return "probe_timeout"
    archs = report.cuda["archs"] if report.cuda else []
    for code, pattern in PATTERNS:
        if re.search(pattern, device["error"] or ""):
            return code
    if device["compute_capability"] and build_runs(archs, device["compute_capability"]) is False:
        return "arch_mismatch"
    return "device_failed"


def failing(report: Report, code: str) -> list[dict[str, t.Any]]:
    """Return the devices that failed with *code*."""
    return [device for device in report.devices if code_of(report, device) == code]
