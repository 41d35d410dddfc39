# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices there are, but not as they should be. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..asked import Asked
from ..report import DIED, TIMEOUT, Report, describe_ending
from .base import Reason


def device_failed(report: Report, asked: Asked) -> t.Optional[Reason]:
    """A device did not do its sums, or CUDA took the interpreter with it."""
    bad = [device for device in report.devices if not device["passed"]]
    if bad and report.ending.how != TIMEOUT:
        texts = ["device %d (%s): %s" % (item["index"], item["name"], item["error"]) for item in bad]
        message = "%d of %d devices failed: %s" % (len(bad), len(report.devices), "; ".join(texts))
    elif not bad and report.ending.how == DIED and report.cpu is not None and report.cpu["passed"]:
        message = "the probe %s at: %s" % (describe_ending(report.ending), report.step)
    else:
        return None
    remedy = "look at the node's driver (dmesg for Xid, nvidia-smi -q) and take the device or the node out of service"
    return Reason("device_failed", message, remedy)


def device_count_mismatch(report: Report, asked: Asked) -> t.Optional[Reason]:
    """Devices there are, but not as many as expected. Where there is none, the cause of that is the reason."""
    found = len(report.devices)
    if not found:
        return None
    if asked.expect_devices is not None and found != asked.expect_devices:
        wanted = str(asked.expect_devices)
    elif asked.expect_cuda is False:
        wanted = "none"
    else:
        return None
    return Reason(
        "device_count_mismatch",
        "torch sees %d devices, expected %s" % (found, wanted),
        "compare nvidia-smi -L, what the job asked for (--gres, CUDA_VISIBLE_DEVICES) and the expectation",
    )
