# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module over a scontrol that prints what Slurm printed."""

from __future__ import annotations

import json
import sys

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.modules import slurm_info

CONFIG = """\
Configuration data as of 2026-11-24T14:36:13
AccountingStorageType   = %s
ClusterName             = campus
MaxMemPerNode           = 7000
SLURM_VERSION           = 22.05.8
"""
PARTITIONS = """\
PartitionName=titan Default=YES DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=01:00:00 MinNodes=0 Nodes=t[1-2] State=UP
PartitionName=cpu Default=NO DefaultTime=00:10:00 MaxNodes=1 MaxTime=UNLIMITED MinNodes=1 Nodes=c1,t2 State=DOWN
"""
NODES = """\
NodeName=t1 CPUTot=16 ActiveFeatures=ib Gres=gpu:titan:2(S:0-1) NodeAddr=10.0.0.1 NodeHostName=t1\
 RealMemory=4000 State=MIXED Partitions=titan
NodeName=t2 CPUTot=16 ActiveFeatures=(null) Gres=gpu:titan:1,gpu:2 NodeAddr=t2 NodeHostName=t2\
 RealMemory=4000 State=IDLE+DRAIN Partitions=titan,cpu  Reason=fan [root@2026-01-01T00:00:00]
NodeName=c1 CPUTot=64 ActiveFeatures=ib Gres=(null) NodeAddr=c1 NodeHostName=c1
 RealMemory=8000 State=DOWN* Partitions=cpu
"""


@pytest.fixture
def call(tmp_path, capsys):
    """Run the module; scontrol prints this."""

    def run(
        storage="accounting_storage/slurmdbd",
        check_mode=False,
        partitions_text=None,
        nodes_text=None,
        **options,
    ):
        for name, text in (
            ("config", CONFIG % storage),
            ("partition", partitions_text or PARTITIONS),
            ("node", nodes_text or NODES),
        ):
            (tmp_path / name).write_text(text)
        (tmp_path / "scontrol").write_text('#!/bin/sh\nfor what in "$@"; do :; done\ncat "%s/$what"\n' % tmp_path)
        (tmp_path / "scontrol").chmod(0o755)
        with patch_module_args(dict({"bin_dir": str(tmp_path)}, _ansible_check_mode=check_mode, **options)):
            with pytest.raises(SystemExit):
                slurm_info.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_all_of_it(call):
    result = call()
    assert (result["changed"], result["cluster"], result["version"], result["accounting"]) == (
        False,
        "campus",
        "22.05.8",
        "slurmdbd",
    )
    assert result["partitions"] == [
        {
            "name": "titan",
            "default": True,
            "state": "up",
            "max_minutes": 60,
            "default_minutes": None,
            "min_nodes": 0,
            "max_nodes": None,
            "nodes": ["t1", "t2"],
            "node_list": "t[1-2]",
            "node_count": 2,
            "gres": [{"name": "gpu", "type": None, "count": 2}, {"name": "gpu", "type": "titan", "count": 3}],
        },
        {
            "name": "cpu",
            "default": False,
            "state": "down",
            "max_minutes": None,
            "default_minutes": 10,
            "min_nodes": 1,
            "max_nodes": 1,
            "nodes": ["c1", "t2"],
            "node_list": "c1,t2",
            "node_count": 2,
            "gres": [{"name": "gpu", "type": None, "count": 2}, {"name": "gpu", "type": "titan", "count": 1}],
        },
    ]
    assert result["nodes"][1] == {
        "name": "t2",
        "state": "idle",
        "flags": ["drain"],
        "cpus": 16,
        "memory_mb": 4000,
        "gres": [{"name": "gpu", "type": "titan", "count": 1}, {"name": "gpu", "type": None, "count": 2}],
        "features": [],
        "partitions": ["titan", "cpu"],
        "reason": "fan [root@2026-01-01T00:00:00]",
        "address": "t2",
        "hostname": "t2",
    }
    assert result["gres"] == [{"name": "gpu", "type": None, "count": 2}, {"name": "gpu", "type": "titan", "count": 3}]


ACCESS = """\
PartitionName=titan Default=YES AllowGroups=staff,games AllowAccounts=ALL DenyQos=long AllocNodes=login01 Hidden=YES\
 RootOnly=YES ReqResv=YES MaxCPUsPerNode=12 MaxMemPerNode=3000 MaxTime=01:00:00 MinNodes=0 Nodes=t[1-2] State=UP
PartitionName=cpu Default=NO AllowGroups=ALL DenyAccounts=physics AllowQos=short,debug AllocNodes=ALL Hidden=NO\
 RootOnly=NO ReqResv=NO MaxCPUsPerNode=UNLIMITED MaxMemPerCPU=500 MaxTime=UNLIMITED MinNodes=1 Nodes=c1,t2 State=UP
"""
SHARES = """\
NodeName=t1 CPUEfctv=14 CPUTot=16 CoreSpecCount=2 RealMemory=4000 MemSpecLimit=1000 State=IDLE Partitions=titan
NodeName=t2 CPUEfctv=16 CPUTot=16 RealMemory=4000 State=IDLE Partitions=titan,cpu Comment=MemSpecLimit=9000 CPUEfctv=1
NodeName=c1 CPUTot=64 RealMemory=8000 State=IDLE Partitions=cpu
"""


