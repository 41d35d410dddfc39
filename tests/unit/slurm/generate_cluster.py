# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scontrol of Slurm 22.05 would print of a large cluster, the same for the same number of nodes.

As a program it writes it into a file: ``generate_cluster.py NODES FILE``.
"""

from __future__ import annotations

import pathlib
import random
import sys
import typing as t

CONFIG = """\
Configuration data as of 2026-11-24T14:36:13
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = large
MaxArraySize            = 1001
SLURM_VERSION           = 22.05.8
"""
PARTITION = (
    "PartitionName={name} AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL AllocNodes=ALL Default={default}"
    " QoS=N/A DefaultTime=01:00:00"
    " DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED MaxTime=3-00:00:00 MinNodes=0 LLN=NO"
    " MaxCPUsPerNode=UNLIMITED Nodes={nodes} PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO"
    " OverSubscribe=NO OverTimeLimit=NONE"
    " PreemptMode=OFF State=UP TotalCPUs=0 TotalNodes=0 SelectTypeParameters=NONE JobDefaults=(null) DefMemPerCPU=100"
    " MaxMemPerNode=UNLIMITED"
)
NODE = (
    "NodeName={name} Arch=x86_64 CoresPerSocket={cores}  CPUAlloc={used} CPUEfctv={cpus} CPUTot={cpus}"
    " CPULoad={used}.01"
    " AvailableFeatures={features} ActiveFeatures={features} Gres={gres} NodeAddr={name} NodeHostName={name}"
    " Version=22.05.8"
    " OS=Linux 5.14.0-362.24.1.el9_3.x86_64 #1 SMP PREEMPT_DYNAMIC Wed Mar 20 04:52:13 EDT 2024 "
    " RealMemory={memory} AllocMem=0 FreeMem={memory}"
    " Sockets=2 Boards=1 State={state} ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A"
    " Partitions={partitions} "
    " BootTime=2026-10-01T08:00:00 SlurmdStartTime=2026-10-01T08:01:00 LastBusyTime=2026-11-24T14:00:00"
    " CfgTRES=cpu={cpus},mem={memory}M,billing={cpus}"
    " AllocTRES= CapWatts=n/a CurrentWatts=0 AveWatts=0 ExtSensorsJoules=n/s ExtSensorsWatts=0"
    " ExtSensorsTemp=n/s{reason}"
)


class Kind(t.NamedTuple):
    """A partition's hardware; the shares of all kinds are one."""

    name: str
    share: float
    cpus: int
    memory: int
    gres: str
    features: str


KINDS = (
    Kind("cpu", 0.6, 128, 515000, "(null)", "rome,ib"),
    Kind("bigmem", 0.1, 128, 2063000, "(null)", "rome,ib,large"),
    Kind("v100", 0.1, 40, 385000, "gpu:v100:4(S:0-1)", "cascadelake,ib,volta"),
    Kind("a100", 0.1, 64, 1031000, "gpu:a100:8(S:0-1)", "milan,ib,ampere"),
    Kind("h100", 0.1, 96, 2063000, "gpu:h100:8(S:0-1),shard:h100:64", "genoa,ib,hopper"),
)


def make_cluster(count: int) -> str:
    """The words of the three commands, one after the other."""
    chance = random.Random(count)
    partitions, nodes = [], []
    for kind in KINDS:
        number = round(count * kind.share)
        folded = "%s-[0001-%04d]" % (kind.name, number)
        partitions.append(PARTITION.format(name=kind.name, default="YES" if kind.name == "cpu" else "NO", nodes=folded))
        for place in range(1, number + 1):
            state = chance.choices(("IDLE", "MIXED", "ALLOCATED", "IDLE+DRAIN", "DOWN*"), (30, 30, 35, 4, 1))[0]
            reason = " Reason=Kill task failed on job %d [root@2026-11-2%d]" % (chance.randrange(10**6), place % 4)
            nodes.append(
                NODE.format(
                    name="%s-%04d" % (kind.name, place),
                    cores=kind.cpus // 2,
                    used=0 if state.startswith(("IDLE", "DOWN")) else kind.cpus // 2,
                    cpus=kind.cpus,
                    features=kind.features,
                    gres=kind.gres,
                    memory=kind.memory,
                    state=state,
                    partitions=kind.name + (",all" if place % 2 else ",all,preempt"),
                    reason=reason if "+" in state or "*" in state else "",
                )
            )
    return CONFIG + "\n".join([*partitions, *nodes]) + "\n"


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(make_cluster(int(sys.argv[1])), encoding="utf-8")
