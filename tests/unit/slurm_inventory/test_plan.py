# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cluster to hosts, groups and variables."""

from __future__ import annotations

import pytest
from ansible.plugins.inventory import to_safe_group_name
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import parse_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import parse_gres
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.plan import (
    Settings,
    gpu_variables,
    make_plan,
)

CONFIG = "ClusterName = campus\nSLURM_VERSION = 22.05.8\n"
PARTITIONS = """\
PartitionName=titan Default=YES MaxTime=01:00:00 Nodes=t[1-2] State=UP
PartitionName=cpu-long Default=NO MaxTime=UNLIMITED Nodes=c1,t2 State=UP
PartitionName=empty Default=NO MaxTime=UNLIMITED Nodes=(null) State=UP
"""
NODES = """\
NodeName=t1 CPUTot=16 ActiveFeatures=ib,avx-512 Gres=gpu:titan:2(S:0-1) NodeAddr=10.0.0.1 NodeHostName=t1.local\
 RealMemory=4000 State=MIXED Partitions=titan
NodeName=t2 CPUTot=16 ActiveFeatures=(null) Gres=gpu:2 NodeAddr=10.0.0.2 NodeHostName=t2.local\
 RealMemory=4000 State=IDLE+DRAIN Partitions=titan,cpu-long  Reason=fan [root@2026-01-01T00:00:00]
NodeName=c1 CPUTot=64 ActiveFeatures=ib Gres=(null) NodeAddr=c1 NodeHostName=c1
 RealMemory=8000 State=DOWN* Partitions=cpu-long
NodeName=x1 CPUTot=1 ActiveFeatures=ib Gres=(null) NodeAddr=x1 NodeHostName=x1 RealMemory=1 State=IDLE
"""


def plan(nodes=NODES, partitions=PARTITIONS, **settings):
    return make_plan(parse_cluster(CONFIG, partitions, nodes), Settings(**settings), to_safe_group_name)


def test_groups_and_who_is_in_them():
    made = plan(login=["login01"])
    assert made.members == {
        "login": ["login01"],
        "compute": ["x1"],
        "titan": ["t1", "t2"],
        "cpu_long": ["t2", "c1"],
        "gres_gpu_titan": ["t1"],
        "gres_gpu": ["t2"],
        "feature_ib": ["t1", "c1", "x1"],
        "feature_avx_512": ["t1"],
        "state_mixed": ["t1"],
        "state_idle": ["t2", "x1"],
        "state_drain": ["t2"],
        "state_down": ["c1"],
        "state_not_responding": ["c1"],
    }
    above = {group: parent for group, parent in made.groups.items() if parent}
    assert above == {"titan": "compute", "cpu_long": "compute", "empty": "compute", "gres_gpu_titan": "gres_gpu"}
    # A group stands behind the one above it, so that it can be put there.
    order = list(made.groups)
    assert all(order.index(parent) < order.index(group) for group, parent in above.items())
    assert made.group_variables == {"compute": {"slurm_cluster": "campus", "slurm_version": "22.05.8"}}


def test_variables_of_a_node():
    assert plan().variables["t2"] == {
        "slurm_node": "t2",
        "slurm_state": "idle",
        "slurm_flags": ["drain"],
        "slurm_cpus": 16,
        "slurm_memory_mb": 4000,
        "slurm_gres": [{"name": "gpu", "type": None, "count": 2}],
        "slurm_features": [],
        "slurm_partitions": ["titan", "cpu-long"],
        "slurm_reason": "fan [root@2026-01-01T00:00:00]",
        "slurm_address": "10.0.0.2",
        "slurm_hostname": "t2.local",
        "hpc_gpu_count": 2,
    }


@pytest.mark.parametrize(("connect_to", "host"), [("name", None), ("hostname", "t1.local"), ("address", "10.0.0.1")])
def test_what_a_node_is_reached_by(connect_to, host):
    assert plan(connect_to=connect_to).variables["t1"].get("ansible_host") == host


@pytest.mark.parametrize(
    ("states", "left"), [(["down"], ["t1", "t2", "x1"]), (["DRAIN", "not_responding"], ["t1", "x1"])]
)
def test_states_that_are_left_out(states, left):
    assert list(plan(exclude_states=states).variables) == left


