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
    something fails, and without them it works: both have been tried. The message names the variable if the error does,
    and otherwise all that are set. Unset it, or correct its value.
    """
    if not report.unset:
        return None
    failed = what_failed(report, whole=True)
    named = _named(report, failed)
    texts = ["%s=%s" % (name, value[:_LONGEST]) for name, value in named.items()]
    one = len(named) == 1
    return Reason(
        "bad_setting",
        "%s %s set, and without %s it works; with %s: %s"
        % (some(texts, 8), "is" if one else "are", *(["it"] * 2 if one else ["them"] * 2), what_failed(report)),
        "unset %s in the job and in ~/.bashrc, profile.d or the modulefile%s"
        % (" ".join(named), "" if one else "; which of them it is shows if they are unset one by one"),
    )


def _named(report: Report, failed: str) -> dict[str, str]:
    """Return the settings whose name or value the error has; all of them if it has none."""
    by_name = {name: value for name, value in report.settings.items() if name in failed}
    by_value = {
        name: value
        for name, value in report.settings.items()
        if any(len(part) > 3 and part in failed for part in value.replace(",", ":").split(":"))
    }
    return by_name or by_value or report.settings
