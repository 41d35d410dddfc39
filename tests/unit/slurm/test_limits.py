# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that the cluster cannot run is refused before it is submitted."""

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm import client
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import (
    Cluster,
    ClusterNode,
    Gres,
    Partition,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import options
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import limits
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script


def node(name, *gres, cpus=32, memory=256000):
    return ClusterNode(name, "idle", (), cpus, memory, gres, (), (), "", name)


def partition(name, *nodes, default=False, max_minutes=None, min_nodes=0, max_nodes=None):
    return Partition(name, default, "up", max_minutes, None, min_nodes, max_nodes, nodes)


NODES = [
    node("t1", Gres("gpu", "titan", 4)),
    node("t2", Gres("gpu", "titan", 4)),
    node("t3", Gres("gpu", "titan", 2)),
    node("a1", Gres("gpu", "a100", 8), Gres("nvme", None, 100), cpus=128),
    node("c1", memory=1),
]
CLUSTER = Cluster(
    "campus",
    (22, 5, 8),
    {
        "titan": partition("titan", "t1", "t2", "t3", default=True, max_minutes=24 * 60),
        "a100": partition("a100", "a1", max_minutes=90, max_nodes=1),
        "cpu": partition("cpu", "c1"),
        "big": partition("big", "t1", "t2", "t3", min_nodes=2),
        "cloud": partition("cloud"),
        "half": partition("half", "t3", "hidden1", "hidden2", max_minutes=90),
    },
    {one.name: one for one in NODES},
)


def violations_of(**params):
    return limits.violations(options.collect(params), CLUSTER)


def test_nodes_that_slurm_hides_may_have_anything():
    assert violations_of(partition="half", gpus_per_node="8", nodes="3", mem="900G", cpus_per_task=200) == []
    assert [error.expected for error in violations_of(partition="half", nodes="4", time="2:00:00")] == [
        "time to be at most 01:30:00 in partition half",
        "nodes to be at most 3 nodes in partition half",
    ]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"gres": "gpu:4", "nodes": "2"},
        {"gres": "gpu:titan:2", "nodes": "3"},
        {"gpus_per_node": "4", "nodes": "2"},
        {"gpus": "10"},
        {"gpus": "titan:8", "nodes": "2"},
        {"gpus_per_task": "2", "ntasks_per_node": 2},
        {"time": "1-00:00:00"},
        {"partition": "a100", "gres": "gpu:8,nvme:100", "time": "90"},
        {"partition": "a100,titan", "time": "5:00:00"},
        {"partition": "titan,a100", "gres": "gpu:8"},
        {"partition": "cpu", "mem": "500G", "time": "30-0"},
        {"partition": "cloud", "gres": "gpu:8", "nodes": "7"},
        {"partition": "elsewhere", "clusters": "other"},
        {"mem": "250G", "cpus_per_task": 32},
    ],
)
def test_what_some_partition_can_run_passes(params):
    assert violations_of(**params) == []


