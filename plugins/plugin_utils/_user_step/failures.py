# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose step has failed, and why in one line. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line

_LONGEST = 300


class Failure(t.TypedDict):
    """One step of one user. *late*: it ran out of time, so that the user's next steps would wait again."""

    user: str
    step: str
    reason: str
    late: bool


def failures_of(result: t.Mapping[str, t.Any], step: str, user: str = "") -> list[Failure]:
    """The failures in what a task registered.

    :arg result: of a task in a loop over users, or of one user's task.
    :arg user: whose result it is if the task has no loop.
    """
    found = []
    items = result["results"] if not user and isinstance(result.get("results"), list) else [result]
    for each in items:
        if each.get("failed") or each.get("unreachable"):
            name = user or each.get(each.get("ansible_loop_var", "item"), "")
            late = "timedout" in each or "the step to end within" in str(each.get("expected", ""))
            found.append(Failure(user=str(name), step=step, reason=_reason(each, late), late=late))
    return found


def _reason(result: t.Mapping[str, t.Any], late: bool) -> str:
    """The message, which may be another user's, as one line of limited length."""
    text = str(result.get("msg") or result.get("module_stderr") or result.get("stderr") or "")
    line = one_line(text[: 10 * _LONGEST])
    if not line:
        line = "it ran out of time" if late else "no message"
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
