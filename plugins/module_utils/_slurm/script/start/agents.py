# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The launchers and their options, as words of shell. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex

from ...sbatch import gpus
from ..parameters import Options
from ..shell import word
from . import rendezvous
from .plan import Plan

# Every version of the launchers knows the underscores in their options; only newer ones know hyphens.
_PROGRAMS = {
    "torchrun": ["torchrun"],
    "torch.distributed.run": ["python", "-m", "torch.distributed.run"],
    "torch.distributed.launch": ["python", "-m", "torch.distributed.launch", "--use_env"],
    "accelerate": ["accelerate", "launch"],
    "deepspeed": ["deepspeed"],
    "mpirun": ["mpirun"],
}
_RANK = {"accelerate": "--machine_rank"}
# Options with which the user chooses how accelerate distributes; it takes one of them. Source: _validate_launch_command
# in accelerate/commands/launch.py (1.15.0).
_CHOSEN = ("multi_gpu", "tpu", "use_deepspeed", "use_fsdp", "use_megatron_lm", "config_file")
# Where accelerate sees fewer than two GPUs it starts one process alone, whatever --num_processes is, unless it gets
# --multi_gpu, which it refuses for one process.
_DISTRIBUTED = """\
distributed=()
if [ "%s" -gt 1 ]; then distributed=(--multi_gpu); fi"""
_USE_CPU = """\
# On CPUs Accelerator() trains alone in every process without this.
if [ -z "${SLURM_JOB_GPUS:-}${SLURM_GPUS_ON_NODE:-}" ] && [ ! -e /dev/nvidiactl ] && [ ! -e /dev/kfd ]; then
    export ACCELERATE_USE_CPU="${ACCELERATE_USE_CPU:-true}"
fi"""


def lines(options: Options, plan: Plan) -> list[str]:
    """The lines of the batch script before a launcher's words; often none."""
    if plan.launcher != "accelerate":
        return []
    found = [] if gpus.requested(plan.directives) else [_USE_CPU]
    return found + ([_DISTRIBUTED % _all_processes(plan)] if _may_be_alone(options, plan) else [])


def words(options: Options, plan: Plan) -> list[str]:
    """The launcher and its options."""
    if plan.launcher == "none":
        return rendezvous.ranks(plan)
    found = list(_PROGRAMS[plan.launcher])
    if plan.kind == "multi_node" and (plan.rendezvous == "static" or plan.launcher == "accelerate"):
        # Only the task on a node knows the number of the node.
        rank = 'exec %s %s="${SLURM_NODEID:-0}" "$@"' % (" ".join(found), _RANK.get(plan.launcher, "--node_rank"))
        found = ["sh", "-c", shlex.quote(rank), "sh"]
    nodes = '"${SLURM_JOB_NUM_NODES:-1}"'
    if plan.launcher == "mpirun":
        many = '"${SLURM_NTASKS:-%s}"' % (plan.processes or 1)
        found += ["-np", many if plan.kind == "multi_node" else _processes(plan)]
    elif plan.launcher == "deepspeed":
        found.append("--num_gpus=%s" % _processes(plan))
    elif plan.launcher == "accelerate":
        found += ['--num_processes="%s"' % _all_processes(plan), "--num_machines=%s" % nodes]
        if _may_be_alone(options, plan):
            found.append('${distributed[@]+"${distributed[@]}"}')
        elif not _chosen(options):
            found.append("--multi_gpu")
    else:
        if plan.rendezvous != "standalone":
            found.append("--nnodes=%s" % nodes)
        found.append("--nproc_per_node=%s" % _processes(plan))
    found += rendezvous.words(plan)
    for name, value in options.launcher_options:
        found.append("--" + name + ("" if value is True else "=" + word(str(value))))
    return found + (rendezvous.ranks(plan) if plan.launcher == "mpirun" else [])


def _processes(plan: Plan) -> str:
    if plan.processes is None:
        return '"${SLURM_GPUS_ON_NODE:-1}"'
    return str(plan.processes)


def _all_processes(plan: Plan) -> str:
    """The number of processes on all nodes, for use between double quotes."""
    # An arithmetic expansion does not allow quotes.
    return "$((${SLURM_JOB_NUM_NODES:-1} * %s))" % _processes(plan).strip('"')


def _chosen(options: Options) -> bool:
    return any(name.replace("-", "_") in _CHOSEN for name, _value in options.launcher_options)


def _may_be_alone(options: Options, plan: Plan) -> bool:
    """Whether only the job knows if accelerate starts more than one process."""
    return not _chosen(options) and (plan.processes is None or plan.processes < 2)
