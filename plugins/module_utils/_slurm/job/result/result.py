# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as the module returns it, why it failed, and the end of its output. Reads files. Private to hpc.pytorch."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import typing as t

from ...._common.errors import UserError
from ...._common.lines import lines_of, visible, whole
from ...._files.trust import untrusted_because
from ...model.hostlist import unfold
from ...model.job.part import Part
from ...model.states import FAILED, SUCCEEDED, VANISHED, state_of
from ..parts import JobParts
from .last_words import remedy_for, telling_line
from .output import output_path

Result = t.Dict[str, t.Any]

NO_JOB: Result = {
    "job_id": None,
    "job_name": "",
    "job_state": None,
    "reason": "",
    "exit_code": None,
    "signal": None,
    "restarts": 0,
    "nodes": [],
    "stdout_file": "",
    "stdout_tail": [],
    "stderr_tail": [],
    "tasks": [],
}
# The signal that Slurm notes for a script whose output file it cannot make. The job has then not begun.
_NO_OUTPUT = 53
# However long the lines are, no more of an output is read.
_BYTES = 64 * 1024


def result_of(job_id: str, parts: JobParts, tail: int, owner: int | None = None) -> Result:
    """What is known of a job.

    :arg tail: how many of the last lines of its output to return.
    :arg owner: the number of the user who owns the job; None for the caller's own job, -1 if it is not known.
    """
    found = [_with_files(part, job_id, owner) for part in parts.parts.values()]
    leading = _with_files(parts.leading, job_id, owner)
    nodes: dict[str, None] = {}
    for name in dict.fromkeys(part.nodes for part in found if part.nodes):
        nodes.update(dict.fromkeys(_names_in(name)))
    result = dict(
        _of_part(leading),
        job_id=job_id,
        job_name=visible(leading.job_name),
        nodes=list(nodes),
        stdout_tail=tail_of(leading.stdout, tail, owner),
        stderr_tail=tail_of(leading.stderr, tail, owner) if leading.stderr not in ("", leading.stdout) else [],
        tasks=[],
    )
    if any(part.name for part in found):
        ordered = sorted(found, key=lambda part: _order(part.name))
        result["tasks"] = [dict(_of_part(part), task=part.name) for part in ordered]
    result["summary"] = summary_of(result)
    return result


def summary_of(result: Result) -> str:
    """The job on one line."""
    name = " (%s)" % result["job_name"] if result["job_name"] else ""
    words = "job %s%s %s" % (result["job_id"], name, state_of(result["job_state"]).meaning)
    if result["job_state"] == VANISHED:
        return words + (" (%s)" % result["reason"] if result["reason"] else "")
    details = [result["job_state"]]
    tasks = result["tasks"]
    if tasks:
        good = sum(state_of(task["job_state"]).phase == SUCCEEDED for task in tasks)
        bad = [task["task"] for task in tasks if state_of(task["job_state"]).phase == FAILED]
        details.append("%d of %d tasks succeeded" % (good, len(tasks)))
        if bad:
            words = "job %s%s: task %s %s" % (result["job_id"], name, bad[0], state_of(result["job_state"]).meaning)
            details.append("failed: %s" % _first_few(bad))
    if result["reason"]:
        details.append(result["reason"])
    if result["exit_code"]:
        details.append("exit code %d" % result["exit_code"])
    if result["signal"]:
        details.append("signal %s" % _signal_name(result["signal"]))
    if result["restarts"]:
        details.append(
            "put back into the queue %d time%s" % (result["restarts"], "" if result["restarts"] == 1 else "s")
        )
    if result["nodes"]:
        details.append("on %s" % _first_few(result["nodes"]))
    return "%s (%s)" % (words, ", ".join(details))


