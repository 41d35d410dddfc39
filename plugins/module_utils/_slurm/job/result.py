# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as the module returns it, and why it is a failure. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import signal
import typing as t

from ..._common.errors import UserError
from ..model.hostlist import unfold
from ..model.job import Part
from ..model.states import FAILED, SUCCEEDED, VANISHED, state_of
from .follow import JobFollow

Result = t.Dict[str, t.Any]
Tail = t.Callable[[str], t.List[str]]

# What torchrun and torch put before the lines of a process.
_RANK = re.compile(r"^\[(default|rank)?\d+\]:")
_EXCEPTION = re.compile(r"(?!\S*ChildFailedError)[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)(: |$)")
# Slurm's notes that a step is over, and the frame of torchrun's summary, whose cause stands above it.
_AFTER_THE_END = re.compile(
    r"srun: error: \S+: tasks? [\d,-]+: |srun: (launch/slurm: _step_signal: |Force )?Terminat|srun: Job step aborted"
    r"|slurmstepd: error: \*\*\* STEP |[=-]{10,}$"
)


def result_of(job_id: str, follow: JobFollow, tail: Tail) -> Result:
    """What is known of a job.

    :arg tail: the last lines of a file.
    """
    part = follow.leading
    nodes: list[str] = []
    for name in dict.fromkeys(one.nodes for one in follow.parts.values() if one.nodes):
        nodes.extend(node for node in unfold(name) if node not in nodes)
    result = dict(
        _of_part(part),
        job_id=job_id,
        job_name=part.job_name,
        nodes=nodes,
        stdout_tail=tail(part.stdout),
        stderr_tail=tail(part.stderr) if part.stderr not in ("", part.stdout) else [],
        tasks=[],
    )
    if any(name for name in follow.parts):
        ordered = sorted(follow.parts.values(), key=lambda one: _order(one.name))
        result["tasks"] = [dict(_of_part(one), task=one.name) for one in ordered]
    result["summary"] = summary_of(result)
    return result


def summary_of(result: Result) -> str:
    """The job on one line."""
    name = " (%s)" % result["job_name"] if result["job_name"] else ""
    words = "job %s%s %s" % (result["job_id"], name, state_of(result["job_state"]).meaning)
    if result["job_state"] == VANISHED:
        return words
    details = [result["job_state"]]
    tasks = result["tasks"]
    if tasks:
        good = sum(state_of(task["job_state"]).phase == SUCCEEDED for task in tasks)
        bad = [task["task"] for task in tasks if state_of(task["job_state"]).phase == FAILED]
        details.append("%d of %d tasks succeeded" % (good, len(tasks)))
        if bad:
            words = "job %s%s: task %s %s" % (result["job_id"], name, bad[0], state_of(result["job_state"]).meaning)
            details.append("failed: %s" % _few(bad))
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
        details.append("on %s" % _few(result["nodes"]))
    return "%s (%s)" % (words, ", ".join(details))


def failure_of(result: Result) -> UserError:
    """Why a job that has ended is a failure, with all that is known of it."""
    state = state_of(result["job_state"])
    last = last_words(result["stderr_tail"] or result["stdout_tail"])
    found = result["summary"] + ("; its last words: %s" % last if last else "")
    remedy = state.remedy or "see the end of its output"
    if result["job_state"] == "FAILED" and (
        result["signal"] == signal.SIGKILL or result["exit_code"] == 128 + signal.SIGKILL
    ):
        remedy = "something killed it, mostly because of its memory: raise mem, or lower the batch size; %s" % remedy
    if result["stdout_file"]:
        remedy += "; its output is in %s" % result["stdout_file"]
    return UserError("job %s to end with exit code 0" % result["job_id"], found, remedy, **result)


def last_words(lines: t.Sequence[str]) -> str:
    """The line that says most of why a program ended: its last exception, else its last line, else Slurm's."""
    words = [_RANK.sub("", line).strip() for line in lines if line.strip()]
    own = [line for line in words if not _AFTER_THE_END.match(line)]
    raised = [line for line in own if _EXCEPTION.match(line)]
    return (raised or own or words or [""])[-1][:200]


def _of_part(part: Part) -> Result:
    return {
        "job_state": part.state,
        "reason": part.reason,
        "exit_code": part.exit_code,
        "signal": part.signal,
        "restarts": part.restarts,
        "stdout_file": part.stdout,
    }


def _order(name: str) -> tuple[bool, int]:
    return name.startswith("+"), int(name.lstrip("+") or 0)


def _few(names: t.Sequence[str]) -> str:
    return ",".join(names[:8]) + (",... (%d)" % len(names) if len(names) > 8 else "")


def _signal_name(number: int) -> str:
    try:
        return "%d %s" % (number, signal.Signals(number).name)
    except ValueError:
        return str(number)
