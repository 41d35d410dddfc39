# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of ``always``, which run last however the job ends. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

# A trap for EXIT runs after SIGTERM too, at once and not after the command, and the shell still ends by that signal.
# A subshell, and not after || or in a condition: only there the lines stop at their first failure.
_TRAP = """\
# Last, and after a failure too. The exit code of a failure stays.
always() {
    (
set -euo pipefail
%s
    )
}
finish() {
    local code=$? last
    trap - EXIT
    set +e
    always
    last=$?
    if [ "$code" = 0 ]; then code=$last; fi
    exit "$code"
}
trap finish EXIT"""
# Before a job goes back into the queue, which ends it.
BEFORE_REQUEUE = """\
    trap - EXIT
    set +e
    always
    set -e
"""


def trap(lines: str) -> str:
    """Render the trap that runs *lines* at the end; empty without lines."""
    return _TRAP % lines if lines else ""
