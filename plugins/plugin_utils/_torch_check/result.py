# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a node's result from what the tasks of the role torch_check returned. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.values import bounded
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import node_result
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.python import broken_python

# What torch_info expects of an environment that a run would make or repair, see _torch/environment.py.
NOT_MADE_YET = re.compile(r"a (?:whole environment|python environment|python) at ")
NO_ANSWER = "no answer"
LONGEST = 500
# Of an answer: more than torch_info ever returns.
LONGEST_LINE = 4000
MOST_REASONS = 100
MOST_DEVICES = 1024

# A registered result of a task.
Step = t.Mapping[str, t.Any]
Result = t.Mapping[str, t.Any]


def from_connection(steps: t.Sequence[Step], host: str, prefix: str, check_mode: bool) -> Result:
    """The result of a node that was asked over its connection.

    :arg steps: what torch_info returned, or the tasks that waited for it, in their order. The last that ran counts.
    """
    for step in reversed(steps):
        if "verdict" in step:
            return understood(step, host)
    ran = [step for step in steps if not step.get("skipped")]
    if not ran:
        return _not_made_yet("an environment at %s" % prefix, "none yet")
    last = ran[-1]
    expected, found = last.get("expected"), last.get("found", "")
    if expected is None or "timedout" in last:
        return _unreachable(host, ran)
    if check_mode and NOT_MADE_YET.match(expected):
        return _not_made_yet(expected, found)
    return node_result.refused(expected, found, last.get("remedy", ""))


def from_array(steps: t.Sequence[Step], host: str) -> Result:
    """The result of a node that was asked by slurm_torch_info.

    :arg steps: its result in what that returned, or why that returned nothing.
    """
    for step in reversed(steps):
        if "verdict" in step:
            return understood(step, host)
    return _unreachable(host, steps)


def understood(answer: Step, host: str) -> Result:
    """The answer of a node with bounded values, or a result that says that it cannot be read as one.

    It is JSON from another machine: what it claims is shown, but it must not fill the terminal, pose as another line of
    it, or pass for a verdict that there is not.
    """
    found = bounded(answer)
    texts = ("code", "message", "remedy")
    reasons = found.get("reasons")
    good = (
        found["verdict"] in node_result.VERDICTS
        and isinstance(found.get("summary"), str)
        and isinstance(reasons, list)
        and isinstance(found.get("devices"), list)
        and all(isinstance(item, dict) and all(isinstance(item.get(key), str) for key in texts) for item in reasons)
        and all(isinstance(item, dict) for item in found["devices"])
    )
    if not good:
        return node_result.unreachable(
            host,
            "it gave an answer that is not understood",
            "run torch_info on the node yourself; if another user can write to its Python, repair that first",
        )
    lines = [{key: one_line(item[key])[:LONGEST_LINE] for key in texts} for item in reasons[:MOST_REASONS]]
    found.update(
        summary=one_line(found["summary"])[:LONGEST_LINE], reasons=lines, devices=found["devices"][:MOST_DEVICES]
    )
    return t.cast(Result, found)


def from_allocation(steps: t.Sequence[Step], host: str, node: str) -> Result:
    """The result of a *node* that Slurm did not allocate, or that was left alone."""
    why = next((step["left_alone"] for step in reversed(steps) if step.get("left_alone")), None)
    if why:
        return node_result.not_checked(one_line(str(why))[:LONGEST])
    return node_result.unreachable(
        host,
        "Slurm gave no allocation of the node: %s" % _message(steps, "found"),
        "check scontrol show node %s; return it to service, wait longer (torch_check_slurm_wait), or ask for less"
        % node,
    )


def not_allocated() -> Result:
    """The result in check mode of a node that would be allocated."""
    return node_result.not_checked("check mode allocates no node")


def _not_made_yet(expected: str, found: str) -> Result:
    return node_result.not_checked(
        "expected %s; found %s; check mode makes and repairs no environment" % (expected, found)
    )


def _unreachable(host: str, steps: t.Sequence[Step]) -> Result:
    broken = broken_python(steps[-1]) if steps else None
    if broken:
        return node_result.unreachable(host, *broken)
    remedies = [step["remedy"] for step in steps if step.get("remedy")]
    return node_result.unreachable(
        host,
        _message(steps),
        remedies[-1]
        if remedies
        else "log in to the node with ssh and run python there; repair the node, or leave it out with --limit",
    )


def _message(steps: t.Sequence[Step], preferred: str = "") -> str:
    """The last message of *steps* on one line, cut at a word where it is long."""
    messages = [step.get(preferred) or _without_remedy(step) for step in steps]
    line = one_line(str(next(filter(None, reversed(messages)), NO_ANSWER)))
    return line if len(line) <= LONGEST else line[: LONGEST - 4].rpartition(" ")[0] + " ..."


def _without_remedy(step: Step) -> t.Any:
    """The message of a step; that of a module of this collection without its remedy, which has a place of its own."""
    if "timedout" not in step and all(step.get(key) for key in ("expected", "found", "remedy")):
        return "expected %s; found %s" % (step["expected"], step["found"])
    return step.get("msg")
