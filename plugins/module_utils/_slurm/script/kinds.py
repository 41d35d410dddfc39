# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of jobs: the directives that they add, the counts that contradict them. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..model.times import minutes
from ..sbatch import gpus
from ..sbatch.options import in_order
from ..sbatch.script_text import Directives
from .parameters import Options

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
_TORCH = ("torchrun", "torch.distributed.run")


class Plan(t.NamedTuple):
    """How the command of a job is started.

    :arg directives: the requested ones, and those that the kind adds.
    :arg processes: the number of processes on a node, None for one for each allocated GPU.
    :arg checkpoint: seconds before the time limit, None without checkpoints.
    """

    kind: str
    directives: Directives
    launcher: str
    srun: bool
    rendezvous: str
    processes: int | None
    checkpoint: int | None

    @property
    def prefixed(self) -> bool:
        """Whether another program starts the command."""
        return self.srun or self.launcher != "none" or self.checkpoint is not None


def plan_of(options: Options) -> Plan:
    """Plan how the command is started.

    :raises UserError: counts that contradict the kind, or options that contradict each other.
    """
    kind, checkpoint = options.kind, options.checkpoint_seconds
    launcher = options.launcher or ("torchrun" if kind in ("multi_gpu", "multi_node") else "none")
    wanted = dict(options.directives)
    _COUNTS[kind](options, wanted, launcher)
    srun = options.srun
    if srun is None:
        # An agent ignores the signal; its processes get it from srun.
        by_tasks = kind in ("multi_node", "lightning") or (kind == "multi_gpu" and launcher == "none")
        pyxis = options.container is not None and options.container.engine == "pyxis"
        srun = launcher != "mpirun" and (by_tasks or pyxis or (checkpoint is not None and launcher in AGENTS))
    _require_parts(options, launcher, srun)
    if checkpoint is not None:
        _require_checkpoint(launcher, srun, checkpoint, wanted)
    rendezvous = options.rendezvous or _rendezvous(kind, launcher)
    _require_rendezvous(options, launcher, rendezvous)
    if checkpoint is not None:
        _add_checkpoint(kind, checkpoint, wanted)
    processes = options.nproc_per_node or gpus.count_per_node(wanted)
    return Plan(kind, in_order(wanted), launcher, srun, rendezvous, processes, checkpoint)


