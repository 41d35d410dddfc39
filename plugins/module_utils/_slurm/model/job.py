# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts, from what scontrol, squeue and sacct print. Plain data, no I/O. Private to hpc.pytorch.

The parts of an array are its tasks, those of a heterogeneous job its components; any other job is one part without a
name.

The owner of a job chooses its name, comment and paths, which may look like any other field and may have line breaks;
scontrol escapes nothing. If it may be wrong about another user's job (not ``sure``), squeue is asked, whose columns
have fixed widths.
"""

from __future__ import annotations

import re
import typing as t

from ..._common.lines import lines_of, whole
from .pairs import given, split_pairs
from .states import plain

# Slurm allows no larger array; the rest of a longer range is ignored.
_MOST = 4000001
# All tasks of all lines together.
_MOST_PARTS = 1000000
# The user and the group stand after the job's name; the name may look like them.
_OWNER = re.compile(r" UserId=\S*\((\d{1,10})\) GroupId=(?=\S)")
# Slurm's own fields, up to the first one that the job's owner chooses.
_CHOSEN = re.compile(r" (?:Command|WorkDir)=")
_HET = re.compile(r" (?:Het|Pack)JobIdSet=\S+$")
# What must not be wrong: where one of them is there twice, the owner may have written it.
_FIELDS = re.compile(r"(?:^|\s)(JobId|UserId|JobState|Reason|Restarts|ExitCode|NodeList)=")
_SUBMITTED = re.compile(r"(?:^|\s)SubmitTime=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?=\s|$)")
# squeue's columns and their widths. Slurm writes all of them; the reason is last.
COLUMNS = (
    ("jobid", 12),
    ("arraytaskid", 12),
    ("userid", 12),
    ("state", 24),
    ("exit_code", 12),
    ("restartcnt", 12),
    ("nodelist", 1024),
    ("reason", 256),
)


class Part(t.NamedTuple):
    """A job, a task of an array, or a component of a heterogeneous job.

    :arg name: ``3`` for a task of an array, ``+1`` for a component, empty for a job without parts.
    :arg number: Slurm's own number for it, which may be part of the path of its output.
    :arg exit_code: of its script; 0 while it runs.
    :arg signal: the signal that ended it, according to Slurm; 0 for none.
    :arg nodes: as Slurm writes them: ``titan[01-02]``.
    :arg restarts: how often Slurm has put it back into the queue.
    :arg partitions: those that it may start in, with commas.
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
    partitions: str = ""


class Shown(t.NamedTuple):
    """What scontrol shows of a job.

    :arg owners: every user who may be its owner, by number. The owner is among them.
    :arg sure: no field can come from a text that the owner chose.
    :arg submitted: when, as Slurm writes it: ``2026-11-24T14:36:13``.
    :arg text: what scontrol printed.
    """

    parts: list[Part]
    owners: frozenset[int]
    sure: bool
    submitted: str = ""
    text: str = ""


class Row(t.NamedTuple):
    """What squeue shows of a part. No other user can have written it."""

    number: str
    task: str
    owner: int
    state: str
    exit_code: int
    signal: int
    restarts: int
    nodes: str
    reason: str


def parse_job(text: str) -> list[Part]:
    """Lines of ``scontrol --oneliner show job``. Tasks that wait share one line there; here each is a part."""
    return _parts(_records(text))


def read_job(text: str) -> Shown:
    """As parse_job, with what is to be known about whether it is true."""
    records = _records(text)
    fields = _FIELDS.findall(text)
    sure = len(records) < 2 and len(fields) == len(set(fields))
    owners = frozenset(int(number) for number in _OWNER.findall(text))
    # The tasks of an array were submitted together.
    submitted = min(_SUBMITTED.findall(text), default="")
    return Shown(_parts(records), owners, sure, submitted, text)


def siblings(text: str) -> list[str]:
    """The clusters of a federation that have the job, by what scontrol prints: ``FedActiveSiblings=fed2,fed3``."""
    found = re.findall(r"(?:^|\s)FedActiveSiblings=([\w.,-]+)(?=\s|$)", text)
    return [name for name in (found[0].split(",") if found else []) if name]


def _parts(records: t.Sequence[str]) -> list[Part]:
    parts: list[Part] = []
    for record in records:
        parts.extend(_parts_of(record, _MOST_PARTS - len(parts)))
    return parts


def _records(text: str) -> list[str]:
    """One text for each part. A line that does not begin as a part does goes on with the one before."""
    found: list[str] = []
    for line in lines_of(text):
        if line.startswith("JobId="):
            found.append(line)
        elif found:
            found[-1] += "\n" + line
    return found


def _parts_of(record: str, most: int) -> list[Part]:
    top, name, tail = _divide(record)
    values = dict(split_pairs(top))
    end = _CHOSEN.search(tail)
    for key, value in split_pairs(tail[: end.start()] if end else tail):
        values.setdefault(key, value)
    # Of a path it does not matter which: its owner chose each of them.
    for key, value in split_pairs(tail[end.start() :] if end else ""):
        if key in ("StdOut", "StdErr"):
            values[key] = value
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
        restarts=whole(values.get("Restarts")) or 0,
        stdout=given(values.get("StdOut", "")),
        stderr=given(values.get("StdErr", "")),
        partitions=given(values.get("Partition", "")),
    )
    if "ArrayTaskId" in values:
        return [part._replace(name=str(index)) for index in indices(values["ArrayTaskId"], most)]
    offset = whole(values.get("HetJobOffset", values.get("PackJobOffset")))
    return [part] if offset is None else [part._replace(name="+%d" % offset)]


