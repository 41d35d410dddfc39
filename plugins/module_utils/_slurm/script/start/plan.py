# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of kinds, launchers and rendezvous, and the plan of a start. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ...._common.errors import UserError
from ...sbatch.script_text import Directives

KINDS = ("single", "multi_gpu", "multi_node", "lightning", "array")
LAUNCHERS = (
    "none",
    "torchrun",
    "torch.distributed.run",
    "torch.distributed.launch",
    "accelerate",
    "deepspeed",
    "mpirun",
)
RENDEZVOUS = ("standalone", "c10d", "static", "env", "none")

# Launchers that start the processes of a node themselves: srun starts one of them on each node.
AGENTS = ("torchrun", "torch.distributed.run", "torch.distributed.launch", "accelerate", "deepspeed")
TORCHRUN = ("torchrun", "torch.distributed.run")


class Plan(t.NamedTuple):
    """How the command of a job is started.

    :arg directives: the requested ones, and those that the kind adds.
    :arg processes: the number of processes on a node, None for one for each allocated GPU.
    :arg checkpoint: seconds before the time limit, None without checkpoints.
    :arg step_tasks: the number of tasks on a node in the step that srun starts, None if it has the job's.
    """

    kind: str
    directives: Directives
    launcher: str
    srun: bool
    rendezvous: str
    processes: int | None
    checkpoint: int | None
    step_tasks: int | None = None

    @property
    def prefixed(self) -> bool:
        """Whether another program starts the command."""
        return self.srun or self.launcher != "none" or self.checkpoint is not None


def contradiction(kind: str, expected: str, found: str, remedy: str) -> UserError:
    """An option that does not go with the kind of job."""
    return UserError("%s for kind: %s" % (expected, kind), found, remedy)
