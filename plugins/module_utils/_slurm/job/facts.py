# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scontrol and sacct print about a job, as plain data. No I/O. Private to hpc.pytorch.

A job has parts: an array its tasks, a heterogeneous job its components, any other a single one without a name.
"""

from __future__ import annotations

import re
import typing as t

from ..model.states import plain

# Who writes an array of more than that has said something else.
_MOST = 4000001
_NAMED = re.compile(r"(.*?) JobName=(.*?)(?: (?:Het|Pack)JobIdSet=\S+)? (UserId=\S*\(\d+\) GroupId=.*)")


class Part(t.NamedTuple):
    """A job, a task of an array, or a component of a heterogeneous job.

    :arg name: ``3`` for a task of an array, ``+1`` for a component, empty for a job that has no parts.
    :arg number: Slurm's own number for it, of which a path of its output may be made.
    :arg exit_code: of its script; 0 while it runs.
    :arg signal: what it was ended by, as Slurm says; 0 for none.
    :arg nodes: as Slurm writes them: ``titan[01-02]``.
    :arg restarts: how often Slurm has put it back into the queue.
    """

    name: str
    state: str
    reason: str = ""
    number: str = ""
    job_name: str = ""
    exit_code: int = 0
    signal: int = 0
    nodes: str = ""
    restarts: int = 0
    stdout: str = ""
    stderr: str = ""


def parse_job(text: str) -> list[Part]:
    """Lines of ``scontrol --oneliner show job``; a task of an array that waits has no line of its own, but is a part here."""
    parts: list[Part] = []
    for line in text.splitlines():
        if not line.startswith("JobId="):
            continue
        # The name of a job may hold what looks like the rest; in the rest the first one of a name counts, since what a
        # person writes (comment, paths) comes after what Slurm writes.
        match = _NAMED.match(line)
        top, name, tail = match.groups() if match else (line, "", "")
        values = dict(_pairs(top))
        for key, value in _pairs(tail):
            values.setdefault(key, value)
        code, signal = exit_status(values.get("ExitCode", ""))
        part = Part(
            "",
            plain(values.get("JobState", "")),
            _set(values.get("Reason", "")),
            values.get("JobId", ""),
            name,
            code,
            signal,
            _set(values.get("NodeList", "")),
            int(values["Restarts"]) if values.get("Restarts", "").isdigit() else 0,
            _set(values.get("StdOut", "")),
            _set(values.get("StdErr", "")),
        )
        if "ArrayTaskId" in values:
            parts.extend(part._replace(name=str(index)) for index in indices(values["ArrayTaskId"]))
        elif "HetJobOffset" in values or "PackJobOffset" in values:
            parts.append(part._replace(name="+" + values.get("HetJobOffset", values.get("PackJobOffset", ""))))
        else:
            parts.append(part)
    return parts


def parse_accounting(text: str) -> list[Part]:
    """Lines of sacct's ``JobID|JobName|State|ExitCode|NodeList``; tasks of an array that wait are left out."""
    parts = []
    for line in text.splitlines():
        match = re.fullmatch(r"\d+(?:_(\d+)|(\+\d+))?\|(.*)\|([^|]*)\|([^|]*)\|([^|]*)", line)
        if match:
            code, signal = exit_status(match.group(5))
            name = match.group(1) or match.group(2) or ""
            nodes = "" if match.group(6) == "None assigned" else match.group(6)
            parts.append(Part(name, plain(match.group(4)), "", "", match.group(3), code, signal, nodes))
    return parts


def exit_status(text: str) -> tuple[int, int]:
    """``3:0`` as exit code and signal."""
    code, _sign, signal = text.partition(":")
    return int(code) if code.isdigit() else 0, int(signal) if signal.isdigit() else 0


def indices(text: str) -> list[int]:
    """The indices of an array as sbatch takes them and scontrol shows them: ``0-7:2,9%4``."""
    found: list[int] = []
    for item in text.partition("%")[0].split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+)(?::(\d+))?)?\s*", item)
        if match:
            first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
            found.extend(range(first, min(last, first + _MOST) + 1, max(step, 1)))
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    starts = list(re.finditer(r"(?:^|\s)([A-Z][\w:/]*)=", text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [(match.group(1), text[match.end() : end].strip()) for match, end in zip(starts, ends)]


def _set(value: str) -> str:
    return "" if value in ("(null)", "None", "N/A") else value
