# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of sbatch's options with limits that no pattern has: arrays, counts of nodes, signals. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from .verdicts import LATER, NEW, ODD, OLD, REFUSED, RIGHT

# What strtol reads at the start of a text: a number, or nothing, which is 0.
_NUMBER = r"(\s*[+-]?\d{1,18}|(?!\s*[+-]?\d))"
_INDICES = re.compile(r"\[?{0}\]?(?:-{0}\]?(?::{0}\]?)?)?(?:%.*)?".format(_NUMBER), re.DOTALL | re.ASCII)
# The largest MaxArraySize (src/common/slurm_protocol_defs.h).
_MOST_TASKS = 4000001
_EVENTS = frozenset(
    """
    NONE BEGIN END FAIL REQUEUE ALL INVALID_DEPEND STAGE_OUT TIME_LIMIT TIME_LIMIT_90 TIME_LIMIT_80 TIME_LIMIT_50
    ARRAY_TASKS
    """.split()
)
_HOSTS = re.compile(r"[\w.,\[\]\s-]*", re.ASCII)
_RANGES = re.compile(r"\d+(-\d*)?(,\d+(-\d*)?)*,?", re.ASCII)
_AFTER_BRACKETS = re.compile(r"\][^\[\],\s]+(?=[,\s]|\Z)")


def _array(value: str, _release: str) -> str:
    """As the controller reads it: ``1-3,5%2``; it takes ``1-3%x`` too, and starts the tasks without a limit."""
    tokens = [token for token in value.split(",") if token]
    if not all(_is_range(token) for token in tokens):
        return REFUSED
    plain = [re.fullmatch(r"\[?\d+\]?(-\d+\]?(:\d+\]?)?)?(%[1-9]\d*)?", token, re.ASCII) for token in tokens]
    return RIGHT if tokens and all(plain) else ODD


def _is_range(token: str) -> bool:
    found = _INDICES.fullmatch(token)
    if not found:
        return False
    first, last, step = (None if text is None else int(text or 0) for text in found.groups())
    low = first or 0
    high = low if last is None else last
    return 0 <= low <= high < _MOST_TASKS and (step is None or 0 < step < _MOST_TASKS)


def _nodes(value: str, release: str) -> str:
    """A number, a range, or since 23.11 several of them."""
    if "," in value or ":" in value:
        listed = re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*,?|\d+-\d+:0*[1-9]\d*", value, re.ASCII)
        return RIGHT if listed and release in (NEW, LATER) else REFUSED
    number = r"(\s*[+-]?\d{1,10})([km]?)\s*"
    found = re.fullmatch(r"%s(?:-%s)?" % (number, number), value, re.IGNORECASE | re.ASCII)
    if not found:
        return REFUSED
    scale = {"": 1, "k": 1024, "m": 1024 * 1024}
    low = int(found[1]) * scale[found[2].lower()]
    high = int(found[3]) * scale[found[4].lower()] if found[3] else low
    if max(low, high) > 2147483647 or (high and low > high):
        return REFUSED
    return RIGHT if low > 0 and high > 0 and not re.search(r"\s", value) else ODD


def _signal(value: str, _release: str) -> str:
    """``B:USR1@120``, with a number or a name, and at most 65535 seconds."""
    found = re.fullmatch(
        r"(?:[BR]*:)?(?:([+-]?\d{1,9})|(?:SIG)?(?:HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|USR1|USR2|URG|CONT|STOP|TSTP|TTIN"
        r"|TTOU|XCPU))\s*(?:@\s*([+]?\d*))?",
        value,
        re.IGNORECASE | re.ASCII,
    )
    if not found or (found[1] and not int(found[1])) or (found[2] or "0").lstrip("+") == "":
        return REFUSED
    if int(found[2] or 0) > 65535:
        return REFUSED
    return ODD if found[1] and not 0 < int(found[1]) < 1000 else RIGHT


def _mail_type(value: str, _release: str) -> str:
    """One event that Slurm has is enough: it drops the others."""
    tokens = [token.upper() for token in value.split(",") if token]
    known = [token for token in tokens if token in _EVENTS]
    return REFUSED if not known else RIGHT if len(known) == len(tokens) else ODD


def _nodelist(value: str, release: str) -> str:
    """Names with white space or commas between them; the numbers in brackets rise."""
    if "/" in value:
        return RIGHT
    if not _HOSTS.fullmatch(value) or re.sub(r"\[[^\[\]]*\]", "", value).strip("[]") != re.sub(
        r"\[[^\[\]]*\]", "", value
    ):
        return REFUSED
    for ranges in re.findall(r"\[([^\[\]]*)\]", value):
        bounds = [one.split("-") for one in ranges.rstrip(",").split(",")]
        if not _RANGES.fullmatch(ranges) or any(one[1:] and one[1] and int(one[0]) > int(one[1]) for one in bounds):
            return REFUSED
    if "[" in re.sub(r"\[[^\[\]]*\]", "", value) or (release == OLD and _AFTER_BRACKETS.search(value)):
        return REFUSED
    return ODD if "-]" in value or "-," in value else RIGHT


def _nice(value: str, _release: str) -> str:
    """A number, or text that starts with one; within an int, less a few."""
    number = _leading(value)
    if not -2147483645 <= number <= 2147483645:
        return REFUSED
    return RIGHT if re.fullmatch(r"[+-]?\d+", value, re.ASCII) else ODD


def _priority(value: str, _release: str) -> str:
    """A number, or text that starts with one; TOP is the highest."""
    if not 0 <= _leading(value) < 4294967294:
        return REFUSED
    return RIGHT if re.fullmatch(r"\+?\d+|TOP", value, re.ASCII | re.IGNORECASE) else ODD


def _leading(value: str) -> int:
    """The number that strtoll reads."""
    found = re.match(r"\s*([+-]?\d{1,18})", value, re.ASCII)
    return int(found[1]) if found else 0


# By the name of the option: what sbatch says to a value, by release.
CHECKS: t.Mapping[str, t.Callable[[str, str], str]] = {
    "array": _array,
    "exclude": _nodelist,
    "mail-type": _mail_type,
    "nice": _nice,
    "nodelist": _nodelist,
    "nodes": _nodes,
    "priority": _priority,
    "signal": _signal,
}
