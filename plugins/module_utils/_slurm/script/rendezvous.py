# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the processes of a job find each other. Private to hpc.pytorch."""

from __future__ import annotations

from .kinds import Plan

# The name and not the address: many nodes resolve their own name to 127.0.1.1.
_HOST = """\
rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\\n'*}
fi"""


def setup(plan: Plan, port: int | None) -> str:
    """The lines that set rendezvous_host and rendezvous_port, and MASTER_ADDR and MASTER_PORT where those count."""
    if plan.rendezvous in ("none", "standalone"):
        return ""
    lines = [_HOST]
    # Two jobs on a node must not meet at one port.
    lines.append("rendezvous_port=%s" % (port if port is not None else "$((20000 + ${SLURM_JOB_ID:-$$} % 10000))"))
    if plan.rendezvous == "env":
        lines.append('export MASTER_ADDR="$rendezvous_host" MASTER_PORT="$rendezvous_port"')
    return "\n".join(lines)


def words(plan: Plan) -> list[str]:
    """The launcher's words for it."""
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
