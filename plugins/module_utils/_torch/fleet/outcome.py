# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a node, and its result in the shape of torch_info's. Plain data. Private to hpc.pytorch."""

from __future__ import annotations

import enum
import typing as t

from ..._common.errors import UserError
from .. import node_result

Result = t.Mapping[str, t.Any]

_CORRECT = "correct torch_check_slurm_node or torch_check_slurm_partition according to sinfo -N, or leave the node out"
_COMPARE = "compare partition, gres, account and limits with scontrol show node {node} and scontrol show partition"
_INSPECT = (
    "check the node: scontrol show node {node}, its slurmd log; the check's folder must be on a file system that it "
    "shares"
)
_OUTPUT = (
    "fix what the job's output reports; the folder of the check and its Python (torch_check_slurm_python), 3.8 or"
    " newer, must be there on every node"
)


class NoAnswer(enum.Enum):
    """Why a node gave no answer, with what to do about it."""

    UNKNOWN_NODE = ("unknown_node", _CORRECT)
    OTHER_PARTITION = ("other_partition", _CORRECT)
    OUT_OF_SERVICE = (
        "out_of_service",
        "see scontrol show node {node}; bring it back (scontrol update NodeName={node} State=RESUME), or leave it out",
    )
    REFUSED = ("refused", _COMPARE)
    NOT_BOUND = ("not_bound", _COMPARE)
    NEVER_STARTS = ("never_starts", _COMPARE)
    NOT_STARTED = (
        "not_started",
        "the node is busy: try again later, wait longer (torch_check_slurm_wait), or ask for less",
    )
    ENDED = ("ended", _INSPECT)
    OTHER_NODE = ("other_node", _INSPECT)
    SLURM_SILENT = ("slurm_silent", "check that the controller runs: scontrol ping")

    def __init__(self, code: str, remedy: str) -> None:
        self.code = code
        self.remedy = remedy


class Outcome(t.NamedTuple):
    """What came of a node: an answer, or why there is none.

    :arg answer: what the program on the node returned.
    :arg reason: why there is no answer.
    :arg detail: the reason in words, with Slurm's own.
    :arg output: the end of what the job printed. Nothing is concluded from its text.
    :arg left_alone: why no job was sent to the node, on purpose.
    """

    answer: Result | None = None
    reason: NoAnswer | None = None
    detail: str = ""
    output: str = ""
    left_alone: str = ""

    @property
    def message(self) -> str:
        """Why there is no answer, for a person."""
        return self.detail + ("; the end of its output: %s" % self.output if self.output else "")

    def remedy(self, node: str) -> str:
        """What to do about a node without an answer."""
        if self.reason is NoAnswer.ENDED and self.output:
            return _OUTPUT
        return t.cast(NoAnswer, self.reason).remedy.replace("{node}", node)


def result_of(node: str, outcome: Outcome) -> Result:
    """What torch_info returned on the node, or a result that tells why there is none."""
    if outcome.left_alone:
        return node_result.not_checked(outcome.left_alone)
    if outcome.answer is None:
        return node_result.unreachable(node, outcome.message, outcome.remedy(node))
    refused = outcome.answer.get("refused")
    if refused:
        return node_result.refused(refused["expected"], refused["found"], refused["remedy"])
    return outcome.answer


def refusal(error: UserError | OSError) -> Result:
    """The answer of a node on which torch_info would fail."""
    if isinstance(error, UserError):
        return {"refused": {"expected": error.expected, "found": error.found, "remedy": error.remedy}}
    found = "%s: %s" % (error.filename, error.strerror) if error.filename else str(error)
    return {"refused": {"expected": "access", "found": found, "remedy": "check owner, mode and free space"}}


def not_checked(node: str) -> Result:
    """A node's result in check mode."""
    return node_result.not_checked("check mode submits no job to %s" % node)