def _divide(record: str) -> tuple[str, str, str]:
    """What stands before the job's name, the name, and what stands after it.

    A name may look like the owner that comes after it, so the last owner counts; but what looks like one behind the
    first path is part of a path or a comment. A name that looks like both is read wrongly: see ``sure``.
    """
    top, _mark, rest = record.partition(" JobName=")
    end = _CHOSEN.search(rest)
    owners = [match.start() for match in _OWNER.finditer(rest, 0, end.end() if end else len(rest))]
    if not owners:
        owners = [match.start() for match in _OWNER.finditer(rest)]
    if not owners:
        return record, "", ""
    return top, _HET.sub("", rest[: owners[-1]]), rest[owners[-1] :]


def parse_rows(text: str) -> list[Row]:
    """Lines of squeue with COLUMNS. Other lines are left out."""
    rows = []
    for line in lines_of(text):
        cells, begin = [], 0
        for _name, width in COLUMNS:
            cells.append(line[begin : begin + width].strip())
            begin += width
        number, task, owner, state, status, restarts, nodes, reason = cells
        code, user = whole(status), whole(owner)
        if whole(number) is None or user is None or code is None or not re.fullmatch("[A-Z_]+", state):
            continue
        # As wait() returns it.
        rows.append(
            Row(
                number,
                task if whole(task) is not None else "",
                user,
                state,
                0 if code & 127 else code >> 8 & 255,
                code & 127,
                whole(restarts) or 0,
                given(nodes),
                given(reason),
            )
        )
    return rows


def corrected(parts: t.Sequence[Part], rows: t.Sequence[Row]) -> list[Part]:
    """The parts that squeue has, with its fields. Name and paths, which are the owner's in any case, are scontrol's."""
    by_number: dict[str, Part] = {}
    for part in parts:
        by_number.setdefault(part.number, part)
    found = []
    for row in rows:
        part = by_number.get(row.number) or (parts[0] if parts else Part("", ""))
        name = row.task or (part.name if part.name.startswith("+") and len(rows) > 1 else "")
        found.append(
            part._replace(
                name=name,
                state=row.state,
                reason=row.reason,
                number=row.number,
                exit_code=row.exit_code,
                signal=row.signal,
                # A long list is cut off at the column's end.
                nodes=part.nodes if row.nodes and part.nodes.startswith(row.nodes) else row.nodes,
                restarts=row.restarts,
            )
        )
    return found


def show_pairs(text: str) -> list[dict[str, str]]:
    """The pairs of each part in ``scontrol --oneliner show job``, Slurm's own first.

    Where a name comes twice, Slurm's own value counts; the other texts are below an empty name, so that none is lost.
    """
    found = []
    for record in _records(text):
        top, name, tail = _divide(record)
        pairs = dict(split_pairs(top), **({"JobName": name} if tail else {}))
        rest = []
        for key, value in split_pairs(tail):
            rest += [value] if key in pairs else []
            pairs.setdefault(key, value)
        found.append(dict(pairs, **({"": " ".join(rest)} if rest else {})))
    return found


def parse_accounting(text: str, mark: str = "") -> list[Part]:
    """Lines of sacct's ``JobID|JobName|State|ExitCode|NodeList``; tasks of an array that wait are left out.

    :arg mark: the separator that sacct was asked for instead of ``|``: a name may have that, and lines.
    """
    if mark and mark in text:
        # The last cell of a line and the first one of the next are one text here; neither has a line break of its own.
        cells: list[str] = []
        for number, cell in enumerate(text.split(mark)):
            cells += cell.split("\n", 1) if number and number % 4 == 0 else [cell]
        rows = (cells[begin : begin + 5] for begin in range(0, len(cells) - 4, 5))
        text = "\n".join("|".join(cell.replace("\n", " ") for cell in row) for row in rows)
    parts = []
    for line in lines_of(text):
        match = re.fullmatch(r"\d{1,18}(?:_(\d{1,18})|(\+\d{1,18}))?\|(.*)\|([^|]*)\|([^|]*)\|([^|]*)", line)
        if match:
            code, signal = exit_status(match.group(5))
            name = match.group(1) or match.group(2) or ""
            nodes = "" if match.group(6) == "None assigned" else match.group(6)
            parts.append(
                Part(name, plain(match.group(4)), _who(match.group(4)), "", match.group(3), code, signal, nodes)
            )
    return parts


def _who(state: str) -> str:
    """``by user 2000`` for ``CANCELLED by 2000``, as sacct alone writes it."""
    match = re.fullmatch(r"CANCELLED by (\d{1,10})", state.strip())
    return "" if match is None else "by user %s%s" % (match.group(1), " (root)" if match.group(1) == "0" else "")


def exit_status(text: str) -> tuple[int, int]:
    """Exit code and signal: ``"3:0"`` gives ``(3, 0)``."""
    code, _sign, signal = text.partition(":")
    return whole(code) or 0, whole(signal) or 0


def indices(text: str, most: int = _MOST) -> list[int]:
    """The indices of an array as sbatch takes them: ``"0-7:2,9%4"`` gives ``[0, 2, 4, 6, 9]``.

    :arg most: the rest of a longer list is left out.
    """
    found: list[int] = []
    for item in text.partition("%")[0].split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18})(?::([0-9]{1,18}))?)?\s*", item)
        if match:
            first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
            found.extend(range(first, min(last, first + _MOST) + 1, max(step, 1))[: max(0, most - len(found))])
    return found
