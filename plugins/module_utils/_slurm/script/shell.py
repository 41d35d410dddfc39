# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as words of shell, and the one way in which a job script gives up. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex

STOP = """\
stop_job() {
    printf 'job script: %s\\n' "$1" >&2
    exit 1
}"""


def shell_path(path: str) -> str:
    """A path as one word of shell; a leading ~ is the home of whoever runs the script."""
    if path == "~":
        return '"$HOME"'
    return '"$HOME"/' + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def said(message: str) -> str:
    """A message for stop_job."""
    return shlex.quote(message)


def inside_double_quotes(path: str) -> str:
    """A path between double quotes, as the guide has it."""
    home = path == "~" or path.startswith("~/")
    return ("$HOME" if home else "") + re.sub(r'([\\"$`])', r"\\\1", path[1:] if home else path)


def is_path(env: str) -> bool:
    """Whether an env is given by its path, not by its name."""
    return env.startswith(("/", "~/"))
