# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts, from what scontrol and sacct print. Plain data, no I/O. Private to hpc.pytorch.

The parts of an array are its tasks, those of a heterogeneous job its components; any other job is one part without a
name.
"""

from __future__ import annotations

import re
import typing as t

from .pairs import given, split_pairs
from .states import plain

# Slurm allows no larger array; the rest of a longer range is ignored.
_MOST = 4000001
_NAMED = re.compile(r"(.*?) JobName=(.*?)(?: (?:Het|Pack)JobIdSet=\S+)? (UserId=\S*\(\d+\) GroupId=.*)")


class Part(t.NamedTuple):
    """A job, a task of an array, or a component of a heterogeneous job.

    :arg name: ``3`` for a task of an array, ``+1`` for a component, empty for a job without parts.
    :arg number: Slurm's own number for it, which may be part of the path of its output.
    :arg exit_code: of its script; 0 while it runs.
    :arg signal: the signal that ended it, according to Slurm; 0 for none.
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
    """Lines of ``scontrol --oneliner show job``. Tasks that wait share one line there; here each is a part."""
    parts: list[Part] = []
    for line in text.splitlines():
        if line.startswith("JobId="):
            parts.extend(_parts_of_line(line))
    return parts


def _parts_of_line(line: str) -> list[Part]:
    # A job's name may hold text that looks like the other pairs. After the name the first pair of a kind counts, since
    # what users write (comment, paths) comes after what Slurm writes.
    match = _NAMED.match(line)
    top, name, tail = match.groups() if match else (line, "", "")
    values = dict(split_pairs(top))
    for key, value in split_pairs(tail):
        values.setdefault(key, value)
    code, signal = exit_status(values.get("ExitCode", ""))
    part = Part(
        name="",
        state=plain(values.get("JobState", "")),
        reason=given(values.get("Reason", "")),
        number=values.get("JobId", ""),
        job_name=name,
        exit_code=code,
        signal=signal,
        nodes=given(values.get("NodeList", "")),
        restarts=int(values["Restarts"]) if values.get("Restarts", "").isdigit() else 0,
        stdout=given(values.get("StdOut", "")),
        stderr=given(values.get("StdErr", "")),
    )
    if "ArrayTaskId" in values:
        return [part._replace(name=str(index)) for index in indices(values["ArrayTaskId"])]
    if "HetJobOffset" in values or "PackJobOffset" in values:
        return [part._replace(name="+" + values.get("HetJobOffset", values.get("PackJobOffset", "")))]
    return [part]


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
    """Exit code and signal: ``"3:0"`` gives ``(3, 0)``."""
    code, _sign, signal = text.partition(":")
    return int(code) if code.isdigit() else 0, int(signal) if signal.isdigit() else 0


def indices(text: str) -> list[int]:
    """The indices of an array as sbatch takes them: ``"0-7:2,9%4"`` gives ``[0, 2, 4, 6, 9]``."""
    found: list[int] = []
    for item in text.partition("%")[0].split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+)(?::(\d+))?)?\s*", item)
        if match:
            first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
            found.extend(range(first, min(last, first + _MOST) + 1, max(step, 1)))
    return found