def _single(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", "1"))
    if launcher in AGENTS and nodes != "1":
        raise _contradiction(
            options.kind, "one node for launcher: %s" % launcher, "nodes: %s" % nodes, "choose kind: multi_node"
        )


def _array(options: Options, wanted: Directives, launcher: str) -> None:
    if "array" not in wanted:
        raise _contradiction(options.kind, "array to be set", "nothing", "give for example array: 0-9%4")
    _single(options, wanted, launcher)


def _multi_gpu(options: Options, wanted: Directives, launcher: str) -> None:
    if str(wanted.setdefault("nodes", "1")) != "1":
        raise _contradiction(
            options.kind, "one node", "nodes: %s" % wanted["nodes"], "choose kind: multi_node, or nodes: 1"
        )
    devices = _devices(options, wanted)
    if devices is not None and devices < 2:
        raise _contradiction(
            options.kind, "two GPUs or more on the node", "%d" % devices, "choose kind: single, or request more"
        )
    if devices is None:
        raise _contradiction(
            options.kind, "GPUs (gres or gpus_per_node), or nproc_per_node", "neither", "give for example gres: gpu:4"
        )
    _tasks(options, wanted, 1 if launcher in AGENTS else devices)


def _multi_node(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", ""))
    if not nodes.isdigit() or int(nodes) < 2:
        raise _contradiction(
            options.kind,
            "a fixed number of nodes from 2",
            "nodes: %s" % nodes if nodes else "none",
            "give for example nodes: 2",
        )
    _tasks(options, wanted, 1 if launcher in AGENTS else (_devices(options, wanted) or None))


def _lightning(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.setdefault("nodes", "1"))
    if not nodes.isdigit():
        raise _contradiction(options.kind, "a fixed number of nodes", "nodes: %s" % nodes, "give for example nodes: 2")
    if launcher != "none":
        raise _contradiction(
            options.kind, "launcher to be none", launcher, "leave launcher out: srun starts one process for each device"
        )
    if options.srun is False:
        raise _contradiction(
            options.kind, "srun to be true", "srun: false", "leave srun out, or choose kind: multi_gpu"
        )
    if str(wanted.get("job-name")) in ("bash", "interactive"):
        raise _contradiction(
            options.kind,
            "a job_name that Lightning takes for a batch job",
            str(wanted["job-name"]),
            "choose another job_name",
        )
    devices = _devices(options, wanted)
    if devices is None:
        raise _contradiction(
            options.kind,
            "devices: GPUs (gres or gpus_per_node), or nproc_per_node",
            "neither",
            "give for example gres: gpu:4",
        )
    _tasks(options, wanted, devices)


_COUNTS: dict[str, t.Callable[[Options, Directives, str], None]] = {
    "single": _single,
    "multi_gpu": _multi_gpu,
    "multi_node": _multi_node,
    "lightning": _lightning,
    "array": _array,
}


def _devices(options: Options, wanted: Directives) -> int | None:
    """The number of processes on a node: nproc_per_node, or one for each requested GPU."""
    found, asked = gpus.count_per_node(wanted), options.nproc_per_node
    if found is not None and asked is not None and asked > found:
        raise _contradiction(
            options.kind,
            "at most a process for each of %d GPUs" % found,
            "nproc_per_node: %d" % asked,
            "correct one of them",
        )
    return asked or found


def _tasks(options: Options, wanted: Directives, per_node: int | None) -> None:
    """Add the number of tasks per node that the kind requires, if it requires one."""
    if per_node is None:
        return
    nodes = int(wanted["nodes"])
    given = wanted.get("ntasks-per-node")
    if given is not None and int(given) != per_node:
        raise _contradiction(
            options.kind, "ntasks_per_node: %d" % per_node, "ntasks_per_node: %s" % given, "leave ntasks_per_node out"
        )
    if "ntasks" in wanted and int(wanted["ntasks"]) != nodes * per_node:
        raise _contradiction(
            options.kind,
            "%d tasks (nodes x tasks per node)" % (nodes * per_node),
            "ntasks: %s" % wanted["ntasks"],
            "leave ntasks out",
        )
    wanted.setdefault("ntasks-per-node", str(per_node))


def _require_parts(options: Options, launcher: str, srun: bool) -> None:
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
    if kind == "multi_node" and not srun and launcher != "mpirun":
        raise _contradiction(
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


def _require_checkpoint(launcher: str, srun: bool, checkpoint: int, wanted: Directives) -> None:
    # sbatch's manual: --signal takes at most 65535 seconds.
    if not 1 <= checkpoint <= 65535:
        raise UserError(
            "checkpoint_seconds to be a whole number from 1 to 65535", str(checkpoint), "give for example 120"
        )
    limit = minutes(str(wanted.get("time", "0")))
    if limit and checkpoint >= limit * 60:
        raise UserError(
            "checkpoint_seconds to be below the time limit, or Slurm would signal the job as soon as it starts",
            "checkpoint_seconds: %d, time: %s" % (checkpoint, wanted["time"]),
            "give for example 120",
        )
    if launcher in AGENTS and not srun:
        raise UserError(
            "srun to be true with checkpoint_seconds and launcher: %s, as it passes the signal to the processes"
            % launcher,
            "srun: false",
            "leave srun out",
        )
    for name in ("signal", "no-requeue"):
        if name in wanted:
            raise UserError(
                "%s to be unset with checkpoint_seconds, which sets it" % name.replace("-", "_"),
                str(wanted[name]),
                "leave one of them out",
            )
    if str(wanted.get("open-mode", "append")) != "append":
        raise UserError(
            "open_mode to be append with checkpoint_seconds",
            "truncate",
            "leave open_mode out: every restart would empty the output",
        )


def _rendezvous(kind: str, launcher: str) -> str:
    if kind == "multi_node" and (launcher in _TORCH or launcher == "accelerate"):
        return "c10d"
    if launcher in AGENTS:
        # The other launchers would use the same port in every job.
        return "standalone" if launcher in _TORCH else "static"
    return "env" if kind in ("multi_gpu", "multi_node", "lightning") else "none"


def _require_rendezvous(options: Options, launcher: str, rendezvous: str) -> None:
    kind, port = options.kind, options.rendezvous_port
    fits = {
        "standalone": launcher in _TORCH and kind != "multi_node",
        "c10d": launcher in _TORCH or launcher == "accelerate",
        "static": launcher in AGENTS,
    }
    if not fits.get(rendezvous, True):
        raise UserError(
            "a rendezvous for kind: %s with launcher: %s" % (kind, launcher),
            "rendezvous: %s" % rendezvous,
            "leave it out for %s" % _rendezvous(kind, launcher),
        )
    if port is not None and not 1024 <= port <= 65535:
        raise UserError(
            "rendezvous_port to be from 1024 to 65535", str(port), "leave it out: by default it depends on the job's id"
        )
    if port is not None and rendezvous in ("standalone", "none"):
        raise UserError("a rendezvous with a port", "rendezvous: %s" % rendezvous, "leave rendezvous_port out")


def _add_checkpoint(kind: str, seconds: int, wanted: Directives) -> None:
    # Lightning's own handlers need the signal in every process; otherwise the script's trap passes it on.
    wanted["signal"] = ("SIGUSR1@%d" if kind == "lightning" else "B:USR1@%d") % seconds
    wanted["requeue"] = True
    wanted["open-mode"] = "append"


def _contradiction(kind: str, expected: str, found: str, remedy: str) -> UserError:
    return UserError("%s for kind: %s" % (expected, kind), found, remedy)