def failure_of(result: Result) -> UserError:
    """Why a job that has ended is a failure, with everything that is known of it."""
    state = state_of(result["job_state"])
    last = telling_line(result["stderr_tail"] or result["stdout_tail"])
    found = result["summary"] + ("; the end of its output: %s" % last if last else "")
    remedy = state.remedy or "see the end of its output"
    if result["reason"].startswith("by user "):
        remedy = "ask that user why, or submit it again with force: true"
    lost = result["job_state"] == "FAILED" and result["signal"] == _NO_OUTPUT
    cure = remedy_for(last) if result["job_state"] == "FAILED" else ""
    if lost:
        remedy = _of_missing_output(result["stdout_file"])
    elif cure:
        remedy = "%s; %s" % (cure, remedy)
    elif result["job_state"] == "FAILED" and (
        result["signal"] == signal.SIGKILL or result["exit_code"] == 128 + signal.SIGKILL
    ):
        remedy = "something killed it, mostly because of its memory: raise mem, or lower the batch size; %s" % remedy
    if result["stdout_file"] and not lost:
        remedy += "; its output is in %s" % result["stdout_file"]
    return UserError("exit code 0 from job %s" % result["job_id"], found, remedy, **result)


def _of_missing_output(path: str) -> str:
    """What to do about a job whose output file could not be made."""
    folder = os.path.dirname(path)
    if not folder:
        return "its output file could not be made: check that its folder is there and can be written on the nodes"
    if os.path.isdir(folder):
        return "its output file could not be made: check that the nodes have the folder %s and can write to it" % folder
    return "its output file could not be made: make its folder, mkdir -p %s, and submit it again with force: true" % (
        shlex.quote(folder)
    )


def tail_of(path: str, lines: int, owner: int | None = None) -> list[str]:
    """The last lines of a file, with control characters as escapes.

    None for a missing file, and for a pipe or device, which might block. The job's owner chose the path: of another
    user's job only that user's file is read, and of root's own job none that another user may have put in its place.

    :arg owner: as in result_of.
    """
    if not path or lines < 1:
        return []
    me = os.geteuid()
    owner = me if owner is None else owner
    ours = me == owner == 0
    try:
        if ours and untrusted_because(os.path.dirname(os.path.abspath(path)), for_new=True):
            return []
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (os.O_NOFOLLOW if ours else 0)
        handle = os.open(path, flags)
    except (OSError, ValueError):
        return []
    status = os.fstat(handle)
    its_own = status.st_uid == owner and (status.st_nlink == 1 or not ours) or me == owner != 0
    if not stat.S_ISREG(status.st_mode) or not its_own:
        os.close(handle)
        return []
    with os.fdopen(handle, "rb") as stream:
        begin = max(0, status.st_size - _BYTES)
        stream.seek(begin)
        text = stream.read(_BYTES).decode("utf-8", "replace")
    found = lines_of(text)
    # The first one may be half a line.
    kept = (found[1:] if begin and len(found) > 1 else found)[-lines:]
    # A progress bar writes over its own line; a terminal shows what it wrote last.
    return [visible(line.rstrip("\r").rpartition("\r")[2]) for line in kept]


def _with_files(part: Part, job: str, owner: int | None) -> Part:
    out, err = (output_path(path, part, job, owner) for path in (part.stdout, part.stderr))
    return part._replace(stdout=out, stderr=err)


def _of_part(part: Part) -> Result:
    return {
        "job_state": part.state,
        "reason": visible(part.reason),
        "exit_code": part.exit_code,
        "signal": part.signal,
        "restarts": part.restarts,
        "stdout_file": visible(part.stdout, 5000),
    }


def _order(name: str) -> tuple[bool, int]:
    return name.startswith("+"), whole(name.lstrip("+")) or 0


def _names_in(nodes: str) -> list[str]:
    try:
        return unfold(nodes)
    except UserError:
        # Cut off, or not a list: a result that is good otherwise must not fail for it.
        return [visible(nodes)]


def _first_few(names: t.Sequence[str]) -> str:
    """``n1,n2``; of more than eight the first eight and their number, without spaces as Slurm writes lists."""
    return ",".join(names[:8]) + (",... (%d)" % len(names) if len(names) > 8 else "")


def _signal_name(number: int) -> str:
    try:
        return "%d %s" % (number, signal.Signals(number).name)
    except ValueError:
        return str(number)
