# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters from what scontrol of many releases printed; data/README.md says where that is from."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import (
    ClusterNode,
    Gres,
    Partition,
    parse_cluster,
    parse_version,
    show_version,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.pairs import parse_pairs
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.texts import split

DATA = pathlib.Path(__file__).parents[1] / "data"


def recorded(release):
    return parse_cluster(*split((DATA / ("%s.txt" % release)).read_text(encoding="utf-8")))


NODES = {
    "16.05": [
        ClusterNode("mover1", "idle", (), 24, 96672, (), (), ("copy",), "", "mover1", "mover1"),
        ClusterNode(
            "mover2",
            "down",
            ("not_responding", "drain"),
            24,
            1,
            (),
            (),
            ("copy",),
            "Not responding [root@2017-06-29T08:00:07]",
            "mover2",
            "mover2",
        ),
        ClusterNode(
            "big1",
            "down",
            ("not_responding",),
            32,
            515747,
            (),
            (),
            ("highmem",),
            "NHC:  [root@2017-08-07T11:01:52]",
            "big1",
            "big1",
        ),
        ClusterNode("r1n03", "allocated", (), 32, 128246, (), (), ("batch", "cpu", "test"), "", "r1n03", "r1n03"),
    ],
    "17.11": [
        ClusterNode(
            "grape-01",
            "allocated",
            (),
            16,
            257860,
            (Gres("gpu", "m60", 8),),
            ("grape",),
            ("short", "killable"),
            "",
            "grape-01",
            "grape-01",
        ),
        ClusterNode(
            "plum-04",
            "idle",
            ("drain",),
            48,
            257855,
            (),
            ("plum",),
            ("short", "medium", "long", "killable"),
            "memory issues? [root@2019-01-29T10:42:12]",
            "plum-04",
            "plum-04",
        ),
    ],
    "18.08": [
        ClusterNode(
            "b01r2n18",
            "allocated",
            (),
            32,
            126530,
            (Gres("加速卡", "国产处理器", 4),),
            (),
            ("debug",),
            "",
            "b01r2n18",
            "b01r2n18",
        ),
        ClusterNode("node9", "allocated", ("cloud",), 16, 32000, (), (), ("debug",), "", "10.0.0.4", "vm20684000000"),
    ],
    "19.05": [
        ClusterNode(
            "cloud-0001", "mixed", ("cloud",), 60, 229376, (), ("HB60rs",), ("hb60rs",), "", "10.2.0.6", "cloud-0001"
        ),
        ClusterNode(
            "cherry",
            "idle",
            (),
            8,
            7907,
            (Gres("gpu", "quadro", 1), Gres("vmem", None, 2 * 2**30)),
            ("cherry",),
            ("short", "long", "debug", "other", "allowed", "deny"),
            "",
            "cherry",
            "cherry",
        ),
    ],
    "20.11": [],
    "21.08": [
        ClusterNode(
            "k2180",
            "idle",
            (),
            28,
            512000,
            (Gres("gpu", "k80", 7),),
            ("broadwell", "prod"),
            ("gpu", "multigpu", "reservation"),
            "",
            "k2180",
            "k2180",
        ),
        ClusterNode(
            "queue1-dy-compute-resource-1-10",
            "idle",
            ("cloud", "powered_down"),
            8,
            1,
            (),
            ("dynamic", "c5n.4xlarge", "compute-resource-1"),
            ("queue1",),
            "",
            "queue1-dy-compute-resource-1-10",
            "queue1-dy-compute-resource-1-10",
        ),
    ],
    "22.05": [
        ClusterNode(
            name, "idle", (), 16, 4000, (Gres("gpu", "titan", 2),), (), ("titan", "urgent", "scavenge"), "", name, name
        )
        for name in ("titan01", "titan02")
    ],
    "23.02": [
        ClusterNode(
            "mn1",
            "allocated",
            (),
            6,
            15800,
            (Gres("gpu", "GTX1660Super", 1), Gres("npu", "Ascend910", 4)),
            (),
            ("normal_master",),
            "",
            "mn1",
            "mn1",
        ),
        ClusterNode(
            "ip-10-1-2-95",
            "down",
            ("cloud", "fail", "not_responding"),
            192,
            2097152,
            (),
            (),
            ("dev",),
            "Action:Replace : Not responding [slurm@2024-02-21T01:53:15]",
            "10.1.2.95",
            "ip-10-1-2-95",
        ),
    ],
    "24.05": [
        ClusterNode(
            "i8-dy-r6gb64-1",
            "idle",
            ("cloud", "powered_down"),
            8,
            62259,
            (),
            ("dynamic", "r6i.2xlarge", "r6gb64"),
            ("i8",),
            "Scheduler health check failed [root@2026-01-23T14:13:13]",
            "i8-dy-r6gb64-1",
            "i8-dy-r6gb64-1",
        ),
        ClusterNode(
            "worker-0",
            "idle",
            ("dynamic_norm",),
            10,
            15708,
            (Gres("gpu", "nvidia_geforce_rtx_2080_ti", 1),),
            (),
            ("main",),
            "",
            "10.0.83.7",
            "worker-0",
        ),
    ],
    "25.05": [
        ClusterNode(
            "server2",
            "idle",
            (),
            96,
            515711,
            (Gres("gpu", "nvidia_l40s", 2),),
            (),
            ("cpu", "memory", "gpu"),
            "",
            "server2",
            "server2",
        ),
        ClusterNode(
            "server5",
            "idle",
            ("drain",),
            8,
            15988,
            (),
            (),
            ("cpu", "memory"),
            "维护中 [root@2025-09-23T09:46:15]",
            "server5",
            "server5",
        ),
    ],
    "25.11": [
        ClusterNode("c1", "idle", ("dynamic_norm",), 12, 7837, (), ("cpu",), ("cpu",), "", "172.20.0.7", "c1"),
        ClusterNode("c2", "idle", ("dynamic_norm",), 12, 7837, (), ("cpu",), ("cpu",), "", "172.20.0.5", "c2"),
    ],
}
PARTITIONS = {
    "20.11": [Partition("mypart", True, "up", 4320, 60, 0, None, ("node1", "node2"))],
    "22.05": [
        Partition("titan", True, "up", 60, None, 0, None, ("titan01", "titan02")),
        Partition("urgent", False, "up", 60, None, 0, None, ("titan01", "titan02")),
        Partition("scavenge", False, "up", 60, None, 0, None, ("titan01", "titan02")),
    ],
    "23.02": [Partition("normal_master", True, "up", 7200, 7200, 0, 3, ("mn1",))],
    "25.05": [Partition("memory", True, "up", None, None, 0, None, ("server2", "server3"))],
    "25.11": [
        Partition("cpu", True, "up", None, None, 0, None, ("c1", "c2")),
        Partition("gpu", False, "up", None, None, 0, None, ()),
    ],
}


