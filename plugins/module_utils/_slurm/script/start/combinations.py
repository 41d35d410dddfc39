# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which launcher, rendezvous and engine go together: every one that is not refused here has been run.

molecule/jobs runs them on two nodes with one and two processes each (deepspeed alone by hand, as it has no wheel).
No I/O. Private to hpc.pytorch.
"""

from __future__ import annotations

from ...._common.errors import UserError
from ..parameters import Options
from .plan import AGENTS, TORCHRUN, contradiction

# An option of a launcher with which the user gives it a place to meet.
_OWN_MEETING = ("rdzv_endpoint", "master_addr", "main_process_ip")


def require_parts(options: Options, launcher: str, srun: bool) -> None:
    """Refuse what srun, the launcher and the engine do to each other.

    :raises UserError: such a combination.
    """
    kind = options.kind
    if launcher == "mpirun" and srun:
        raise UserError(
            "mpirun or srun, because each of them starts every process",
            "srun: true with launcher: mpirun",
            "leave one of them out",
        )
    if launcher == "deepspeed" and kind == "multi_node":
        raise UserError(
            "a launcher that Slurm can start on each node",
            "launcher: deepspeed, which connects to the nodes with ssh",
            "choose launcher: torchrun; deepspeed.init_distributed() runs under it",
        )
    if launcher == "mpirun" and kind == "multi_node" and options.container:
        raise contradiction(
            kind,
            "a launcher outside of the image",
            "launcher: mpirun in a container, from where it reaches no other node",
            "choose launcher: none: srun starts each process in the image",
        )
    if kind == "multi_node" and not srun and launcher != "mpirun":
        raise contradiction(
            kind, "srun to be true", "srun: false", "leave srun out: it starts the command on every node"
        )
    if options.srun_options and not srun:
        raise UserError(
            "srun to be true with srun_options", "srun: false", "give srun: true, or leave srun_options out"
        )
    if options.launcher_options and launcher == "none":
        raise UserError(
            "launcher to be set with launcher_options", "nothing", "choose a launcher, or leave launcher_options out"
        )
    if launcher == "accelerate" and "cpu" in _given(options):
        raise UserError(
            "launcher_options of accelerate without cpu, with which it starts one process on each node",
            "launcher_options: cpu",
            "leave it out, and give exports: {ACCELERATE_USE_CPU: 'true'}",
        )


def default_rendezvous(kind: str, launcher: str) -> str:
    """The rendezvous of a kind with a launcher, if the user names none."""
    if kind == "multi_node" and launcher in TORCHRUN:
        return "c10d"
    if launcher in AGENTS:
        # The other launchers would use the same port in every job.
        return "standalone" if launcher in TORCHRUN else "static"
    return "env" if kind in ("multi_gpu", "multi_node", "lightning") else "none"


def require_rendezvous(options: Options, launcher: str, rendezvous: str) -> None:
    """Refuse a rendezvous at which the processes would not find each other.

    :raises UserError: such a combination.
    """
    kind, port = options.kind, options.rendezvous_port
    across = kind == "multi_node" and launcher in AGENTS
    fits = {
        "standalone": launcher in TORCHRUN and kind != "multi_node",
        "c10d": launcher in TORCHRUN or launcher == "accelerate",
        "static": launcher in AGENTS,
        # The agents of several nodes read neither MASTER_ADDR nor MASTER_PORT.
        "env": not across,
        "none": not across or bool(_given(options).intersection(_OWN_MEETING)),
    }
    if not fits[rendezvous]:
        raise UserError(
            "a rendezvous for kind: %s with launcher: %s" % (kind, launcher),
            "rendezvous: %s" % rendezvous,
            "leave it out for %s" % default_rendezvous(kind, launcher),
        )
    if port is not None and not 1024 <= port <= 65535:
        raise UserError(
            "rendezvous_port to be from 1024 to 65535", str(port), "leave it out: by default it depends on the job's id"
        )
    if port is not None and rendezvous in ("standalone", "none"):
        raise UserError("a rendezvous with a port", "rendezvous: %s" % rendezvous, "leave rendezvous_port out")


def _given(options: Options) -> set[str]:
    """The names of the launcher's options; its programs take hyphens and underscores."""
    return {name.replace("-", "_") for name, _value in options.launcher_options}
