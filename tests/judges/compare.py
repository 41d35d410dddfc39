# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what sbatch, the linter and the module say to the same directives."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import (
    options,
    script_text,
    table,
    taken,
    version,
)
from directives import Given, Script, load
from slurm import Verdict

TAKEN, REFUSED, SITE = "taken", "refused", "site"


class Disagreement(t.NamedTuple):
    """Where Slurm and one of ours differ.

    :arg ours: ``sbatch_lint`` or ``sbatch_script``.
    :arg slurm: what Slurm does: ``taken`` or ``refused``.
    :arg release: of Slurm, such as 22.05.
    """

    ours: str
    slurm: str
    release: str
    script: Script
    message: str


def outcome(verdict: Verdict, script: Script) -> str:
    """Whether sbatch takes a script, refuses it for its form, or because of this site."""
    if verdict.status == 0:
        return TAKEN
    for rule in load("site.yml"):
        names = rule.get("options", "").split()
        values = [one.value or "" for one in script.given if not names or one.option in names]
        if re.search(rule["message"], verdict.message) and (
            not names or any(re.fullmatch(rule.get("values", ".*"), value, re.DOTALL) for value in values)
        ):
            return SITE
    return REFUSED


def of_the_linter(
    release: str, slurm: t.Sequence[int], scripts: t.Sequence[Script], said: t.Sequence[Verdict]
) -> list[Disagreement]:
    """Errors of the linter are what sbatch refuses, and only that."""
    found: list[Disagreement] = []
    for script, verdict in zip(scripts, said):
        slurms = outcome(verdict, script)
        errors = [one for one in lint(script.text, slurm) if one.severity == "error"]
        if slurms != SITE and bool(errors) != (slurms == REFUSED):
            ours = "; ".join("%s: %s" % (one.code, one.message) for one in errors)
            found.append(Disagreement("sbatch_lint", slurms, release, script, ours or verdict.message))
    return found


def by_the_module(given: t.Sequence[Given], slurm: t.Sequence[int]) -> tuple[str | None, str]:
    """The script that sbatch_script would write for these options; None if it refuses them, with its message."""
    params: dict[str, t.Any] = {"directives": {}}
    for name, value in given:
        option = table.BY_DIRECTIVE.get(name)
        meant = True if value is None else value
        if option:
            params[option.name] = meant
        else:
            params["directives"][name] = meant
    try:
        directives = version.fit(options.collect(params), slurm)
    except UserError as error:
        return None, str(error)
    lines = [script_text.line(name, value) for name, value in directives.items()]
    return "\n".join(["#!/bin/bash", *lines, "true", ""]), ""


def of_the_module(
    release: str,
    slurm: t.Sequence[int],
    scripts: t.Sequence[Script],
    said: t.Sequence[Verdict],
    ask: t.Callable[[t.Sequence[str]], t.Sequence[Verdict]],
) -> list[Disagreement]:
    """What the module writes is taken by sbatch, and what it refuses is refused."""
    found: list[Disagreement] = []
    written: list[Script] = []
    for script, verdict in zip(scripts, said):
        if not script.plain:
            continue
        text, message = by_the_module(script.given, slurm)
        if text is not None:
            written.append(Script(text, script.given))
        elif outcome(verdict, script) == TAKEN:
            found.append(Disagreement("sbatch_script", TAKEN, release, script, message))
    for script, verdict in zip(written, ask([script.text for script in written])):
        if outcome(verdict, script) == REFUSED:
            found.append(Disagreement("sbatch_script", REFUSED, release, script, verdict.message))
    return found


def verdict_of(given: Given, slurm: t.Sequence[int]) -> str:
    """What ``taken.verdict`` says; ``spelling`` for a right value that sbatch_script does not write itself."""
    found = taken.verdict(given.option, given.value, slurm)
    option = table.BY_DIRECTIVE.get(given.option)
    if found != "right" or option is None or given.value is None or option.valid(given.value):
        return found
    return "spelling"


def explained(found: Disagreement, standing: t.Sequence[t.Mapping[str, str]]) -> t.Mapping[str, str] | None:
    """The first entry of the list of standing disagreements that is about this one."""
    for entry in standing:
        if entry["ours"] != found.ours or entry["slurm"] != found.slurm:
            continue
        if "release" in entry and entry["release"] != found.release:
            continue
        if "text" in entry and re.search(entry["text"], found.script.text):
            return entry
        names = entry.get("options", "").split()
        asked = entry.get("verdict")
        for one in found.script.given if "text" not in entry else ():
            if asked and verdict_of(one, (int(found.release[:2]), int(found.release[3:]))) != asked:
                continue
            if (not names or one.option in names) and _fits(entry, one, found):
                return entry
    return None


def _fits(entry: t.Mapping[str, str], one: Given, found: Disagreement) -> bool:
    value = "" if one.value is None else one.value
    return re.fullmatch(entry.get("values", ".*"), value, re.DOTALL) is not None and (
        "message" not in entry or re.search(entry["message"], found.message) is not None
    )