def test_who_may_use_a_partition_and_what_is_left_for_jobs(call):
    plain = call(partitions_text=ACCESS, nodes_text=SHARES)
    assert not [one for one in plain["partitions"] if "access" in one]
    assert not [one for one in plain["nodes"] if "job_cpus" in one or "job_memory_mb" in one]
    result = call(access=True, partitions_text=ACCESS, nodes_text=SHARES)
    assert [one["access"] for one in result["partitions"]] == [
        {
            "hidden": True,
            "root_only": True,
            "needs_reservation": True,
            "groups": ["staff", "games"],
            "accounts": None,
            "denied_accounts": [],
            "qos": None,
            "denied_qos": ["long"],
            "submit_hosts": ["login01"],
            "max_cpus": 12,
            "max_memory_mb": 3000,
        },
        {
            "hidden": False,
            "root_only": False,
            "needs_reservation": False,
            "groups": None,
            "accounts": None,
            "denied_accounts": ["physics"],
            "qos": ["short", "debug"],
            "denied_qos": [],
            "submit_hosts": None,
            "max_cpus": None,
            # The cluster's own.
            "max_memory_mb": 7000,
        },
    ]
    assert [(one["name"], one["job_cpus"], one["job_memory_mb"]) for one in result["nodes"]] == [
        ("t1", 14, 3000),
        ("t2", 16, 4000),
        ("c1", 64, 8000),
    ]


def test_check_mode_is_the_same(call):
    assert call(check_mode=True) == call()


@pytest.mark.parametrize(
    ("options", "partitions", "nodes"),
    [
        ({"partitions": ["cpu"]}, ["cpu"], ["t2", "c1"]),
        ({"nodes": ["t[1-2]"]}, ["titan", "cpu"], ["t1", "t2"]),
        ({"partitions": ["titan"], "nodes": ["t2", "c1"]}, ["titan"], ["t2"]),
        ({"nodes": []}, ["titan", "cpu"], []),
    ],
)
def test_what_is_asked_for(call, options, partitions, nodes):
    result = call(**options)
    assert [partition["name"] for partition in result["partitions"]] == partitions
    assert [node["name"] for node in result["nodes"]] == nodes
    assert sum(gres["count"] for gres in result["gres"]) == sum({"t1": 2, "t2": 3}.get(name, 0) for name in nodes)


@pytest.mark.parametrize(
    ("storage", "kept"),
    [("accounting_storage/none", "none"), ("(null)", "none"), ("accounting_storage/filetxt", "filetxt")],
)
def test_where_slurm_keeps_account(call, storage, kept):
    assert call(storage)["accounting"] == kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partitions": ["tesla"]}, "expected partitions to be among those that Slurm knows: cpu,titan; found tesla"),
        ({"nodes": ["t[2-3]"]}, "expected nodes to be among those that Slurm knows: c1,t[1-2]; found t3"),
        ({"nodes": ["t[2"]}, "expected a list of nodes as Slurm writes it"),
        ({"bin_dir": "bin"}, "expected bin_dir to be an absolute path"),
        ({"bin_dir": "/nowhere"}, "expected Slurm's command scontrol in /nowhere; found none there"),
    ],
)
def test_what_is_refused(call, options, message):
    result = call(**options)
    assert result["failed"] and message in result["msg"]


def test_a_controller_that_is_away(tmp_path, call, capsys, monkeypatch, no_controller):
    monkeypatch.setenv("SLURM_CONF", str(no_controller))
    with patch_module_args({}):
        with pytest.raises(SystemExit):
            slurm_info.main()
    result = json.loads(capsys.readouterr().out)
    assert (
        result["expected"] == "an answer from Slurm"
        and result["remedy"] == "check that the controller runs: scontrol ping"
    )


@pytest.mark.parametrize(("private", "words"), [("none", ""), ("jobs,nodes", "PrivateData")])
def test_a_cluster_without_nodes_is_warned_of(call, monkeypatch, private, words):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "NODES", "No nodes in the system\n")
    monkeypatch.setattr(module, "CONFIG", CONFIG + "PrivateData = %s\n" % private)
    result = call()
    assert result["nodes"] == [] and "Slurm shows this user no nodes" in str(result["warnings"])
    assert ("PrivateData" in str(result["warnings"])) is bool(words)


def test_nodes_that_a_user_may_not_see_are_no_error(call, tmp_path, monkeypatch, capsys):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "CONFIG", CONFIG + "PrivateData = nodes\n")
    call()
    # As of 22.05 to an ordinary user, with exit status 1.
    (tmp_path / "scontrol").write_text(
        '#!/bin/sh\nfor what in "$@"; do :; done\nif [ $what = node ]; then\n'
        'echo "slurm_load_node error: Access/permission denied" >&2; exit 1; fi\ncat "%s/$what"\n' % tmp_path
    )
    with patch_module_args({"bin_dir": str(tmp_path)}), pytest.raises(SystemExit):
        slurm_info.main()
    result = json.loads(capsys.readouterr().out)
    assert result["nodes"] == [] and "its PrivateData hides them" in str(result["warnings"])
    assert [one["name"] for one in result["partitions"]] == ["titan", "cpu"]


def test_nodes_of_a_partition_that_slurm_hides_are_named(call, monkeypatch):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "PARTITIONS", PARTITIONS.replace("Nodes=c1,t2", "Nodes=c1,t2,cloud[1-30]"))
    result = call()
    assert "shows nothing of these nodes of its partitions: cloud[1-30];" in str(result["warnings"])
    assert result["partitions"][1]["node_count"] == 32


def test_a_cluster_with_nodes_brings_no_warning(call):
    assert "warnings" not in call()
