# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of nodes, tasks and GPUs that a kind of job needs. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ...sbatch import gpus
from ...sbatch.script_text import Directives
from ..parameters import Options
from .plan import AGENTS, contradiction


def add(options: Options, wanted: Directives, launcher: str) -> None:
    """Add to *wanted* the counts that the kind needs.

    :raises UserError: counts that contradict the kind.
    """
    _COUNTS[options.kind](options, wanted, launcher)


def _single(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", "1"))
    if launcher in AGENTS and nodes != "1":
        raise contradiction(
            options.kind, "one node for launcher: %s" % launcher, "nodes: %s" % nodes, "choose kind: multi_node"
        )
    devices = options.nproc_per_node or gpus.count_per_node(wanted) or 1
    if launcher == "mpirun" and devices > 1 and not {"ntasks", "ntasks-per-node"}.intersection(wanted):
        # mpirun starts no more processes than the job has tasks.
        wanted.setdefault("nodes", "1")
        wanted["ntasks-per-node"] = str(devices)


def _array(options: Options, wanted: Directives, launcher: str) -> None:
    if "array" not in wanted:
        raise contradiction(options.kind, "array to be set", "nothing", "give for example array: 0-9%4")
    _single(options, wanted, launcher)


def _multi_gpu(options: Options, wanted: Directives, launcher: str) -> None:
    if str(wanted.setdefault("nodes", "1")) != "1":
        raise contradiction(
            options.kind, "one node", "nodes: %s" % wanted["nodes"], "choose kind: multi_node, or nodes: 1"
        )
    devices = _devices(options, wanted)
    if devices is not None and devices < 2:
        raise contradiction(
            options.kind, "two GPUs or more on the node", "%d" % devices, "choose kind: single, or request more"
        )
    if devices is None:
        raise contradiction(
            options.kind, "GPUs (gres or gpus_per_node), or nproc_per_node", "neither", "give for example gres: gpu:4"
        )
    _tasks(options, wanted, 1 if launcher in AGENTS else devices)


def _multi_node(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.get("nodes", ""))
    if not nodes.isdigit() or int(nodes) < 2:
        raise contradiction(
            options.kind,
            "a fixed number of nodes from 2",
            "nodes: %s" % nodes if nodes else "none",
            "give for example nodes: 2",
        )
    _tasks(options, wanted, 1 if launcher in AGENTS else (_devices(options, wanted) or None))


def _lightning(options: Options, wanted: Directives, launcher: str) -> None:
    nodes = str(wanted.setdefault("nodes", "1"))
    if not nodes.isdigit():
        raise contradiction(options.kind, "a fixed number of nodes", "nodes: %s" % nodes, "give for example nodes: 2")
    if launcher != "none":
        raise contradiction(
            options.kind, "launcher to be none", launcher, "leave launcher out: srun starts one process for each device"
        )
    if options.srun is False:
        raise contradiction(options.kind, "srun to be true", "srun: false", "leave srun out, or choose kind: multi_gpu")
    if str(wanted.get("job-name")) in ("bash", "interactive"):
        raise contradiction(
            options.kind,
            "a job_name that Lightning takes for a batch job",
            str(wanted["job-name"]),
            "choose another job_name",
        )
    devices = _devices(options, wanted)
    if devices is None:
        raise contradiction(
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
        raise contradiction(
            options.kind,
            "at most a process for each of %d GPUs" % found,
            "nproc_per_node: %d" % asked,
            "correct one of them",
        )
    return asked or found


def _tasks(options: Options, wanted: Directives, per_node: int | None) -> None:
    """Require the number of tasks per node that the kind needs, in the step if it has its own, otherwise in the job."""
    if per_node is None:
        return
    nodes = int(wanted["nodes"])
    if "ntasks-per-gpu" in wanted:
        # sbatch takes it without ntasks-per-node only.
        devices = gpus.count_per_node(wanted) or 0
        if int(wanted["ntasks-per-gpu"]) * devices != per_node:
            raise contradiction(
                options.kind,
                "%d tasks on a node" % per_node,
                "ntasks_per_gpu: %s with %d GPUs" % (wanted["ntasks-per-gpu"], devices),
                "leave ntasks_per_gpu out",
            )
        return
    step = of_step(options, nodes)
    if step is not None:
        _require_step(options, wanted, per_node, step)
        wanted.setdefault("ntasks-per-node", str(per_node))
        return
    given = wanted.get("ntasks-per-node")
    remedy = "leave %%s out, or give the step its own count: srun_options: {ntasks-per-node: %d}" % per_node
    if given is not None and int(given) != per_node:
        raise contradiction(
            options.kind, "ntasks_per_node: %d" % per_node, "ntasks_per_node: %s" % given, remedy % "ntasks_per_node"
        )
    if "ntasks" in wanted and int(wanted["ntasks"]) != nodes * per_node:
        raise contradiction(
            options.kind,
            "%d tasks (nodes x tasks per node)" % (nodes * per_node),
            "ntasks: %s" % wanted["ntasks"],
            remedy % "ntasks",
        )
    wanted.setdefault("ntasks-per-node", str(per_node))


def of_step(options: Options, nodes: int) -> int | None:
    """The number of tasks on a node that srun_options give the step: 1 for ``{"ntasks-per-node": 1}``, else None."""
    given = {name: str(value) for name, value in options.srun_options}
    if given.get("ntasks-per-node", "").isdigit():
        return int(given["ntasks-per-node"])
    tasks = given.get("ntasks", "")
    return int(tasks) // nodes if tasks.isdigit() and int(tasks) % nodes == 0 else None


def _require_step(options: Options, wanted: Directives, per_node: int, step: int) -> None:
    job = gpus.tasks_per_node(wanted) or (int(wanted["ntasks"]) // int(wanted["nodes"]) if "ntasks" in wanted else None)
    if step != per_node:
        raise contradiction(
            options.kind,
            "%d tasks on a node in the step that srun starts" % per_node,
            "srun_options with %d" % step,
            "give srun_options: {ntasks-per-node: %d}" % per_node,
        )
    if job is not None and job < step:
        raise contradiction(
            options.kind,
            "room for %d tasks on a node" % step,
            "a job with %d" % job,
            "leave ntasks and ntasks_per_node out, or give ntasks_per_node: %d" % step,
        )
