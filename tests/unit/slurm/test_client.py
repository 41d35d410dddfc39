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


@pytest.fixture
def printing(tmp_path):
    """Slurm whose commands all print this."""

    def make(out="", err="", status=0):
        for name in ("squeue", "scontrol", "sacct", "sinfo"):
            (tmp_path / name).write_text(
                "#!/bin/sh\ncat <<'END'\n%s\nEND\ncat >&2 <<'END'\n%s\nEND\nexit %d\n" % (out, err, status)
            )
            (tmp_path / name).chmod(0o755)
        return Slurm(str(tmp_path))

    return make


QUESTIONS = {
    "nodes": lambda slurm: slurm.nodes(),
    "settings": lambda slurm: slurm.settings(),
    "cluster": lambda slurm: slurm.cluster(),
    "hidden nodes": lambda slurm: slurm.hidden_nodes(),
    "queue": lambda slurm: slurm.queue(["7", "8"]),
    "job": lambda slurm: slurm.shown("7"),
    "accounting": lambda slurm: slurm.recorded_parts("7"),
    "accounting since": lambda slurm: slurm.recorded_since("train", 0.0),
    "mark": lambda slurm: slurm.marked("hpc.pytorch:1"),
    "no mark": lambda slurm: slurm.unmarked("/x.sh", 0.0, "hpc.pytorch:"),
}
SILENCE = {
    "slurm_load_jobs error: Unable to contact slurm controller (connect failure)": 1,
    "slurm_load_jobs error: Socket timed out on send/recv operation": 0,
    "squeue: error: slurm_load_jobs error: Zero Bytes were transmitted or received": 0,
    "sacct: error: Problem talking to the database: Connection refused": 0,
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("err", SILENCE)
def test_silence_is_never_an_answer(printing, ask, err):
    with pytest.raises(SlurmError):
        ask(printing(err=err, status=SILENCE[err]))


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_half_an_answer_with_an_error_is_none(printing, ask):
    half = "8|7|0|RUNNING|t1|t1|None\nClusterName = x\nPartitionName=a Nodes=n1 State=UP\nNodeName=n1 State=IDLE"
    with pytest.raises(SlurmError):
        ask(printing(half, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1))


@pytest.mark.parametrize("ask", [ask for name, ask in QUESTIONS.items() if name != "accounting since"])
def test_what_nobody_understands_is_no_answer(printing, ask):
    with pytest.raises(SlurmError):
        ask(printing("<html>502 Bad Gateway</html>"))


@pytest.mark.parametrize(
    ("ask", "err"),
    [
        (lambda slurm: slurm.marked("hpc.pytorch:1"), ""),
        (lambda slurm: slurm.recorded_parts("7"), ""),
        (lambda slurm: slurm.nodes() or None, ""),
        (lambda slurm: slurm.queue(["7"]) or None, "slurm_load_jobs error: Invalid job id specified"),
    ],
)
def test_an_empty_answer_is_one(printing, ask, err):
    # Only an error of the job's number is an answer, too.
    assert not ask(printing(err=err, status=1 if err else 0))


def test_a_warning_does_not_spoil_an_answer(printing):
    slurm = printing("n1|idle|all*|none", "sinfo: error: _parse_next_key: Parsing error at unrecognized key: X")
    assert slurm.nodes()
