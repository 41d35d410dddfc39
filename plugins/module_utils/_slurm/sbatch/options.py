# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of sbatch with the table: directives, contradictions, warnings. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import json
import re
import typing as t

from ..._common.errors import UserError, printable, shown
from ..._common.spelling import distance
from .script_text import Directives
from .table import ALIASES, BY_DIRECTIVE, COMMAND_LINE_ONLY, GONE, KNOWN, OPTIONS, SHORT, Option

_EXCLUDE_EACH_OTHER = (
    (("mem", "mem_per_cpu", "mem_per_gpu"), "sbatch takes one of them"),
    (("requeue", "no_requeue"), "one is the opposite of the other"),
    (("cpus_per_task", "cpus_per_gpu"), "sbatch takes one of them"),
)


def collect(params: t.Mapping[str, t.Any]) -> Directives:
    """Read the options of sbatch and ``directives``, in the order of the script.

    ``collect({"nodes": "1", "directives": {"hold": True}})`` is ``{"nodes": "1", "hold": True}``.

    :raises UserError: a value that the option does not take, options that exclude each other, or a key of
        ``directives`` that is an option or a misspelling of one.
    """
    asked: Directives = {}
    for option in OPTIONS:
        value = _value(option, params.get(option.name))
        if value is not None:
            asked[option.directive] = value
    for names, why in _EXCLUDE_EACH_OTHER:
        both = [name for name in names if name.replace("_", "-") in asked]
        if len(both) > 1:
            raise UserError(
                "one of %s, because %s" % (", ".join(names), why), " and ".join(both), "leave all but one out"
            )
    _require_room_for_tasks(params)
    for name, value in _rest(params.get("directives")):
        if name in asked:
            raise UserError("directives to hold each directive once", "%s twice" % name, "leave one of them out")
        asked[name] = value
    return asked


def in_order(given: Directives) -> Directives:
    """Sort directives: those of the table in its order, then the others in the given order."""
    return {name: given[name] for name in [*BY_DIRECTIVE, *given] if name in given}


def warnings(params: t.Mapping[str, t.Any]) -> list[str]:
    """Warn about options that would run but probably not do what the user meant."""
    found: list[str] = []
    minutes = params.get("time")
    if isinstance(minutes, int) and minutes >= 60:
        found.append(
            "time is the number %d, which is %d minutes: YAML reads 1:30:00 without quotes as a number; write "
            'time: "1:30:00", or put the minutes in quotes' % (minutes, minutes)
        )
    per_job = [name for name in ("gpus", "gpus_per_node", "gpus_per_task") if params.get(name)]
    if per_job and re.search(r"\bgpu\b", str(params.get("gres") or "")):
        found.append("gres and %s both request GPUs: keep one of them" % ", ".join(per_job))
    for name in ("output", "error", "chdir"):
        if "$" in str(params.get(name) or ""):
            found.append("%s contains $: sbatch does not expand variables in directives" % name)
    return found


def _value(option: Option, value: t.Any) -> str | bool | None:
    if value is None:
        return None
    if option.type == "bool" or (option.name == "exclusive" and str(value).lower() in _BOOLEANS):
        return True if value is True or _BOOLEANS.get(str(value).lower()) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not option.valid(str(value)):
        raise UserError(
            "%s to be %s" % (option.name, option.expected),
            shown(value),
            "give for example %s: %s" % (option.name, option.example),
        )
    return str(value)


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _require_room_for_tasks(params: t.Mapping[str, t.Any]) -> None:
    nodes, per_node, tasks = (str(params.get(name) or "") for name in ("nodes", "ntasks_per_node", "ntasks"))
    if nodes.isdigit() and per_node and tasks and int(tasks) > int(nodes) * int(per_node):
        raise UserError(
            "ntasks to be at most nodes x ntasks_per_node = %s x %s" % (nodes, per_node),
            tasks,
            "leave ntasks out, or correct one of the three",
        )


def _rest(given: t.Any) -> t.Iterator[tuple[str, str | bool]]:
    for given_name, value in pairs("directives", given):
        name = _rest_name(given_name)
        option = BY_DIRECTIVE.get(name)
        read = _value(option, value) if option else _rest_value(given_name, value)
        if read is not None:
            yield name, read


def pairs(option: str, given: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """Read an option with names and values: ``{"a": 1}``, its JSON, ``[{"a": 1}]`` and ``["a=1"]``; a flag has True.

    :raises UserError: another type.
    """
    if isinstance(given, str) and given.startswith("{"):
        try:
            given = json.loads(given)
        except ValueError:
            raise UserError("%s to be a dictionary" % option, shown(given), "close its braces and quotes") from None
    if given is None or given == "":
        return
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, dict):
            yield from ((str(name), value) for name, value in item.items())
        elif isinstance(item, str):
            name, equals, value = item.partition("=")
            yield name, value if equals else True
        else:
            raise UserError(
                "%s to be a dictionary, or a list of NAME=value" % option,
                shown(item),
                "give %s: {NAME: value}" % option,
            )


def _rest_name(given: str) -> str:
    bare = given[2:] if given.startswith("--") else given
    if bare.lstrip("-") in SHORT:
        _refuse_directive(given, "the option %s" % SHORT[bare.lstrip("-")])
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]+", bare):
        raise UserError(
            "directives to have names of sbatch's options, with or without two hyphens",
            shown(given),
            "give directives: {NAME: VALUE}",
        )
    name = ALIASES.get(bare.replace("_", "-"), bare.replace("_", "-"))
    if name in BY_DIRECTIVE and BY_DIRECTIVE[name].also_directive:
        return name
    if name in BY_DIRECTIVE:
        _refuse_directive(given, "the option %s" % BY_DIRECTIVE[name].name)
    if name in COMMAND_LINE_ONLY:
        raise UserError(
            "directives to work in a script", shown(given), "leave it out: sbatch reads it only on the command line"
        )
    if name in GONE:
        right = GONE[name]
        if not right:
            raise UserError("directives to be known to sbatch", shown(given), "leave it out")
        option = BY_DIRECTIVE.get(right)
        _refuse_directive(given, "the option %s" % option.name if option else "directives: {%s: true}" % right)
    if name in KNOWN:
        return name
    # getopt accepts any unambiguous beginning, so partit would be partition.
    for known in sorted([*BY_DIRECTIVE, *KNOWN, *COMMAND_LINE_ONLY]):
        if known.startswith(name.lower()) or distance(name.lower(), known) <= (1 if len(known) < 8 else 2):
            row = BY_DIRECTIVE.get(known)
            _refuse_directive(given, "the option %s" % row.name if row else "directives: {%s: ...}" % known)
    return bare


def _refuse_directive(given: str, right: str) -> None:
    raise UserError("directives to be known to sbatch and without an option of their own", shown(given), "use " + right)


def _rest_value(name: str, value: t.Any) -> str | bool:
    if value is None or value is True:
        return True
    if isinstance(value, (str, int, float)) and value is not False and printable(str(value)):
        return str(value)
    raise UserError(
        "%s in directives to be one line of printable text, or true for a flag" % name,
        shown(value),
        "correct the value, or leave the directive out",
    )
