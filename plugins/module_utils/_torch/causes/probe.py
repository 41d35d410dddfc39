# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe itself did not come back. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..asked import Asked
from ..report import TIMEOUT, Report, describe_ending
from .base import Reason


def probe_timeout(report: Report, asked: Asked) -> t.Optional[Reason]:
    """The probe did not come back."""
    if report.ending.how != TIMEOUT:
        return None
    message = "the probe of %s %s; it hung at: %s" % (asked.place, describe_ending(report.ending), report.step)
    if report.cpu is not None:
        remedy = (
            "look at the node's driver (dmesg for Xid, nvidia-smi) and take the node out of service;"
            " raise timeout if it is only slow"
        )
    else:
        remedy = "look at the file system of %s (a dead mount?); raise timeout if it is only slow" % asked.place
    return Reason("probe_timeout", message, remedy)
