# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers for a kernel that does not run (yet): to each request, with the reason. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .messages import Message

# A message's type and content, and whether it goes to everybody (iopub) or to the one who asked.
Answer = t.Tuple[str, t.Dict[str, t.Any], bool]

_OK: dict[str, t.Any] = {"status": "ok"}
# For requests that a notebook sends by itself: nothing is wrong with the notebook.
_EMPTY: dict[str, dict[str, t.Any]] = {
    "complete_request": dict(_OK, matches=[], cursor_start=0, cursor_end=0, metadata={}),
    "comm_info_request": dict(_OK, comms={}),
    "history_request": dict(_OK, history=[]),
    "inspect_request": dict(_OK, found=False, data={}, metadata={}),
    "is_complete_request": {"status": "unknown"},
}
_INFO: dict[str, t.Any] = {
    "status": "ok",
    "protocol_version": "5.3",
    "implementation": "hpc.pytorch",
    "implementation_version": "1",
    "language_info": {
        "name": "python",
        "version": "3",
        "mimetype": "text/x-python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
        "file_extension": ".py",
    },
    "help_links": [],
}


def busy(is_busy: bool) -> Answer:
    """The status that goes before and after each answer."""
    return "status", {"execution_state": "busy" if is_busy else "idle"}, True


def kernel_info(banner: str) -> list[Answer]:
    """The answer to the question whether there is a kernel: a notebook sends no cell before it has one."""
    return [busy(True), ("kernel_info_reply", dict(_INFO, banner=banner), False), busy(False)]


def note(text: str) -> list[Answer]:
    """A text below a cell that waits."""
    return [busy(True), ("stream", {"name": "stderr", "text": text + "\n"}, True)]


# The text below a cell that waited, once it runs.
NO_NOTE: list[Answer] = [("clear_output", {"wait": False}, True)]


def shutdown(request: Message) -> list[Answer]:
    """The answer to a request to end."""
    content = dict(_OK, restart=bool(request.content.get("restart")))
    return [("shutdown_reply", content, False)]


def interrupt() -> list[Answer]:
    """The answer to a request to interrupt what runs."""
    return [("interrupt_reply", dict(_OK), False)]


def failed(request: Message, headline: str, reason: str) -> list[Answer]:
    """The answer of a kernel that failed.

    :arg headline: in a few words.
    :arg reason: what is known, and what to do, in lines.
    """
    if request.kind == "kernel_info_request":
        return kernel_info(reason)
    if request.kind in _EMPTY:
        name = request.kind.replace("_request", "_reply")
        return [busy(True), (name, _EMPTY[request.kind], False), busy(False)]
    error = {"ename": "KernelNotRunning", "evalue": headline, "traceback": reason.split("\n")}
    answers: list[Answer] = [busy(True)]
    if request.kind == "execute_request":
        if not request.content.get("silent"):
            answers.append(("error", error, True))
        reply = dict(error, status="error", execution_count=0, user_expressions={}, payload=[])
        return [*answers, ("execute_reply", reply, False), busy(False)]
    if request.kind.endswith("_request"):
        answers.append((request.kind.replace("_request", "_reply"), dict(error, status="error"), False))
    # Others, such as comm_msg, have no answer.
    return [*answers, busy(False)]