def test_kinds_of_groups_and_their_names():
    made = plan(
        group_by=["partition", "state"],
        prefixes={"partition": "part", "state": ""},
        separator="__",
        compute_group="nodes",
    )
    states = ["mixed", "idle", "drain", "down", "not_responding"]
    assert list(made.groups) == ["nodes", "part__titan", "part__cpu_long", "part__empty", *states]
    assert made.groups["part__titan"] == "nodes"
    assert plan(group_by=[]).members == {"compute": ["t1", "t2", "c1", "x1"]}


@pytest.mark.parametrize("name", ["all", "ungrouped", "login", "compute", "t1", "login01"])
def test_a_partition_that_is_called_as_something_else(name):
    made = plan(
        "NodeName=t1 State=IDLE Partitions=%s" % name, "PartitionName=%s Nodes=t1 State=UP" % name, login=["login01"]
    )
    assert made.renamed == {name: "partition_" + name}
    assert made.members["partition_" + name] == ["t1"]
    assert name not in made.groups or name in ("login", "compute")


def test_a_name_that_is_taken_twice_is_still_a_group_of_its_own():
    made = plan(
        "NodeName=t1 State=IDLE Partitions=t1\nNodeName=partition_t1 State=IDLE Partitions=t1",
        "PartitionName=t1 Nodes=t1,partition_t1 State=UP",
    )
    assert made.renamed == {"t1": "partition_t1_group"}
    assert made.members["partition_t1_group"] == ["t1", "partition_t1"]


def test_names_that_are_one_as_groups():
    partitions = (
        "PartitionName=gpu-a Nodes=t1 State=UP\nPartitionName=gpu.a Nodes=t1 State=UP\nPartitionName=b Nodes=t1"
        " State=UP"
    )
    made = plan("NodeName=t1 State=IDLE ActiveFeatures=x Partitions=gpu-a,gpu.a,b", partitions)
    assert made.members["gpu_a"] == ["t1"]
    assert made.shared == {"gpu_a": ["partition gpu-a", "partition gpu.a"]}
    assert plan().shared == {}


def test_a_login_host_that_takes_jobs():
    made = plan(login=["t1"])
    assert made.members["login"] == ["t1"] and "t1" in made.members["titan"]
    assert made.variables["t1"]["slurm_cpus"] == 16


@pytest.mark.parametrize(
    ("gres", "variables"),
    [
        ("(null)", {"hpc_gpu_count": 0}),
        ("gpu:4", {"hpc_gpu_count": 4}),
        ("gpu:a100:4,shard:a100:32", {"hpc_gpu_count": 4, "hpc_gpu_type": "a100"}),
        ("gpu:a100:2,gpu:v100:1", {"hpc_gpu_count": 3, "hpc_gpu_type": ["a100", "v100"]}),
        ("gpu:titan:2", {"hpc_gpu_count": 2, "hpc_gpu_type": "titan-v"}),
        ("gpu:volta:2", {"hpc_gpu_count": 2}),
        # Nobody can know these, and a GPU that is not known may be of any type.
        ("gpu:ampere:2", {"hpc_gpu_count": 2}),
        ("gpu:a100:2,gpu:fast:1", {"hpc_gpu_count": 3}),
        ("gpu:a100:2,gpu:1", {"hpc_gpu_count": 3}),
        ("gpu:mi250:8", {"hpc_gpu_count": 8, "hpc_gpu_type": "mi250"}),
        ("gpu:a100_10gb:8", {}),
        ("gpu:h100-47:4", {}),
        ("gpu:small:8", {}),
        ("gpu:1g.5gb:7", {}),
        ("gpu:nvidia_a100_3g.20gb:2,gpu:a100:1", {}),
    ],
)
def test_what_the_roles_go_by(gres, variables):
    names = {"titan": "titan-v", "volta": "", "small": "a100_1g.5gb"}
    assert gpu_variables(parse_gres(gres), names) == variables


def test_types_that_say_nothing_are_named_once():
    nodes = NODES.replace("Gres=gpu:2", "Gres=gpu:fast:2,shard:fast:8").replace(
        "Gres=(null)", "Gres=gpu:fast:1,gpu:big:1"
    )
    assert plan(nodes).unknown_gpus == ["fast", "big"]
    assert plan(nodes, gpu_types={"fast": "h100"}).unknown_gpus == ["big"]
    assert plan(nodes, gpu_variables=False).unknown_gpus == []
    assert plan(NODES.replace("titan:2", "1g.5gb:7")).unknown_gpus == []


def test_the_roles_variables_can_be_left_to_the_site():
    assert not [
        name
        for variables in plan(gpu_variables=False).variables.values()
        for name in variables
        if name.startswith("hpc_")
    ]
