# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job scripts of the guide, as sbatch_script renders them. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.table import BY_DIRECTIVE
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.version import parse
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.parameters import options_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.render import render

from .partitions import Limits, Partition, duration, size
from .site import Site

KINDS = ("single", "array", "multi_gpu", "multi_node", "lightning")
# Options of the inventory's job script that the site's jobs need, whatever they do.
_EVERYWHERE = ("account", "qos", "reservation", "constraint", "modules", "conda_prefix", "activation")
# The same on a machine without Slurm.
_ALONE = ("style", "modules", "conda_prefix", "activation", "conda_env")
# Options of one GPU's job that a test program takes over.
_OF_SINGLE = (
    *("style", "job_name", "nodes", "ntasks", "ntasks_per_node", "cpus_per_task", "cpus_per_gpu"),
    *("gres", "gpus", "gpus_per_node", "mem", "mem_per_cpu", "mem_per_gpu", "time"),
)
MINUTES = 10
CPUS = 4
MEMORY_MB = 4096
TASKS = 4
# Since this torch there is torchrun; torch.distributed.launch is older.
_TORCHRUN = "1.10"
_DIRECTIVE = re.compile(r"^#SBATCH .*\n", re.MULTILINE)


class Job(t.NamedTuple):
    """A job script.

    :arg gpus: of each node.
    :arg directives: the options of sbatch that it has, in its order.
    """

    kind: str
    partition: str
    nodes: int
    gpus: int
    script: str
    directives: tuple[str, ...]


def job_of(kind: str, site: Site, program: str) -> Job | None:
    """The job script of a kind, None if no partition of the site is known to run one.

    :arg program: what it runs, a file in its folder.
    :raises UserError: the inventory's options for job scripts contradict each other.
    """
    place = _place(kind, site)
    # Without a partition in the inventory, Slurm's default one has to do.
    if place is None and (site.partitions or kind not in ("single", "array")):
        return None
    nodes = 2 if kind in ("multi_node", "lightning") else 1
    gpus = _gpus(kind, place)
    options = _options(kind, site, place, nodes, gpus)
    options["command"] = "python %s" % program
    script = render(options_of(options), parse(site.slurm_version or None))
    return Job(kind, place.name if place else "", nodes, gpus, script.content, tuple(script.directives))


def _place(kind: str, site: Site) -> Partition | None:
    """The partition: the inventory's own if it can run the kind, or the first that can."""
    able = [each for each in site.partitions if _can(kind, each)]
    return next((each for each in able if each.name == site.job.get("partition")), able[0] if able else None)


def _can(kind: str, partition: Partition) -> bool:
    is_up = partition.limits is None or partition.limits.is_up
    # A group with another name is no partition of Slurm's.
    if not is_up or not BY_DIRECTIVE["partition"].valid(partition.name):
        return False
    if kind == "multi_gpu":
        return (partition.gpus or 0) >= 2
    if kind in ("multi_node", "lightning"):
        return partition.job_nodes >= 2 and partition.gpus != 0
    return True


def _gpus(kind: str, place: Partition | None) -> int:
    known = place.gpus if place else None
    if known == 0:
        return 0
    return min(2, known or 1) if kind in ("multi_gpu", "multi_node", "lightning") else 1


def _options(kind: str, site: Site, place: Partition | None, nodes: int, gpus: int) -> dict[str, t.Any]:
    """The options of sbatch_script, without the command."""
    given = {name: value for name, value in site.job.items() if value is not None}
    is_own = place is not None and place.name == given.get("partition")
    options = {name: given[name] for name in _EVERYWHERE if name in given}
    options.setdefault("conda_prefix", site.conda.prefix)
    env = place.env if place else site.env
    options["conda_env"] = given["conda_env"] if is_own and "conda_env" in given else env.reference
    if place:
        options["partition"] = place.name
    small = kind in ("single", "array") and given.get("kind", "single") == "single"
    if small:
        options.update({name: given[name] for name in _OF_SINGLE if name in given})
        if not is_own:
            options.pop("gres", None)
    options["kind"] = kind
    if kind == "array":
        # One process with several CPUs, which is what the inventory's tasks mean.
        options.pop("ntasks", None)
        options.update(array="0-%d" % (TASKS - 1), job_name=kind, output="array-%a.out")
    if kind not in ("single", "array"):
        options.update(nodes=str(nodes), output="%s-%%j.out" % kind.replace("_", "-"))
        if kind != "lightning" and _is_before_torchrun(env.torch):
            options["launcher"] = "torch.distributed.launch"
    options.setdefault("job_name", kind.replace("_", "-"))
    if gpus and not set(options) & {"gres", "gpus", "gpus_per_node"}:
        options["gres"] = "gpu:%d" % gpus
    # The founding guide's test.sh requests no more than its inventory says.
    if kind != "single" or options.get("style") != "guide":
        _add_limits(options, place.limits if place else None, gpus if kind == "lightning" else 1)
    return options


def _add_limits(options: dict[str, t.Any], limits: Limits | None, tasks: int) -> None:
    """Add CPUs, memory and time where they are missing, no more than a node of the partition has."""
    options.setdefault("cpus_per_task", max(1, min(CPUS, limits.cpus // tasks if limits and limits.cpus else CPUS)))
    if not set(options) & {"mem", "mem_per_cpu", "mem_per_gpu"}:
        options["mem"] = size(min(MEMORY_MB, limits.memory_mb // 2 if limits and limits.memory_mb else MEMORY_MB))
    options.setdefault("time", duration(min(MINUTES, (limits.max_minutes if limits else None) or MINUTES)))


def script_of(site: Site, program: str) -> str:
    """The script for a machine without Slurm: that of a job, without its directives.

    :arg program: what it runs, a file in its folder.
    :raises UserError: the inventory's options for job scripts contradict each other.
    """
    options = {name: site.job[name] for name in _ALONE if site.job.get(name) is not None}
    if site.machine and not site.machine.has_modules:
        options.pop("modules", None)
    options.setdefault("conda_prefix", site.conda.prefix)
    options.setdefault("conda_env", site.env.reference)
    options.update(kind="single", job_name="test", command="python %s" % program)
    return _DIRECTIVE.sub("", render(options_of(options), parse(None)).content)


def launcher_of(torch: str) -> str:
    """The command that starts a program once for each GPU of this machine, in the active environment."""
    return "python -m torch.distributed.launch --use_env" if _is_before_torchrun(torch) else "torchrun --standalone"


def _is_before_torchrun(torch: str) -> bool:
    return bool(torch) and key(torch) < key(_TORCHRUN)


def script_name(dest: t.Any) -> str:
    """The name of the first script: that of the inventory's, if it is a plain one."""
    name = str(dest or "").rpartition("/")[2]
    return name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) else "test.sh"
