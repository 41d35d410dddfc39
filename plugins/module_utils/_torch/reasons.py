# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why torch or its CUDA does not work, in the order of nearness. Plain data, no I/O. Private to hpc.pytorch.

A new cause is one function in the folder causes and its place in DETECTORS.
"""

from __future__ import annotations

import typing as t

from .._host.errors import one_line
from .asked import Asked
from .causes.base import Reason
from .causes.device import device_count_mismatch, device_failed
from .causes.driver import cuda_unavailable, no_driver
from .causes.installation import compute_failed, cpu_only_build, import_failed, torch_missing
from .causes.probe import probe_timeout
from .report import Report

DETECTORS: tuple[t.Callable[[Report, Asked], t.Optional[Reason]], ...] = (
    probe_timeout,
    torch_missing,
    import_failed,
    compute_failed,
    cpu_only_build,
    no_driver,
    cuda_unavailable,
    device_failed,
    device_count_mismatch,
)


def find_reasons(report: Report, asked: Asked) -> list[Reason]:
    """Every cause that the report shows, the nearest one first."""
    found = (detect(report, asked) for detect in DETECTORS)
    return [Reason(item.code, one_line(item.message), one_line(item.remedy)) for item in found if item is not None]
