# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts, from what scontrol prints. Plain data, no I/O. Private to hpc.pytorch.

The owner of a job chooses its name, comment and paths, which may look like any other field and may have line breaks;
scontrol escapes nothing. If it may be wrong about another user's job (not ``sure``), squeue is asked, whose columns
have fixed widths.
"""

from __future__ import annotations

import re
import typing as t

from ...._common.lines import lines_of, whole
from ..pairs import given, split_pairs
from ..states import plain
from .part import Part, exit_status, indices

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