def test_every_recorded_text_is_tested():
    assert set(NODES) == {path.stem for path in DATA.glob("*.txt")}


@pytest.mark.parametrize("release", NODES)
def test_a_recorded_cluster(release):
    cluster = recorded(release)
    assert list(cluster.nodes.values()) == NODES[release]
    assert list(cluster.partitions.values()) == PARTITIONS.get(release, [])
    assert list(cluster.nodes) == [node.name for node in NODES[release]]


def test_its_name_and_release():
    assert (recorded("20.11").name, recorded("20.11").version) == ("mycluster", (20, 11, 6))
    assert (recorded("22.05").name, recorded("22.05").version) == ("campus", (22, 5, 8))
    assert (recorded("25.11").name, recorded("25.11").version) == ("linux", (25, 11, 4))
    assert parse_version("21.08.8-2") == (21, 8, 8)
    assert parse_version("23.11.0-0rc1") == (23, 11, 0)
    assert parse_version("") == ()
    assert [show_version(version) for version in ((21, 8, 8), (25, 11, 4), (2, 6, 5), ())] == [
        "21.08.8",
        "25.11.4",
        "2.6.5",
        "",
    ]


def node(line):
    return parse_cluster("", "", line).nodes["n1"]


def test_what_people_write_takes_no_fields_place():
    line = (
        "NodeName=n1 CPUTot=4 Gres=gpu:2 State=IDLE+DRAIN Partitions=a  Reason=was State=IDLE Gres=gpu:9"
        " [eve@2026-01-01T00:00:00]"
        " Comment=Partitions=z State=DOWN"
    )
    found = node(line)
    assert (found.state, found.flags, found.partitions, found.gres) == (
        "idle",
        ("drain",),
        ("a",),
        (Gres("gpu", None, 2),),
    )
    assert found.reason == "was State=IDLE Gres=gpu:9 [eve@2026-01-01T00:00:00]"
    # The general reader would be taken in.
    assert parse_pairs(line)["State"] == "DOWN"


def test_a_reason_without_a_signature():
    assert node("NodeName=n1 State=DOWN Reason=no power Comment=x").reason == "no power"
    assert node("NodeName=n1 State=IDLE Reason=(null)").reason == ""


def test_features_are_those_a_node_has_now():
    assert node("NodeName=n1 AvailableFeatures=mig,whole ActiveFeatures=whole State=IDLE").features == ("whole",)
    assert node("NodeName=n1 Features=ib State=IDLE").features == ("ib",)
    assert node("NodeName=n1 AvailableFeatures=shape=A,ad=1 State=IDLE").features == ("shape=A", "ad=1")


def test_nodes_that_do_not_say_their_partitions_are_told_by_those():
    partitions = "PartitionName=a Nodes=n[1-2] MaxTime=UNLIMITED State=UP\nPartitionName=b Nodes=n1 State=DOWN"
    cluster = parse_cluster("", partitions, "NodeName=n1 State=IDLE\nNodeName=n2 State=IDLE\nNodeName=n3 State=IDLE")
    assert [found.partitions for found in cluster.nodes.values()] == [("a", "b"), ("a",), ()]


def test_nothing():
    cluster = parse_cluster("", "", "No nodes in the system\n")
    assert (cluster.name, cluster.version, cluster.nodes, cluster.partitions) == ("", (), {}, {})
