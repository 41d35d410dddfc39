# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the processes of a job find each other, and their numbers. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex

from .plan import Plan

# The name, not the address: many nodes resolve their own name to 127.0.1.1.
_HOST = """\
rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\\n'*}
fi"""
# Slurm numbers the tasks of each step. Only a task knows its number: in the batch shell it is 0.
_OF_SLURM = {
    "RANK": "${SLURM_PROCID:-0}",
    "LOCAL_RANK": "${SLURM_LOCALID:-0}",
    "WORLD_SIZE": "${SLURM_STEP_NUM_TASKS:-${SLURM_NTASKS:-1}}",
}
# Open MPI, MPICH and Intel MPI, MVAPICH2. Source: get_int_from_env in accelerate/utils/other.py and state.py (1.15.0).
_OF_MPI = {
    "RANK": "${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${MV2_COMM_WORLD_RANK:-}}}",
    "LOCAL_RANK": "${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-${MV2_COMM_WORLD_LOCAL_RANK:-}}}",
    "WORLD_SIZE": "${OMPI_COMM_WORLD_SIZE:-${PMI_SIZE:-${MV2_COMM_WORLD_SIZE:-}}}",
}
# Another MPI leaves them to the program.
_OF_MPI_KNOWN = "${OMPI_COMM_WORLD_SIZE:-}${PMI_SIZE:-}${MV2_COMM_WORLD_SIZE:-}"


def lines(plan: Plan, port: int | None) -> str:
    """Render the lines that set rendezvous_host and rendezvous_port, and for ``env`` MASTER_ADDR and MASTER_PORT."""
    if plan.rendezvous in ("none", "standalone"):
        return ""
    lines = [_HOST]
    # Two jobs on a node must not use the same port.
    lines.append("rendezvous_port=%s" % (port if port is not None else "$((20000 + ${SLURM_JOB_ID:-$$} % 10000))"))
    if plan.rendezvous == "env":
        lines.append('export MASTER_ADDR="$rendezvous_host" MASTER_PORT="$rendezvous_port"')
    return "\n".join(lines)


def words(plan: Plan) -> list[str]:
    """The launcher's options for the rendezvous."""
    if plan.rendezvous not in ("standalone", "c10d", "static"):
        return []
    if plan.launcher == "deepspeed":
        return ['--master_port="$rendezvous_port"']
    if plan.launcher == "accelerate":
        backend = ["--rdzv_backend=c10d"] if plan.rendezvous == "c10d" else []
        return [*backend, '--main_process_ip="$rendezvous_host"', '--main_process_port="$rendezvous_port"']
    if plan.rendezvous == "standalone":
        return ["--standalone"]
    if plan.rendezvous == "c10d":
        return [
            "--rdzv_backend=c10d",
            '--rdzv_endpoint="$rendezvous_host:$rendezvous_port"',
            '--rdzv_id="${SLURM_JOB_ID:-$$}"',
        ]
    return ['--master_addr="$rendezvous_host"', '--master_port="$rendezvous_port"']


def ranks(plan: Plan) -> list[str]:
    """The words that set RANK, LOCAL_RANK and WORLD_SIZE in a process, where no launcher does; often none."""
    if plan.rendezvous != "env" or plan.kind == "lightning":
        # Lightning reads Slurm's own variables.
        return []
    if plan.launcher == "mpirun":
        exports = 'if [ -n "%s" ]; then %s; fi' % (_OF_MPI_KNOWN, _export(_OF_MPI))
    elif plan.launcher == "none" and plan.srun:
        exports = _export(_OF_SLURM)
    else:
        return []
    return ["sh", "-c", shlex.quote(exports + '; exec "$@"'), "sh"]


def _export(given: dict[str, str]) -> str:
    return "export " + " ".join('%s="%s"' % (name, value) for name, value in given.items())
