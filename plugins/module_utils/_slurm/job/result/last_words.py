# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of a job's output that tells most about why it ended, and what helps. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

# What torchrun and torch put before the lines of a process.
_RANK = re.compile(r"^\[(default|rank)?\d+\]:")
_EXCEPTION = re.compile(r"(?!\S*ChildFailedError)[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)(: |$)")
# Slurm's notes that a step is over, and the frame of torchrun's summary, whose cause stands above it.
_AFTER_THE_END = re.compile(
    r"srun: error: \S+: tasks? [\d,-]+: |srun: (launch/slurm: _step_signal: |Force )?Terminat|srun: Job step aborted"
    r"|slurmstepd: error: \*\*\* STEP |[=-]{10,}$"
)
# torch ends the message of an NCCL error with this line and NCCL's own last one (getNcclErrorDetailStr).
_NCCL_LAST = re.compile(r"(.*\b)?Last error:$")
_NCCL = re.compile(r"(\S*DistBackendError|nccl\w+)\b")
# The other side has ended, for a reason of its own.
_OF_A_PEER = re.compile(r"remote (peer|process)|closed by|connection reset", re.IGNORECASE)
# A program of the setup that is not there; as bash and as dash write it.
_NO_COMMAND = re.compile(
    r"(?:\S+: )?(?:line )?\d+: (?:module|ml|conda|mamba|micromamba|source|spack): (?:command )?not found$"
)
# What the setup of a job prints if it fails while the script goes on.
_NO_SETUP = re.compile(
    r"Lmod has detected the following error|ERROR: Unable to locate a modulefile|EnvironmentNameNotFound:|CondaError:"
    r"|EnvironmentLocationNotFound:|\S+: line \d+: \S*activate\S*: No such file or directory"
)
# What follows from that.
_WITHOUT_SETUP = re.compile(
    r"ModuleNotFoundError|ImportError|.*(command )?not found$|.*No such file or directory|.*No module named"
)
_STEP_ERROR = re.compile(r"srun: (error|fatal): ")


def telling_line(lines: t.Sequence[str]) -> str:
    """The line that tells most about why a program ended.

    That is NCCL's own last error, what the setup printed if a program or module is missing, the last exception, the
    first of srun's lines about a step that it could not start, or the last line; Slurm's notes if there is no other.
    """
    words = [_RANK.sub("", line).strip() for line in lines if line.strip()]
    own = [line for line in words if not _AFTER_THE_END.match(line)]
    raised = [line for line in own if _EXCEPTION.match(line)]
    last = (raised or own or words or [""])[-1]
    if _WITHOUT_SETUP.match(last):
        last = next((line for line in own if _NO_COMMAND.match(line) or _NO_SETUP.match(line)), last)
    elif not raised and own and _STEP_ERROR.match(last):
        last = _first_of_step(own)
    elif _NCCL.match(last) or not raised:
        last = _of_nccl(own, raised) or last
    return last[:200]


def remedy_for(line: str) -> str:
    """What to do about a telling line, where that is known; empty otherwise."""
    if re.search(r"socketStartConnect|socketPollConnect|Connect to .+ failed", line):
        return (
            "the nodes do not reach each other on the network that NCCL chose: set NCCL_SOCKET_IFNAME in the script to"
            " an interface that all of them share (ip -brief address lists them)"
        )
    if re.search(r": (module|ml): (command )?not found$", line):
        return "start the script with #!/bin/bash -l, so that module is defined, or source its profile before"
    if re.search(r"oom[_-]kill", line, re.IGNORECASE):
        return "raise mem (or mem_per_cpu, mem_per_gpu), or lower the batch size or the loader's workers"
    return ""


def _of_nccl(own: t.Sequence[str], raised: t.Sequence[str]) -> str:
    """What stands behind NCCL's "Last error:"; an error of another kind if that only says that a peer has gone."""
    found = [after for line, after in zip(own, own[1:]) if _NCCL_LAST.match(line) and not _NCCL_LAST.match(after)]
    causes = [line for line in found if not _OF_A_PEER.search(line)]
    others = [line for line in raised if not _NCCL.match(line)]
    return (causes or others or found or [""])[-1]


def _first_of_step(own: t.Sequence[str]) -> str:
    """The first of the lines of srun at the end."""
    begin = len(own)
    while begin and own[begin - 1].startswith("srun: "):
        begin -= 1
    return next(line for line in own[begin:] if _STEP_ERROR.match(line))
