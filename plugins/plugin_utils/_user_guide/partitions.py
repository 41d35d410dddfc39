# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The partitions of the guide: groups below compute, with what Slurm says about them. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .envs import Env


class Limits(t.NamedTuple):
    """What Slurm allows in a partition.

    :arg max_minutes: of a job; None without a limit.
    :arg default_minutes: of a job that sets none; None if that is ``max_minutes``.
    :arg max_nodes: of a job; None without a limit.
    :arg cpus: of the smallest node. ``memory_mb`` likewise.
    :arg is_up: whether it takes jobs.
    """

    max_minutes: int | None
    default_minutes: int | None
    max_nodes: int | None
    cpus: int
    memory_mb: int
    is_up: bool


class Partition(t.NamedTuple):
    """A partition.

    :arg nodes: how many nodes it has.
    :arg gpus: GPUs of the node that has the fewest; None if nobody says.
    :arg gpu_names: kinds of GPU, each with the number in a node, such as ``4 x a100``.
    :arg limits: None if Slurm was not asked, or does not know the partition.
    """

    name: str
    nodes: int
    gpus: int | None
    gpu_names: tuple[str, ...]
    limits: Limits | None
    env: Env

    @property
    def job_nodes(self) -> int:
        """The most nodes that a job can have here."""
        most = self.limits.max_nodes if self.limits else None
        return self.nodes if most is None else min(self.nodes, most)


def partitions_of(
    names: t.Sequence[str],
    groups: t.Mapping[str, t.Sequence[str]],
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]],
    slurm: t.Mapping[str, t.Any] | None,
    env_of: t.Callable[[str], Env],
) -> tuple[Partition, ...]:
    """The partitions in the order of *names*.

    :arg names: the child groups of compute.
    :arg slurm: the result of slurm_info, None if Slurm gave no answer.
    :arg env_of: the environment of a host.
    """
    found = []
    known = {each["name"]: each for each in (slurm or {}).get("partitions", ())}
    for name in names:
        hosts = groups.get(name, ())
        if not hosts:
            continue
        in_slurm = known.get(name)
        if in_slurm is None:
            gpus, gpu_names = declared_gpus(hostvars[host] for host in hosts)
            found.append(Partition(name, len(hosts), gpus, gpu_names, None, env_of(hosts[0])))
            continue
        nodes = [node for node in (slurm or {}).get("nodes", ()) if name in node["partitions"]]
        gpus, gpu_names = _in_slurm(nodes)
        limits = Limits(
            max_minutes=in_slurm["max_minutes"],
            default_minutes=in_slurm["default_minutes"],
            max_nodes=in_slurm["max_nodes"],
            cpus=min((node["cpus"] for node in nodes), default=0),
            memory_mb=min((node["memory_mb"] for node in nodes), default=0),
            is_up=in_slurm["state"] == "up",
        )
        found.append(Partition(name, in_slurm["node_count"], gpus, gpu_names, limits, env_of(hosts[0])))
    return tuple(found)


def declared_gpus(hosts: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[int | None, tuple[str, ...]]:
    """The GPUs that the inventory declares: the fewest in a node, and each kind once."""
    counts: list[int | None] = []
    names: dict[str, None] = {}
    for variables in hosts:
        count, kind = variables.get("hpc_gpu_count"), variables.get("hpc_gpu_type")
        kinds = ", ".join(map(str, kind)) if isinstance(kind, (list, tuple)) else str(kind or "")
        # A type without a number means at least one.
        counts.append(int(count) if count is not None else 1 if kinds else None)
        if count is not None and int(count) > 0:
            names["%d \N{MULTIPLICATION SIGN} %s" % (int(count), kinds or "GPU")] = None
        elif kinds and count is None:
            names[kinds] = None
    sure = [count for count in counts if count is not None]
    return (min(sure) if sure and len(sure) == len(counts) else None), tuple(names)


def _in_slurm(nodes: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[int | None, tuple[str, ...]]:
    """The GPUs in Slurm's nodes, likewise."""
    fewest: int | None = None
    names: dict[str, None] = {}
    for node in nodes:
        gpus = [each for each in node["gres"] if each["name"] == "gpu"]
        total = sum(each["count"] for each in gpus)
        fewest = total if fewest is None else min(fewest, total)
        for each in gpus:
            names["%d \N{MULTIPLICATION SIGN} %s" % (each["count"], each["type"] or "GPU")] = None
    return fewest, tuple(names)


def duration(minutes: int) -> str:
    """Minutes as Slurm writes a time limit: 4320 is ``3-00:00:00``."""
    days, rest = divmod(minutes, 24 * 60)
    return "%s%02d:%02d:00" % ("%d-" % days if days else "", rest // 60, rest % 60)


def size(megabytes: int) -> str:
    """Memory as ``--mem`` takes it, rounded down: 192000 is ``187G``, 4096 is ``4G``, 4000 is ``4000M``."""
    return "%dG" % (megabytes // 1024) if megabytes >= 10 * 1024 or megabytes % 1024 == 0 else "%dM" % megabytes
