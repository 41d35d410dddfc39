# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module over stand-ins for Slurm's commands; what runs on a "node" is the real bundle with a real Python."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet import collect
from ansible_collections.hpc.pytorch.plugins.modules import slurm_torch_info

HERE = pathlib.Path(__file__).parent
COMMANDS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue")


class Cluster:
    """The stand-in's state."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.shared = folder / "shared"
        for path in (self.bin, self.shared):
            path.mkdir(parents=True)
        for name in COMMANDS:
            program = "#!%s -IS\n%s" % (sys.executable, (HERE / "stub_slurm.py").read_text(encoding="utf-8"))
            (self.bin / name).write_text(program, encoding="utf-8")
            (self.bin / name).chmod(0o755)

    def be(self, nodes, **settings):
        (self.folder / "cluster").write_text(json.dumps(dict(settings, nodes=nodes)))

    @property
    def submitted(self):
        path = self.folder / "submitted"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def tasks(self):
        jobs = json.loads((self.folder / "jobs").read_text())
        return [task for job in jobs.values() for task in job["tasks"].values()]

    def is_clean(self):
        """Nothing left: every task was cancelled or had ended, and the folder is gone."""
        return all(task.get("cancelled") for task in self.tasks) and os.listdir(self.shared) == []


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    made = Cluster(tmp_path / "cluster")
    monkeypatch.setenv("STUB_SLURM", str(made.folder))
    return made


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The python of an environment without a torch."""
    prefix = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    return str(prefix / "bin" / "python")


@pytest.fixture
def call(cluster, monkeypatch, capsys, python):
    """Run the module for these nodes, with a clock that advances by fifty seconds with each call."""

    def run(nodes, check_mode=False, user=1000, **options):
        clock = itertools.count(0, 50)
        monkeypatch.setattr(collect.time, "monotonic", lambda: float(next(clock)))
        monkeypatch.setattr(collect, "_PAUSES", (0.0,))
        monkeypatch.setattr(os, "geteuid", lambda: user)
        nodes = [dict({"python": python} if "prefix" not in node else {}, **node) for node in nodes]
        given = {"nodes": nodes, "work_dir": str(cluster.shared), "bin_dir": str(cluster.bin), "timeout": 60}
        with patch_module_args(dict(given, _ansible_check_mode=check_mode, **options)), pytest.raises(SystemExit):
            slurm_torch_info.main()
        return json.loads(capsys.readouterr().out)

    return run


def reason(returned, node):
    return returned["nodes"][node]["reasons"][0]


def test_each_node_answers_for_itself_in_one_array(cluster, call):
    cluster.be({"n1": {}, "n2": {}, "n3": {"state": "idle#"}})
    returned = call(
        [{"name": name, "partition": "gpu", "gres": "gpu:2"} for name in ("n1", "n2", "n3")], chunk=2, mem="8G"
    )
    assert {name: node["reasons"][0]["code"] for name, node in returned["nodes"].items()} == dict.fromkeys(
        ("n1", "n2", "n3"), "torch_missing"
    )
    assert {node["verdict"] for node in returned["nodes"].values()} == {"failed"} and not returned["changed"]
    (array,) = returned["arrays"]
    assert array["nodes"] == ["n1", "n2", "n3"]
    assert {"--array=0-2%2", "--hold", "--nodes=1", "--mem=8G", "--partition=gpu", "--gres=gpu:2", "--time=2"} <= set(
        array["command"]
    )
    assert [task["wanted"] for task in cluster.tasks] == ["n1", "n2", "n3"]
    assert cluster.is_clean()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("idle~", "not_checked: powered down; torch_check_slurm_powered_down: true starts it (Slurm reports idle~)"),
        ("idle%", "not_checked: powered down: it is on its way"),
        ("idle!", "not_checked: powered down: it will be when it is free"),
        ("mixed!", "not_checked: powered down: it will be when it is free"),
        ("powered_down", "not_checked: powered down;"),
        ("idle$", "not_checked: in a reservation for maintenance"),
    ],
)
def test_a_node_that_would_be_started_is_left_alone_unless_that_is_asked_for(cluster, call, state, words):
    cluster.be({"n1": {}, "n2": {"state": state}})
    nodes = [{"name": "n1"}, {"name": "n2"}]
    assert [array["nodes"] for array in call(nodes, check_mode=True)["arrays"]] == [["n1"]]
    returned = call(nodes)
    assert [array["nodes"] for array in returned["arrays"]] == [["n1"]]
    assert returned["nodes"]["n1"]["verdict"] == "failed"
    left = returned["nodes"]["n2"]
    assert left["verdict"] == "not_checked" and left["summary"].startswith(words) and left["reasons"] == []
    asked = {"reservation": "mending"} if state == "idle$" else {"powered_down": True}
    arrays = call(nodes, **asked)["arrays"]
    assert sorted(name for array in arrays for name in array["nodes"]) == ["n1", "n2"]


