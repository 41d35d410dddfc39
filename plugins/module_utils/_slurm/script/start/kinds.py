# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans how the command of a job is started. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ...sbatch import gpus
from ...sbatch.options import in_order
from ..parameters import Options
from . import checkpoint, combinations, kind_counts
from .plan import AGENTS, Plan


def plan_of(options: Options) -> Plan:
    """Plan how the command is started.

    :raises UserError: counts that contradict the kind, or options that contradict each other.
    """
    kind, seconds = options.kind, options.checkpoint_seconds
    launcher = options.launcher or ("torchrun" if kind in ("multi_gpu", "multi_node") else "none")
    wanted = dict(options.directives)
    kind_counts.add(options, wanted, launcher)
    srun = options.srun
    if srun is None:
        # An agent ignores the signal; its processes get it from srun.
        by_tasks = kind in ("multi_node", "lightning") or (kind == "multi_gpu" and launcher == "none")
        pyxis = options.container is not None and options.container.engine == "pyxis"
        srun = launcher != "mpirun" and (by_tasks or pyxis or (seconds is not None and launcher in AGENTS))
    combinations.require_parts(options, launcher, srun)
    if seconds is not None:
        checkpoint.require(launcher, srun, seconds, wanted)
    rendezvous = options.rendezvous or combinations.default_rendezvous(kind, launcher)
    combinations.require_rendezvous(options, launcher, rendezvous)
    if seconds is not None:
        checkpoint.add(kind, seconds, wanted)
    processes = options.nproc_per_node or gpus.count_per_node(wanted)
    nodes = str(wanted.get("nodes", "1"))
    step = kind_counts.of_step(options, int(nodes)) if srun and nodes.isdigit() and int(nodes) else None
    return Plan(kind, in_order(wanted), launcher, srun, rendezvous, processes, seconds, step)
