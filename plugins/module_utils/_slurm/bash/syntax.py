# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks bash whether it can read a script. Private to hpc.pytorch."""

from __future__ import annotations

import os

from ..._common.process import OutOfTime
from ..command import run_command

_SECONDS = 10


def messages(text: str) -> str:
    """What bash -n prints about a script, which it does not run; empty if there is nothing wrong, or no bash."""
    # It would need to run shopt to know these patterns.
    options = ["-O", "extglob"] if "extglob" in text else []
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        return run_command(["bash", "--norc", *options, "-n"], _SECONDS, environment, text).stderr
    except (OSError, OutOfTime):
        return ""