@pytest.mark.parametrize("state", ["idle#", "idle@", "idle^", "idle-", "mixed", "allocated"])
def test_a_node_that_is_up_or_starts_already_is_checked(cluster, call, state):
    cluster.be({"n1": {"state": state}})
    assert call([{"name": "n1"}])["nodes"]["n1"]["verdict"] == "failed"


def test_a_node_that_slurm_hides_is_left_alone_unless_that_is_asked_for(cluster, call):
    cluster.be({"n1": {}, "c1": {"hidden": True, "partitions": ["cloud"]}})
    nodes = [{"name": "n1"}, {"name": "c1"}, {"name": "other"}]
    assert [array["nodes"] for array in call(nodes, check_mode=True)["arrays"]] == [["n1"]]
    returned = call(nodes)
    left = returned["nodes"]["c1"]
    assert left["verdict"] == "not_checked" and "powered down, or hidden" in left["summary"] and left["reasons"] == []
    assert reason(returned, "other")["message"] == "no result from other: Slurm knows no node of this name"
    assert [array["nodes"] for array in returned["arrays"]] == [["n1"]]
    (here, there) = call(nodes, powered_down=True)["arrays"]
    assert here["nodes"] == ["n1"] and there["nodes"] == ["c1"] and "--partition=cloud" in there["command"]


@pytest.mark.parametrize(("suspend", "verdict"), [("(null)", "failed"), ("/opt/suspend", "not_checked")])
def test_a_cluster_that_hides_its_nodes_from_users_is_checked_where_none_can_be_powered_down(
    cluster, call, suspend, verdict
):
    cluster.be({"n1": {}, "n2": {}}, private=True, suspend=suspend)
    returned = call([{"name": "n1"}, {"name": "n2"}])
    assert [node["verdict"] for node in returned["nodes"].values()] == [verdict] * 2


def test_an_array_whose_answer_was_lost_is_found_by_its_mark(cluster, call):
    cluster.be({"n1": {}}, lost="Socket timed out on send/recv operation")
    returned = call([{"name": "n1"}])
    assert returned["nodes"]["n1"]["verdict"] == "failed" and returned["arrays"][0]["job_id"] == "1"
    assert len(cluster.submitted) == 1 and cluster.is_clean()


def test_an_array_of_which_nobody_knows_is_called_that(cluster, call):
    cluster.be({"n1": {}}, lost="Zero Bytes were transmitted or received", lost_for_good=True)
    returned = call([{"name": "n1"}])
    assert "it is unknown whether Slurm took a job for it" in reason(returned, "n1")["message"]
    assert reason(returned, "n1")["remedy"] == "check that the controller runs: scontrol ping"
    (mark,) = [word.partition("=")[2] for word in cluster.submitted[0] if word.startswith("--comment=")]
    assert mark in str(returned["warnings"]) and "squeue --user=$USER" in str(returned["warnings"])


def test_nodes_that_ask_for_different_things_are_in_different_arrays(cluster, call):
    cluster.be({"n1": {}, "n2": {"partitions": ["cpu"]}, "n3": {}})
    returned = call(
        [{"name": "n1", "gres": "gpu:2"}, {"name": "n2", "partition": "cpu"}, {"name": "n3", "gres": "gpu:2"}]
    )
    assert [array["nodes"] for array in returned["arrays"]] == [["n1", "n3"], ["n2"]]
    assert {node["verdict"] for node in returned["nodes"].values()} == {"failed"}


def test_a_node_is_reached_by_a_partition_that_it_is_in(cluster, call):
    cluster.be({"n1": {"partitions": ["cpu", "gpu*"]}, "n2": {"partitions": ["cpu", "all"]}})
    returned = call([{"name": "n1"}, {"name": "n2"}])
    assert [(array["nodes"], array["command"][-1]) for array in returned["arrays"]] == [
        (["n1"], "--partition=gpu"),
        (["n2"], "--partition=cpu"),
    ]


def test_an_array_is_never_larger_than_slurm_takes(cluster, call):
    cluster.be({"n%d" % number: {} for number in range(5)}, largest=2)
    returned = call([{"name": "n%d" % number} for number in range(5)])
    assert [len(array["nodes"]) for array in returned["arrays"]] == [2, 2, 1]


