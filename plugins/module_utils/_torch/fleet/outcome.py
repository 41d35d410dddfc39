# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's result, whatever came of it, in the shape of torch_info's. Plain data. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .. import node_result
from .collect import Outcome

Result = t.Mapping[str, t.Any]


def result_of(name: str, outcome: Outcome) -> Result:
    """What torch_info returned on the node, or a result that says why there is none."""
    if outcome.answer is None:
        return node_result.unreachable(name, outcome.why, _remedy(name, outcome.why))
    refused = outcome.answer.get("refused")
    if refused:
        return node_result.refused(refused["expected"], refused["found"], refused["remedy"])
    return outcome.answer


def not_checked(name: str) -> Result:
    """A node's result in check mode."""
    return node_result.not_checked("check mode submits no job to %s" % name)


def _remedy(name: str, why: str) -> str:
    """What to do about a node without an answer."""
    if "knows no node" in why or "has it in partition" in why:
        return (
            "correct torch_check_slurm_node or torch_check_slurm_partition by what sinfo -N says, or leave the node out"
        )
    if why.startswith("Slurm says"):
        return (
            "look at scontrol show node %s; bring it back (scontrol update NodeName=%s State=RESUME), or leave it out"
            % (name, name)
        )
    if why.startswith("Slurm took no job") or "will never start" in why or "could not be bound" in why:
        return (
            "compare partition, gres, account and limits with scontrol show node %s and scontrol show partition" % name
        )
    if "did not start" in why:
        return "the node is busy: try again later, wait longer (torch_check_slurm_wait), or ask for less"
    if "Slurm does not answer" in why:
        return "look whether the controller runs: scontrol ping"
    if "its last words" in why:
        return "mend what the job said; the folder and the Python of the check must be there on every node"
    return (
        "look at the node: scontrol show node %s, its slurmd log; the check's folder must lie on a file system it shares"
        % name
    )
