# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slurm's commands print, as Slurm 22.05 printed it."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.client import Slurm
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.command import run_command, slurm_environment
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.errors import SlurmError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.listing import (
    Node,
    Task,
    parse_nodes,
    parse_queue,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.pairs import parse_config, parse_pairs

SHOWN = (
    "JobId=8 ArrayJobId=7 ArrayTaskId=0 JobName=a b=c UserId=games(5) JobState=PENDING Reason=JobHeldUser"
    " Dependency=(null)"
    " MinCPUsNode=1 ReqB:S:C:T=0:0:*:* CPUs/Task=1 TRES=cpu=1,mem=100M,node=1 Comment=two words Power="
)


def test_a_line_of_pairs_whose_values_hold_spaces_and_signs():
    pairs = parse_pairs(SHOWN)
    assert (pairs["JobId"], pairs["JobName"], pairs["Comment"], pairs["Power"]) == ("8", "a b=c", "two words", "")
    assert (pairs["TRES"], pairs["ReqB:S:C:T"], pairs["CPUs/Task"]) == ("cpu=1,mem=100M,node=1", "0:0:*:*", "1")


def test_the_queue():
    text = (
        "8|7|0|RUNNING|t1|t1|None\n7|7|1|PENDING|||ReqNodeNotAvail, UnavailableNodes:t2\n"
        "7|7|2-9%2|PENDING|||Resources\n9|9|N/A|COMPLETED|c1||a|b\nx\n"
    )
    assert parse_queue(text) == [
        Task("7", 0, "RUNNING", "None", "t1", "t1"),
        Task("7", 1, "PENDING", "ReqNodeNotAvail, UnavailableNodes:t2", "", ""),
        Task("7", None, "PENDING", "Resources", "", ""),
        Task("9", None, "COMPLETED", "a|b", "c1", ""),
    ]


def test_nodes_stand_once_for_each_partition():
    text = "c1|idle|cpu|none\nc1|idle|all*|none\nt1|drained*|titan|fan | psu\n"
    assert parse_nodes(text) == {
        "c1": Node("idle", "", ("all", "cpu")),
        "t1": Node("drained*", "fan | psu", ("titan",)),
    }


def test_the_controllers_settings():
    assert parse_config("Configuration data as of now\nMaxArraySize            = 1001\nA = b = c\n") == {
        "MaxArraySize": "1001",
        "A": "b = c",
    }


def test_what_would_change_a_submission_is_not_handed_on():
    given = {
        "SBATCH_WAIT": "1",
        "SBATCH_ACCOUNT": "a",
        "SQUEUE_FORMAT": "%i",
        "SLURM_CONF": "/c",
        "LC_ALL": "de_DE",
        "PATH": "/bin",
    }
    assert slurm_environment(given) == {
        "SBATCH_ACCOUNT": "a",
        "SLURM_CONF": "/c",
        "LC_ALL": "C.UTF-8",
        "PATH": "/bin",
    }


@pytest.fixture
def says(tmp_path):
    """A command of Slurm's that says this, on standard error, and fails."""

    def make(name, text, status=1):
        (tmp_path / name).write_text("#!/bin/sh\ncat >/dev/null\necho '%s' >&2\nexit %d\n" % (text, status))
        (tmp_path / name).chmod(0o755)
        return Slurm(str(tmp_path))

    return make


def test_a_refusal_in_slurms_words(says):
    with pytest.raises(SlurmError, match="^sbatch: invalid partition specified: nope$"):
        says("sbatch", "sbatch: error: invalid partition specified: nope").submit([], "#!/bin/sh\n")


def test_a_job_that_slurm_has_forgotten_is_no_error(says):
    assert says("squeue", "slurm_load_jobs error: Invalid job id specified").queue(["7"]) == []
    with pytest.raises(SlurmError, match="Unable to contact"):
        says("squeue", "slurm_load_jobs error: Unable to contact slurm controller").queue(["7"])


def test_a_command_that_does_not_answer_is_given_up(tmp_path):
    (tmp_path / "sinfo").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "sinfo").chmod(0o755)
    with pytest.raises(SlurmError, match="sinfo did not answer within"):
        Slurm(str(tmp_path), seconds=0.01).nodes()


def test_a_federations_cluster_and_the_controllers_are_two_things(tmp_path):
    """The name of a cluster that jobs are asked for does not stand in the way of reading the controller's."""
    answers = (
        '*config) echo "ClusterName = here";; *partition) echo "PartitionName=gpu Nodes=n1";; '
        '*node) echo "NodeName=n1 State=IDLE CPUTot=2";;'
    )
    text = '#!/bin/sh\ncat >/dev/null\necho "$*" >> %s/asked\ncase "$*" in %s esac\n' % (tmp_path, answers)
    (tmp_path / "scontrol").write_text(text)
    (tmp_path / "scontrol").chmod(0o755)
    slurm = Slurm(str(tmp_path))
    assert slurm.cluster().name == "here" and slurm.settings().cluster == "here"
    there = slurm.on("there")
    assert list(there.cluster().nodes) == ["n1"] and there.settings().cluster == "there"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert ["--clusters=there" in line for line in asked] == [False] * 4 + [True] * 4


def test_the_real_commands_take_these_options(no_controller, monkeypatch):
    """They fail for want of a controller, and not for what they were asked."""
    monkeypatch.setenv("SLURM_CONF", str(no_controller))
    slurm = Slurm()
    for call in (
        lambda: slurm.queue(["7"]),
        slurm.nodes,
        slurm.config,
        slurm.cluster,
        lambda: slurm.show_job("7"),
        lambda: slurm.cancel(["7"]),
    ):
        with pytest.raises(
            SlurmError, match="(?i)unable to contact|connection refused|socket timed out|communications"
        ):
            call()


def test_an_interrupt_at_the_end_of_a_command_stays_an_interrupt(monkeypatch):
    """Its process group is gone by then, which must not look like a command that cannot be started."""

    def interrupted(process, *arguments, **more):
        process.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command(["true"], 10, {})
