# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind of job adds to its directives, and which counts contradict it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..model.times import minutes
from ..sbatch import gpus
from ..sbatch.options import in_order
from ..sbatch.script_text import Directives

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

# They start the processes of a node themselves, so srun starts one of them there.
AGENTS = ("torchrun", "torch.distributed.run", "torch.distributed.launch", "accelerate", "deepspeed")
_TORCH = ("torchrun", "torch.distributed.run")


class Plan(t.NamedTuple):
    """How the command of a job is started.

    :arg directives: those asked for, with what the kind adds.
    :arg processes: how many processes an agent starts on a node, None for as many as Slurm gave it GPUs.
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
        """Whether something stands in front of the command."""
        return self.srun or self.launcher != "none" or self.checkpoint is not None


def settle(params: t.Mapping[str, t.Any], asked: Directives) -> Plan:
    """The plan for the module's options and the directives that they ask for.

    :raises UserError: counts that contradict the kind, or parts that do not go together.
    """
    kind = params.get("kind") or "single"
    launcher = params.get("launcher") or ("torchrun" if kind in ("multi_gpu", "multi_node") else "none")
    wanted = dict(asked)
    _COUNTS[kind](params, wanted, launcher)
    agent = launcher in AGENTS
    checkpoint = params.get("checkpoint_seconds")
    srun = params.get("srun")
    if srun is None:
        # An agent ignores the signal, its processes get it from srun.
        by_tasks = kind in ("multi_node", "lightning") or (kind == "multi_gpu" and launcher == "none")
        pyxis = (params.get("container") or {}).get("engine") == "pyxis"
        srun = launcher != "mpirun" and (by_tasks or pyxis or (checkpoint is not None and agent))
    _require_parts(kind, launcher, srun, checkpoint, wanted, params)
    rendezvous = params.get("rendezvous") or _rendezvous(kind, launcher)
    _require_rendezvous(kind, launcher, rendezvous, params)
    if checkpoint is not None:
        _add_checkpoint(kind, checkpoint, wanted)
    processes = params.get("nproc_per_node") or gpus.count_per_node(wanted)
    return Plan(kind, in_order(wanted), launcher, srun, rendezvous, processes, checkpoint)


def _single(params: t.Mapping[str, t.Any], wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", "1"))
    if launcher in AGENTS and nodes != "1":
        raise _contradiction(
            params, "one node for launcher: %s" % launcher, "nodes: %s" % nodes, "choose kind: multi_node"
        )


def _array(params: t.Mapping[str, t.Any], wanted: Directives, launcher: str) -> None:
    if "array" not in wanted:
        raise _contradiction(params, "array, the indices", "none", "give for example array: 0-9%4")
    _single(params, wanted, launcher)


def _multi_gpu(params: t.Mapping[str, t.Any], wanted: Directives, launcher: str) -> None:
    if str(wanted.setdefault("nodes", "1")) != "1":
        raise _contradiction(params, "one node", "nodes: %s" % wanted["nodes"], "choose kind: multi_node, or nodes: 1")
    devices = _devices(params, wanted)
    if devices is not None and devices < 2:
        raise _contradiction(
            params, "two GPUs or more on the node", "%d" % devices, "choose kind: single, or ask for more"
        )
    if devices is None:
        raise _contradiction(
            params, "GPUs (gres or gpus_per_node), or nproc_per_node", "neither", "give for example gres: gpu:4"
        )
    _tasks(params, wanted, 1 if launcher in AGENTS else devices)


def _multi_node(params: t.Mapping[str, t.Any], wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", ""))
    if not nodes.isdigit() or int(nodes) < 2:
        raise _contradiction(
            params,
            "a fixed number of nodes from 2",
            "nodes: %s" % nodes if nodes else "none",
            "give for example nodes: 2",
        )
    _tasks(params, wanted, 1 if launcher in AGENTS else (_devices(params, wanted) or None))


def _lightning(params: t.Mapping[str, t.Any], wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.setdefault("nodes", "1"))
    if not nodes.isdigit():
        raise _contradiction(params, "a fixed number of nodes", "nodes: %s" % nodes, "give for example nodes: 2")
    if launcher != "none":
        raise _contradiction(
            params, "no launcher, as srun starts one process for each device", launcher, "leave launcher out"
        )
    if params.get("srun") is False:
        raise _contradiction(params, "srun", "srun: false", "leave srun out, or choose kind: multi_gpu")
    if str(wanted.get("job-name")) in ("bash", "interactive"):
        raise _contradiction(
            params, "a job_name by which Lightning sees a batch job", str(wanted["job-name"]), "choose another job_name"
        )
    devices = _devices(params, wanted)
    if devices is None:
        raise _contradiction(
            params,
            "devices: GPUs (gres or gpus_per_node), or nproc_per_node",
            "neither",
            "give for example gres: gpu:4",
        )
    _tasks(params, wanted, devices)


_COUNTS: dict[str, t.Callable[[t.Mapping[str, t.Any], Directives, str], None]] = {
    "single": _single,
    "multi_gpu": _multi_gpu,
    "multi_node": _multi_node,
    "lightning": _lightning,
    "array": _array,
}


def _devices(params: t.Mapping[str, t.Any], wanted: Directives) -> int | None:
    """How many processes a node gets: one for each GPU, or as many as were asked for."""
    found, asked = gpus.count_per_node(wanted), params.get("nproc_per_node")
    if found is not None and asked is not None and asked > found:
        raise _contradiction(
            params, "at most a process for each of %d GPUs" % found, "nproc_per_node: %d" % asked, "correct one of them"
        )
    return asked or found


def _tasks(params: t.Mapping[str, t.Any], wanted: Directives, per_node: int | None) -> None:
    """Tasks per node as the kind has them; None where it has no say."""
    if per_node is None:
        return
    nodes = int(wanted["nodes"])
    given = wanted.get("ntasks-per-node")
    if given is not None and int(given) != per_node:
        raise _contradiction(
            params, "ntasks_per_node: %d" % per_node, "ntasks_per_node: %s" % given, "leave ntasks_per_node out"
        )
    if "ntasks" in wanted and int(wanted["ntasks"]) != nodes * per_node:
        raise _contradiction(
            params,
            "%d tasks (nodes x tasks per node)" % (nodes * per_node),
            "ntasks: %s" % wanted["ntasks"],
            "leave ntasks out",
        )
    wanted.setdefault("ntasks-per-node", str(per_node))


def _require_parts(
    kind: str,
    launcher: str,
    srun: bool,
    checkpoint: int | None,
    wanted: Directives,
    params: t.Mapping[str, t.Any],
) -> None:
    if launcher == "mpirun" and srun:
        raise UserError(
            "mpirun or srun, as each starts every process", "srun: true with launcher: mpirun", "leave one out"
        )
    if launcher == "deepspeed" and kind == "multi_node":
        raise UserError(
            "a launcher that Slurm can start on each node",
            "launcher: deepspeed, which connects to them with ssh",
            "choose launcher: torchrun; deepspeed.init_distributed() runs under it",
        )
    if kind == "multi_node" and not srun and launcher != "mpirun":
        raise _contradiction(params, "srun, which starts the command on every node", "srun: false", "leave srun out")
    if params.get("srun_options") and not srun:
        raise UserError("srun with srun_options", "srun: false", "give srun: true, or leave srun_options out")
    if params.get("launcher_options") and launcher == "none":
        raise UserError("launcher with launcher_options", "none", "choose a launcher, or leave launcher_options out")
    if checkpoint is not None:
        _require_checkpoint(launcher, srun, checkpoint, wanted)


def _require_checkpoint(launcher: str, srun: bool, checkpoint: int, wanted: Directives) -> None:
    # sbatch's manual: --signal takes at most 65535 seconds.
    if not 1 <= checkpoint <= 65535:
        raise UserError("checkpoint_seconds as a whole number from 1 to 65535", str(checkpoint), "give for example 120")
    limit = minutes(str(wanted.get("time", "0")))
    if limit and checkpoint >= limit * 60:
        raise UserError(
            "checkpoint_seconds below the time limit, or every start would be told at once to go back into the queue",
            "checkpoint_seconds: %d, time: %s" % (checkpoint, wanted["time"]),
            "give for example 120",
        )
    if launcher in AGENTS and not srun:
        raise UserError(
            "srun with checkpoint_seconds and launcher: %s, as it hands the signal to the processes" % launcher,
            "srun: false",
            "leave srun out",
        )
    for name in ("signal", "no-requeue"):
        if name in wanted:
            raise UserError(
                "no %s with checkpoint_seconds, which sets it" % name.replace("-", "_"),
                str(wanted[name]),
                "leave one of them out",
            )
    if str(wanted.get("open-mode", "append")) != "append":
        raise UserError(
            "open_mode: append with checkpoint_seconds", "truncate", "leave it out, or every restart empties the output"
        )


def _rendezvous(kind: str, launcher: str) -> str:
    if kind == "multi_node" and (launcher in _TORCH or launcher == "accelerate"):
        return "c10d"
    if launcher in AGENTS:
        # The others would take the same port in every job.
        return "standalone" if launcher in _TORCH else "static"
    return "env" if kind in ("multi_gpu", "multi_node", "lightning") else "none"


def _require_rendezvous(kind: str, launcher: str, rendezvous: str, params: t.Mapping[str, t.Any]) -> None:
    fits = {
        "standalone": launcher in _TORCH and kind != "multi_node",
        "c10d": launcher in _TORCH or launcher == "accelerate",
        "static": launcher in AGENTS,
    }
    if not fits.get(rendezvous, True):
        raise UserError(
            "a rendezvous that kind: %s with launcher: %s knows" % (kind, launcher),
            "rendezvous: %s" % rendezvous,
            "leave it out for %s" % _rendezvous(kind, launcher),
        )
    port = params.get("rendezvous_port")
    if port is not None and not 1024 <= port <= 65535:
        raise UserError("rendezvous_port from 1024 to 65535", str(port), "leave it out: it comes from the job's id")
    if port is not None and rendezvous in ("standalone", "none"):
        raise UserError("a rendezvous with a port", "rendezvous: %s" % rendezvous, "leave rendezvous_port out")


def _add_checkpoint(kind: str, seconds: int, wanted: Directives) -> None:
    # Lightning's own handlers want the signal in every process; elsewhere the script's trap passes it on.
    wanted["signal"] = ("SIGUSR1@%d" if kind == "lightning" else "B:USR1@%d") % seconds
    wanted["requeue"] = True
    wanted["open-mode"] = "append"


def _contradiction(params: t.Mapping[str, t.Any], expected: str, found: str, remedy: str) -> UserError:
    return UserError("%s for kind: %s" % (expected, params.get("kind") or "single"), found, remedy)
