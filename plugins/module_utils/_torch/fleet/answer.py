# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a task of an array left in the folder of the check: its answer and its output. Private to hpc.pytorch.

Nothing but a regular file is opened, and no more of it is read than an answer has.
"""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ..._common.errors import one_line
from ..._common.lines import lines_of
from ..._common.values import bounded
from ..node_result import VERDICTS
from .outcome import NoAnswer, Outcome

_LARGEST = 4 * 1024 * 1024
_OUTPUT_KEPT = 500


def read_answer(path: str, node: str) -> Outcome:
    """What the task of *node* answered, or why that cannot be used."""
    try:
        data = _read(path, _LARGEST + 1)
        answer = bounded(json.loads(data.decode("utf-8"))) if data is not None and len(data) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not _is_result(answer):
        return Outcome(reason=NoAnswer.ENDED, detail="its task left an answer that is not understood")
    name = answer.pop("node", None)
    if name != node:
        return Outcome(reason=NoAnswer.OTHER_NODE, detail="its task ran on %s" % one_line(str(name))[:200])
    return Outcome(answer)


def end_of_output(path: str) -> str:
    """The last two lines of what a task printed, as one; empty if there is no such file."""
    try:
        data = _read(path, _OUTPUT_KEPT, end=True)
    except OSError:
        return ""
    return one_line(" ".join(lines_of((data or b"").decode("utf-8", "replace").strip())[-2:]))


def _is_result(answer: t.Mapping[str, t.Any]) -> bool:
    refused = answer.get("refused")
    if refused is not None:
        keys = ("expected", "found", "remedy")
        return isinstance(refused, dict) and all(isinstance(refused.get(key), str) for key in keys)
    return (
        answer.get("verdict") in VERDICTS
        and isinstance(answer.get("summary"), str)
        and all(isinstance(answer.get(key), list) for key in ("reasons", "devices"))
        and all(isinstance(item, dict) for key in ("reasons", "devices") for item in answer[key])
    )


def _read(path: str, most: int, end: bool = False) -> bytes | None:
    """At most *most* bytes of a regular file, from its beginning or its end; None for anything else."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        if end:
            stream.seek(max(0, status.st_size - most))
        return stream.read(most)