@pytest.mark.parametrize(
    "node, message",
    [
        ({"state": "drained", "reason": "bad fan | GPU 3"}, "Slurm reports drained: bad fan | GPU 3"),
        ({"state": "down*", "reason": "Not responding"}, "Slurm reports down*: Not responding"),
        ({"state": "idle*"}, "Slurm reports idle*"),
        ({"partitions": ["cpu", "all"]}, "Slurm has it in partition cpu, all, not in gpu"),
        ({"unbindable": True}, "its task 1_1 could not be bound to it: Invalid node name specified"),
        ({"becomes": "NODE_FAIL"}, "task 1_1 ended NODE_FAIL"),
        ({"becomes": "TIMEOUT"}, "task 1_1 ended TIMEOUT"),
        ({"becomes": "CANCELLED"}, "task 1_1 ended CANCELLED"),
        ({"becomes": "vanishes"}, "task 1_1 is not known to Slurm any more"),
        ({"becomes": "RUNNING"}, "task 1_1 is still RUNNING"),
        ({"becomes": "COMPLETING"}, "task 1_1 is still COMPLETING"),
        ({"becomes": "waits: JobHeldAdmin"}, "task 1_1 will never start: JobHeldAdmin"),
        ({"becomes": "waits: BadConstraints"}, "will never start: BadConstraints"),
        ({"becomes": "waits: Priority"}, "did not start within 600 s: Priority"),
        ({"lands_on": "other"}, "its task ran on other"),
    ],
)
def test_a_node_without_an_answer_is_a_result_and_holds_up_no_other(cluster, call, node, message):
    cluster.be({"n1": {}, "failed": node, "n2": {}})
    returned = call([{"name": name, "partition": "gpu"} for name in ("n1", "failed", "n2")])
    assert returned["nodes"]["failed"]["verdict"] == "unreachable"
    assert reason(returned, "failed")["code"] == "node_unreachable" and message in reason(returned, "failed")["message"]
    assert reason(returned, "failed")["remedy"]
    assert [reason(returned, name)["code"] for name in ("n1", "n2")] == ["torch_missing"] * 2
    assert cluster.is_clean()


def test_a_name_that_slurm_does_not_know(cluster, call):
    cluster.be({"n1": {}})
    assert "Slurm knows no node of this name" in reason(call([{"name": "n1"}, {"name": "n9"}]), "n9")["message"]


def test_a_busy_node_has_a_job_of_its_own(cluster, call):
    cluster.be({"n1": {}, "busy": {"state": "mixed", "becomes": "waits: Resources"}, "n2": {}})
    returned = call([{"name": name} for name in ("n1", "busy", "n2")])
    assert [array["nodes"] for array in returned["arrays"]] == [["n1", "n2"], ["busy"]]
    assert "did not start within 600 s: Resources" in reason(returned, "busy")["message"]


def test_a_node_that_is_taken_in_the_meantime_leaves_the_array(cluster, call):
    # Idle for sinfo: the others are in its array, and Slurm skips them all.
    cluster.be({"n1": {}, "taken": {"taken": True}, "n2": {}})
    returned = call([{"name": name} for name in ("n1", "taken", "n2")], wait=900)
    assert [reason(returned, name)["code"] for name in ("n1", "n2")] == ["torch_missing"] * 2
    assert "did not start within 900 s: Resources" in reason(returned, "taken")["message"]
    assert cluster.is_clean()


def test_what_slurm_does_not_take_is_a_result_of_those_nodes_alone(cluster, call):
    cluster.be({"n1": {}, "n2": {"partitions": ["other"]}}, refuse="--partition=other")
    returned = call([{"name": "n1"}, {"name": "n2", "partition": "other"}])
    assert (
        "Slurm took no job for it: sbatch: Batch job submission failed: Invalid account"
        in reason(returned, "n2")["message"]
    )
    assert reason(returned, "n1")["code"] == "torch_missing"


def test_an_environment_that_is_none_is_a_failure_of_the_check_and_not_of_the_node(cluster, call):
    cluster.be({"n1": {}})
    returned = call([{"name": "n1", "prefix": "/not/there"}])
    assert returned["nodes"]["n1"]["verdict"] == "failed"
    assert reason(returned, "n1")["code"] == "check_refused"
    assert "expected a python environment at /not/there; found No such file" in reason(returned, "n1")["message"]


def test_a_python_that_the_nodes_do_not_have(cluster, call):
    cluster.be({"n1": {}})
    message = reason(call([{"name": "n1"}], runner_python="/opt/nowhere/python3"), "n1")["message"]
    assert "ended FAILED (NonZeroExitCode); the end of its output: " in message and "/opt/nowhere/python3" in message


def test_what_a_job_prints_does_not_choose_the_remedy(cluster, call, tmp_path):
    """The output holds words of our own messages, which belong to other reasons."""
    fails = tmp_path / "python3"
    fails.write_text("#!/bin/sh\necho 'container runtime did not start, Slurm does not answer'\nexit 1\n")
    fails.chmod(0o755)
    cluster.be({"n1": {}})
    found = reason(call([{"name": "n1"}], runner_python=str(fails)), "n1")
    assert "the end of its output: container runtime did not start" in found["message"]
    assert found["remedy"].startswith("fix what the job's output reports")


