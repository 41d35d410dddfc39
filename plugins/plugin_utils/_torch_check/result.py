# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a node's result from what the tasks of the role torch_check returned. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch import node_result

# What torch_info expects of an environment that a run would make or repair, see _torch/environment.py.
NOT_MADE_YET = re.compile(r"a (?:whole environment|python environment|python) at ")
NO_ANSWER = "no answer"
LONGEST = 500

# A registered result of a task.
Step = t.Mapping[str, t.Any]
Result = t.Mapping[str, t.Any]


def from_connection(steps: t.Sequence[Step], host: str, prefix: str, check_mode: bool) -> Result:
    """The result of a node that was asked over its connection.

    :arg steps: what torch_info returned, or the tasks that waited for it, in their order. The last that ran counts.
    """
    for step in reversed(steps):
        if "verdict" in step:
            return step
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
    return next((step for step in reversed(steps) if "verdict" in step), None) or _unreachable(host, steps)


def from_allocation(steps: t.Sequence[Step], host: str, node: str) -> Result:
    """The result of a *node* that Slurm did not allocate."""
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
    remedies = [step["remedy"] for step in steps if step.get("remedy")]
    return node_result.unreachable(
        host,
        _message(steps),
        remedies[-1]
        if remedies
        else "log in to the node with ssh and run python there; repair the node, or leave it out with --limit",
    )


def _message(steps: t.Sequence[Step], preferred: str = "msg") -> str:
    """The last message of *steps* on one line, cut at a word where it is long."""
    messages = [step.get(preferred) or step.get("msg") for step in steps]
    line = " ".join(str(next(filter(None, reversed(messages)), NO_ANSWER)).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 4].rpartition(" ")[0] + " ..."
