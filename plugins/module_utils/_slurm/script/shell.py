# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotes values for the shell, and the function with which a job script stops. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex

STOP = """\
stop_job() {
    printf 'job script: %s\\n' "$1" >&2
    exit 1
}"""


def shell_path(path: str) -> str:
    """Quote a path as one word of shell: ``shell_path("~/a b")`` is ``"$HOME"/'a b'``."""
    if path == "~":
        return '"$HOME"'
    return '"$HOME"/' + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def quoted(message: str) -> str:
    """Quote a message for stop_job."""
    return shlex.quote(message)


def inside_double_quotes(path: str) -> str:
    """Escape a path for use between double quotes: ``~/a`` is ``$HOME/a``."""
    home = path == "~" or path.startswith("~/")
    return ("$HOME" if home else "") + re.sub(r'([\\"$`])', r"\\\1", path[1:] if home else path)


def is_path(env: str) -> bool:
    """Whether an environment is given by its path, not by its name."""
    return env.startswith(("/", "~/"))
