# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that an interpreter of ours, or pip, is started with. Private to hpc.pytorch."""

from __future__ import annotations

import os


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would point an interpreter or pip at other packages."""
    foreign = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    foreign += (
        "PIP_ROOT",
        "PIP_REQUIREMENT",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_REPORT",
        "PIP_QUIET",
        "PIP_VERBOSE",
        "PIP_PYTHON",
    )
    kept = {key: value for key, value in os.environ.items() if key not in foreign}
    return dict(kept, PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUTF8="1", **more)