@pytest.mark.parametrize(
    "params,expected,found",
    [
        ({"partition": "gold"}, "titan, a100, cpu, big, cloud", "gold"),
        ({"partition": "titan,gold"}, "titan, a100", "gold"),
        ({"gres": "gpu:8"}, "2 nodes with gpu:titan:4, 1 node with gpu:titan:2", "gpu:8"),
        ({"gres": "gpu:4", "nodes": "3"}, "gpu:titan:4", "on each of 3 nodes"),
        ({"gres": "gpu:v100:1"}, "titan", "gpu:v100:1"),
        ({"gpus_per_node": "a100:1"}, "titan", "gpu:a100:1"),
        ({"gpus": "11"}, "titan", "gpu:11 in the whole job"),
        ({"gpus": "9", "nodes": "2"}, "titan", "gpu:9"),
        ({"gpus_per_task": "2", "ntasks_per_node": 4}, "titan", "gpu:8"),
        ({"gres": "nvme:1"}, "no nvme", "nvme:1"),
        ({"partition": "a100", "gres": "gpu:1,nvme:101"}, "nvme:100", "nvme:101"),
        ({"partition": "cpu", "gres": "gpu:1"}, "no gpu", "gpu:1"),
        ({"nodes": "4"}, "at most 3 nodes in partition titan", "nodes: 4"),
        ({"partition": "a100", "nodes": "2"}, "at most 1 node in", "nodes: 2"),
        ({"partition": "big", "nodes": "1"}, "at least 2", "nodes: 1"),
        ({"time": "1-00:00:01"}, "at most 1-00:00:00", "1-00:00:01"),
        ({"time": "UNLIMITED"}, "1-00:00:00", "UNLIMITED"),
        ({"partition": "a100", "time": "91"}, "01:30:00", "91"),
        ({"partition": "a100,cpu", "time": "2:00:00", "gres": "gpu:1"}, "a100", "2:00:00"),
        ({"cpus_per_task": 33}, "32 CPUs", "33"),
        ({"cpus_per_task": 8, "ntasks_per_node": 5}, "32 CPUs", "40"),
        ({"mem": "300G"}, "256000M", "300G"),
    ],
)
def test_what_none_can_run_is_refused_with_what_it_has(params, expected, found):
    error = violations_of(**params)[0]
    assert expected in error.expected and found in error.found and error.remedy


SCONTROL = """#!/bin/sh
echo "$@" >> "$0.calls"
case "$*" in
"show config") printf 'Configuration data as of now\\nClusterName = campus\\nSLURM_VERSION = %s\\n' ;;
*partition) echo 'PartitionName=titan Default=YES MaxNodes=UNLIMITED MaxTime=1-00:00:00 MinNodes=0 Nodes=t1 State=UP' ;;
*node) echo 'NodeName=t1 CPUTot=32 Gres=gpu:titan:4 NodeAddr=t1 RealMemory=256000 State=IDLE Partitions=titan' ;;
esac
"""


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run the module with a stand-in for scontrol alone on PATH: its text, or None for no scontrol at all."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "bash").symlink_to("/bin/bash")
    monkeypatch.setenv("PATH", str(tools))

    def run(scontrol, **arguments):
        if scontrol:
            (tools / "scontrol").write_text(scontrol)
            (tools / "scontrol").chmod(0o755)
        with patch_module_args(
            dict({"dest": str(tmp_path / "job.sh"), "command": "true", "mem": "1G", "time": "10"}, **arguments)
        ):
            with pytest.raises(SystemExit):
                sbatch_script.main()
        return json.loads(capsys.readouterr().out)

    run.calls = tools / "scontrol.calls"
    return run


def test_the_module_asks_slurm_and_writes_nothing_that_it_cannot_run(call, tmp_path):
    refused = call(SCONTROL % "22.05.8", gres="gpu:8")
    assert refused["failed"] and "gpu:titan:4" in refused["expected"] and not os.path.exists(tmp_path / "job.sh")
    assert "failed" not in call(SCONTROL % "22.05.8", gres="gpu:4")
    call.calls.unlink()
    assert "failed" not in call(SCONTROL % "22.05.8", gres="gpu:8", check_cluster=False)
    assert not call.calls.exists()


def test_the_version_that_slurm_has_decides_how_gpus_are_asked_for(call):
    assert call(SCONTROL % "18.08.9", gpus_per_node="titan:2")["directives"]["gres"] == "gpu:titan:2"
    assert call(SCONTROL % "22.05.8", gpus_per_node="titan:2")["directives"]["gpus-per-node"] == "titan:2"


@pytest.mark.parametrize(
    "scontrol", [None, "#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n", "no program"]
)
def test_where_no_slurm_answers_auto_goes_on_and_true_does_not(call, scontrol):
    assert call(scontrol, gres="gpu:8")["changed"]
    refused = call(scontrol, gres="gpu:8", check_cluster=True)
    assert refused["failed"] and "check_cluster" in refused["expected"]


def test_a_slurm_that_hangs_is_given_up(call, monkeypatch):
    monkeypatch.setattr(client, "_SECONDS_OPTIONAL", 0.2)
    assert call("#!/bin/sh\nexec /bin/sleep 60\n", gres="gpu:8")["changed"]
