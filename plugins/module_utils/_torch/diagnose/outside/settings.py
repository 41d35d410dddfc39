# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable that sets torch, CUDA or one of their libraries has a value with which they fail. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

from ...._common.errors import some
from ...asked import Asked
from ...report import Report
from ..reason import Reason
from .shadow import what_failed

_LONGEST = 200


def bad_setting(report: Report, asked: Asked) -> Reason | None:
    """A variable that sets torch or CUDA makes it fail.

    With `PYTORCH_CUDA_ALLOC_CONF`, `TORCH_LOGS`, `CUDA_FORCE_PTX_JIT`, `NCCL_SOCKET_IFNAME` or another one like them
    something fails, and without it it works: both have been tried, and the message names the variable. Unset it, or
    correct its value.
    """
    if not report.unset:
        return None
    texts = ["%s=%s" % (name, report.settings[name][:_LONGEST]) for name in report.unset]
    one = len(texts) == 1
    message = "%s %s set, and without %s it works; with %s: %s" % (
        some(texts, 8),
        "is" if one else "are",
        *(["it", "it"] if one else ["them", "them"]),
        what_failed(report),
    )
    remedy = "unset %s in the job and in ~/.bashrc, profile.d or the modulefile" % " ".join(report.unset)
    return Reason("bad_setting", message, remedy)
