# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds counts of nodes, tasks, CPUs and GPUs that do not fit together, or what the script starts. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..model.gres import parse_gpu_request
from ..model.hostlist import unfold
from ..sbatch.script_text import Batch, Directive
from ..sbatch.table import count
from ..sbatch.verdicts import OLD, releases
from .by_version import Version
from .finding import Found
from .view import Script

# Options that say on how many nodes the GPUs are, or which of several parts gets which.
_SPREAD = (
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "gpus-per-node",
    "gpus-per-task",
    "gpus-per-socket",
    "gres",
    "nodelist",
)


def cpus(script: Script) -> t.Iterator[Found]:
    """Find a job of one process without CPUs, whatever its interpreter."""
    if not _several(script.batch) and not script.has_cpus():
        yield (
            1,
            "no-cpus",
            "no CPUs are requested: the job gets one, and loads its data with it",
            "give --cpus-per-task",
        )


def check(script: Script, slurm: Version) -> t.Iterator[Found]:
    """Find the mistakes in the counts of a job."""
    batch = script.batch
    yield from _nodelist(batch, slurm)
    if batch.parts == 1:
        # Each component of a heterogeneous job has its own numbers.
        yield from _tasks(script)
        yield from (_fewer_tasks(script) or _nodes(script))
        yield from _cpus_of_tasks(script)
        yield from _gpus(script)


def _several(batch: Batch) -> Directive | None:
    """The directive that asks for several tasks."""
    for name in ("ntasks", "ntasks-per-node"):
        found = batch.last(name)
        if found and count(found.value or "") > 1:
            return found
    return None


def _tasks(script: Script) -> t.Iterator[Found]:
    directive = _several(script.batch)
    if not directive or script.nodes() > 1 or script.starts_tasks() or not script.trains_alone():
        return
    number, name = directive.value, directive.name
    if not script.batch.last("cpus-per-task"):
        yield (
            directive.line,
            "ntasks-as-cpus",
            "--%s=%s requests %s processes, and the script starts one" % (name, number, number),
            "for one process with {0} CPUs, give {1} 1 and cpus-per-task {0}; for {0} processes, start the command "
            "with srun".format(number, name),
        )
    else:
        yield (
            directive.line,
            "tasks-without-srun",
            "--%s=%s requests several processes, and nothing starts them" % (name, number),
            "for one process, give %s 1; for %s processes, start the command with srun" % (name, number),
        )


def _fewer_tasks(script: Script) -> list[Found]:
    directive = script.batch.last("ntasks")
    tasks = count(script.batch.value("ntasks"))
    if not directive or not 0 < tasks < script.nodes():
        return []
    return [
        (
            directive.line,
            "nodes-over-tasks",
            "--ntasks=%d is fewer than --nodes=%d: sbatch reduces the number of nodes to %d"
            % (tasks, script.nodes(), tasks),
            "give ntasks-per-node instead of ntasks, or nodes %d" % tasks,
        )
    ]


def _nodes(script: Script) -> t.Iterator[Found]:
    directive = script.batch.last("nodes")
    if directive and script.nodes() > 1 and not script.reaches_every_node() and script.trains_alone():
        yield (
            directive.line,
            "nodes-without-srun",
            "--nodes=%s requests several nodes, and the script runs only on the first one" % directive.value,
            "start the command with srun",
        )


def _cpus_of_tasks(script: Script) -> t.Iterator[Found]:
    batch, directive = script.batch, _several(script.batch)
    if not directive or not script.has_gpus() or not script.starts_tasks():
        return
    if not script.has_cpus() and not batch.last("threads-per-core"):
        yield (
            directive.line,
            "no-cpus",
            "--%s=%s requests several processes and no CPUs: each gets one, and loads its data with it"
            % (directive.name, directive.value),
            "give --cpus-per-task",
        )


def _gpus(script: Script) -> t.Iterator[Found]:
    batch, directive = script.batch, script.batch.last("gpus")
    wanted = sum(one.count for one in parse_gpu_request(directive.value)) if directive and directive.value else 0
    if wanted < 2 or any(batch.last(name) for name in _SPREAD) or script.reaches_every_node():
        return
    if directive and script.trains_alone():
        yield (
            directive.line,
            "gpus-without-nodes",
            "--gpus=%s is for the whole job, and no number of nodes is given: Slurm may take the GPUs of several nodes"
            % directive.value,
            "add --nodes=1, or the number of nodes that the script uses",
        )


def _nodelist(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    for part in range(batch.parts):
        found = {one.name: one for one in batch.directives if one.part == part and one.name in ("nodes", "nodelist")}
        if len(found) < 2:
            continue
        nodes, given = found["nodes"].value or "", found["nodelist"].value or ""
        most = count(nodes.rpartition("-")[2])
        try:
            named = len(set(unfold(given))) if "/" not in given else 0
        except UserError:
            continue
        if "," not in nodes and 0 < most < named:
            yield (
                found["nodelist"].line,
                "nodelist-too-long",
                "--nodelist names %d nodes, which the job must all get, and --nodes=%s allows fewer" % (named, nodes),
                "give --nodes=%d, or name fewer nodes" % named,
                # Later releases take it.
                "error" if releases(slurm) == (OLD,) else "warning",
            )
