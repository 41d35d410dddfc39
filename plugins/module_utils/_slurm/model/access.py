# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use a partition, and what its jobs may ask of a node. Plain data, no I/O. Private to hpc.pytorch.

The fields are those of ``scontrol show partition``; slurm.conf(5), "PARTITION CONFIGURATION", explains each.
"""

from __future__ import annotations

import re
import typing as t

from ..._common.lines import whole
from .pairs import given, parse_pairs


class Access(t.NamedTuple):
    """Who may use a partition, and its limits for each node of a job.

    :arg hidden: whether Slurm hides it from users.
    :arg root_only: whether only root may submit to it.
    :arg needs_reservation: whether a job must name a reservation.
    :arg groups: the Unix groups whose members may use it; None for everyone.
    :arg accounts: the accounts whose jobs may use it; None for all but denied_accounts.
    :arg qos: the qualities of service that may use it; None for all but denied_qos.
    :arg submit_hosts: the hosts on which its jobs are submitted; None for all.
    :arg max_cpus: the most processors on a node; None without a limit.
    :arg max_memory_mb: the most memory on a node; None without a limit.
    """

    hidden: bool = False
    root_only: bool = False
    needs_reservation: bool = False
    groups: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None
    denied_accounts: tuple[str, ...] = ()
    qos: tuple[str, ...] | None = None
    denied_qos: tuple[str, ...] = ()
    submit_hosts: tuple[str, ...] | None = None
    max_cpus: int | None = None
    max_memory_mb: int | None = None


class JobShare(t.NamedTuple):
    """What jobs may have of a node, where Slurm keeps a part for itself.

    :arg cpus: processors; None for all (slurm.conf(5), CoreSpecCount and CpuSpecList).
    :arg kept_mb: the memory that Slurm keeps (MemSpecLimit).
    """

    cpus: int | None
    kept_mb: int


_SHARE = re.compile(r"(?:^|\s)(NodeName|CPUEfctv|MemSpecLimit)=(\S*)")


def parse_shares(lines: t.Iterable[str]) -> dict[str, JobShare]:
    """What jobs may have of each node, from the parts of ``scontrol show node`` that Slurm wrote.

    Of a node with several lines the least: one of them may be a text that a user wrote.
    """
    found: dict[str, JobShare] = {}
    for line in lines:
        words = dict(_SHARE.findall(line))
        name = words.get("NodeName", "")
        share = JobShare(whole(words.get("CPUEfctv", "")), whole(words.get("MemSpecLimit", "")) or 0)
        if name in found:
            cpus = [number for number in (found[name].cpus, share.cpus) if number is not None]
            share = JobShare(min(cpus, default=None), max(found[name].kept_mb, share.kept_mb))
        found[name] = share
    return found


def parse_access(lines: t.Iterable[str], settings: t.Mapping[str, str]) -> dict[str, Access]:
    """Who may use each partition, from the lines of ``scontrol --oneliner show partition``.

    :arg settings: the cluster's configuration, whose limits of memory hold where a partition has none.
    """
    pairs = [parse_pairs(line) for line in lines]
    return {one["PartitionName"]: _access(one, settings) for one in pairs}


def _access(pairs: t.Mapping[str, str], settings: t.Mapping[str, str]) -> Access:
    return Access(
        pairs.get("Hidden") == "YES",
        pairs.get("RootOnly") == "YES",
        pairs.get("ReqResv") == "YES",
        _allowed(pairs.get("AllowGroups", "")),
        _allowed(pairs.get("AllowAccounts", "")),
        _names(pairs.get("DenyAccounts", "")),
        _allowed(pairs.get("AllowQos", "")),
        _names(pairs.get("DenyQos", "")),
        _allowed(pairs.get("AllocNodes", "")),
        # 0 and UNLIMITED mean no limit.
        whole(pairs.get("MaxCPUsPerNode", "")) or None,
        # MaxMemPerCPU is no limit for a job with --mem: Slurm gives it more processors, or takes it as it is.
        whole(pairs.get("MaxMemPerNode", "")) or whole(settings.get("MaxMemPerNode", "")) or None,
    )


def _allowed(text: str) -> tuple[str, ...] | None:
    names = _names(text)
    return None if not names or "ALL" in [name.upper() for name in names] else names


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in given(text).split(",") if name)