def test_a_controller_that_goes_away(cluster, call):
    cluster.be({"n1": {}}, silent=True)
    returned = call([{"name": "n1"}])
    assert (
        "Slurm does not answer: squeue: slurm_load_jobs error: Unable to contact" in reason(returned, "n1")["message"]
    )
    assert cluster.is_clean()


def test_check_mode_submits_nothing_and_says_what_it_would(cluster, call):
    cluster.be({"n1": {}, "n2": {"state": "drained"}})
    returned = call([{"name": "n1"}, {"name": "n2"}], check_mode=True)
    assert {node["verdict"] for node in returned["nodes"].values()} == {"not_checked"}
    assert [(array["job_id"], array["nodes"]) for array in returned["arrays"]] == [(None, ["n1"])]
    assert returned["arrays"][0]["message"].startswith("Job 4 to start at")
    assert [arguments[0] for arguments in cluster.submitted] == ["--test-only"]
    assert os.listdir(cluster.shared) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"nodes": [{"name": "n1"}, {"name": "n1"}]}, "expected each node once; found n1 2 times"),
        ({"nodes": [{"name": "n1 Partition=other"}]}, "expected name to be a plain name"),
        ({"nodes": [{"name": "n[1-3]"}]}, "expected name to be a plain name"),
        ({"nodes": [{"name": ""}]}, "expected name to be a plain name"),
        ({"nodes": [{"name": "n1", "gres": "gpu:1 --uid=0"}]}, "expected gres to be a plain name"),
        (
            {"nodes": [{"name": "n1", "expect_cuda": True, "expect_devices": 0}]},
            "expect_cuda and expect_devices that agree",
        ),
        ({"nodes": [{"name": "n1", "prefix": "envs/torch"}]}, "expected prefix to be an absolute path"),
        ({"nodes": [{"name": "n1"}], "chunk": 0}, "expected chunk to be at least 1; found 0"),
        ({"nodes": [{"name": "n1"}], "user": 0}, "expected an ordinary user; found root"),
        ({"nodes": [{"name": "n1"}], "account": "-x"}, "expected account to be a plain name"),
    ],
)
def test_bad_arguments_are_one_clear_line(cluster, call, options, message):
    cluster.be({"n1": {}})
    returned = call(**options)
    assert returned["failed"] and message in returned["msg"] and "\n" not in returned["msg"]
    assert cluster.submitted == []


def test_no_folder_to_share(cluster, call):
    cluster.be({"n1": {}})
    shutil.rmtree(cluster.shared)
    returned = call([{"name": "n1"}])
    assert "expected a writable folder at %s" % cluster.shared in returned["msg"]
    assert cluster.submitted == []


def test_a_machine_without_slurm(cluster, call, tmp_path):
    assert (
        "expected Slurm's command sinfo in %s; found none there" % tmp_path
        in call([{"name": "n1"}], bin_dir=str(tmp_path))["msg"]
    )


@pytest.fixture
def waiting(cluster, python, tmp_path):
    """A run of its own that waits for a node that hangs, begun when this is given."""
    fifo = tmp_path / "polled"
    os.mkfifo(fifo)
    cluster.be({"n1": {"becomes": "RUNNING"}}, tell=str(fifo))
    program = textwrap.dedent(
        """
        import os, sys
        from ansible.module_utils.testing import patch_module_args
        from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
        _AnsibleCollectionFinder(paths=[sys.argv[2]])._install()
        from ansible_collections.hpc.pytorch.plugins.modules import slurm_torch_info
        os.geteuid = lambda: 1000
        with patch_module_args(%r):
            slurm_torch_info.main()
        """
    )
    options = {
        "nodes": [{"name": "n1", "python": python}],
        "work_dir": str(cluster.shared),
        "bin_dir": str(cluster.bin),
    }
    command = [sys.executable, "-c", program % options, "x", str(HERE.parents[3] / ".collections")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # Once to see that each task is bound, once to wait for it.
        for _poll in range(2):
            assert fifo.read_text() == "polled\n"
        # Later polls write to no reader, so they must not wait for one.
        cluster.be({"n1": {"becomes": "RUNNING"}})
        yield process
        if process.poll() is None:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing(cluster, waiting, number):
    assert not cluster.is_clean()
    waiting.send_signal(number)
    out, _err = waiting.communicate(timeout=60)
    assert "found an interruption (%s)" % number.name in json.loads(out)["msg"]
    assert cluster.is_clean()


def test_a_reader_that_has_gone_leaves_nothing(cluster, waiting):
    waiting.stdout.close()
    waiting.wait(timeout=60)
    assert cluster.is_clean()
