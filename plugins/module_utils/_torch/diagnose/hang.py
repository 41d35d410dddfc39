# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe, or a part of it, hung. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ..asked import Asked
from ..report import TIMEOUT, Report, describe_ending
from .kernels import failing
from .reason import Reason, names_of


def probe_timeout(report: Report, asked: Asked) -> Reason | None:
    """A GPU or all of the probe did not answer in time.

    A GPU took longer than `device_timeout`, or all of the probe longer than `timeout`; the message names the step.
    After a GPU that hangs, the probe goes on with the others. Check the driver (`dmesg` for Xid), and for a hang
    before CUDA the file system.
    """
    hung = failing(report, "probe_timeout")
    if report.ending.how != TIMEOUT and not hung:
        return None
    parts = []
    if hung and report.broken:
        parts.append("%s: %s" % (names_of(hung), "; ".join(str(device["error"]) for device in hung)))
    if report.ending.how == TIMEOUT:
        parts.append("the probe of %s %s; it hung at: %s" % (asked.place, describe_ending(report.ending), report.step))
    if report.cpu is not None:
        remedy = (
            "raise %s if it is only slow; otherwise check the node's driver (dmesg for Xid, nvidia-smi), reboot the"
            " node, and take it out of service if that does not help"
            % ("device_timeout" if hung and report.broken else "timeout")
        )
    else:
        remedy = "check the file system of %s (a dead mount?); raise timeout if it is only slow" % asked.place
    return Reason("probe_timeout", "; ".join(parts), remedy)
