"""Jobs have come to every kind of end: what Slurm's database, the users' folders and the queue hold afterwards."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest

ENDS = {
    "nodefail": "NODE_FAIL",
    "requeued": "COMPLETED",
    "preempted": "PREEMPTED",
    "cancelled": "CANCELLED",
    "killed": "FAILED",
    "faulty": "FAILED",
    "slow": "TIMEOUT",
    "patient": "COMPLETED",
}


def recorded(person, name):
    """The jobs of that name in Slurm's database, one line for each."""
    told = person.terminal(
        "sacct --noheader --parsable2 --allocations --starttime=now-1day --name=%s --format=JobID,State,ExitCode" % name
    )
    return [line.split("|") for line in told.out.splitlines()]


@pytest.mark.parametrize("name", ENDS)
def test_each_script_was_submitted_once_and_ended_as_the_play_said(person, name):
    jobs = recorded(person("bob"), name)
    assert [state.split(" ")[0] for _number, state, _code in jobs] == [ENDS[name]], jobs


@pytest.mark.parametrize("name", [name for name in ENDS if name != "slow"])
def test_the_record_beside_the_script_is_its_owners_and_has_the_end(person, name):
    told = person("bob").terminal(
        "stat -c '%%U %%a' ~/lab/.%s.sh.hpc_pytorch_job && cat ~/lab/.%s.sh.hpc_pytorch_job" % (name, name)
    )
    owner, _newline, text = told.out.partition("\n")
    record = json.loads(text)
    assert owner == "bob 600" and [part["state"] for part in record["parts"]] == [ENDS[name]], told.out
    assert record["job_id"] == recorded(person("bob"), name)[0][0]


def test_a_requeued_job_went_on_from_its_checkpoint(person):
    lines = person("bob").terminal("cat ~/lab/requeued.out").out.splitlines()
    assert [line for line in lines if not line.startswith("slurmstepd")] == [
        "begin 0",
        "begin 1",
        "from step-1",
        "LAST WORDS",
    ], lines


def test_an_array_has_an_output_for_each_task(person):
    told = person("bob").terminal("cat ~/lab/plain-*.out")
    assert told.out.splitlines() == ["task %d of bob" % task for task in range(4)]
    assert len(recorded(person("bob"), "plain")) == 4


def test_two_jobs_over_both_nodes_ran_at_the_same_time_each_with_its_own_output(person):
    for name in ("alice", "bob"):
        told = person(name).terminal("cat ~/both.out")
        assert sorted(told.out.splitlines()) == ["%s on titan01" % name, "%s on titan02" % name], told.out


def test_a_job_trained_and_was_submitted_once(alice):
    jobs = recorded(alice, "train")
    assert [state for _number, state, _code in jobs] == ["COMPLETED"], jobs
    output = alice.terminal("cat ~/jobs/slurm-%s.out" % jobs[0][0]).out
    loss = re.search(r"^result: loss=([0-9.]+)", output, re.MULTILINE)
    assert loss and float(loss.group(1)) < 0.25, output


PROCESSES = {"twin-a": 2, "twin-b": 2, "multi_gpu": 2, "multi_node": 4, "lightning": 2, "lightning-2": 4}


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_of_a_kind_trained_and_all_agreed(alice, name):
    assert [state for _number, state, _code in recorded(alice, name)] == ["COMPLETED"]
    output = alice.terminal("cat ~/jobs/%s.out" % name).out
    # Printed once, by a program that has compared the sum of the ranks and the weights of all before it.
    results = re.findall(r"^result: loss=([0-9.]+).* processes=(\d+)", output, re.MULTILINE)
    assert [int(count) for _loss, count in results] == [PROCESSES[name]] and float(results[0][0]) < 0.25, output


ACROSS = (
    "torchrun-c10d",
    "torchrun-static",
    "torch.distributed.run-c10d",
    "torch.distributed.launch-static",
    "accelerate-static",
    "accelerate-c10d",
    "none-env",
    "mpirun-env",
)
NODE = (
    "node-torch.distributed.run",
    "node-torch.distributed.launch",
    "node-accelerate",
    "node-none",
    "node-mpirun",
    "single-mpirun",
    "single-accelerate",
)


@pytest.mark.parametrize(
    "name,processes",
    [("nodes-%s-%d" % (name, processes), processes) for name in ACROSS for processes in (1, 2)] + [("step", 2)],
)
def test_every_launcher_started_its_processes_on_both_nodes(alice, name, processes):
    assert [state for _number, state, _code in recorded(alice, name)] == ["COMPLETED"]
    output = alice.terminal("cat ~/jobs/%s.out" % name).out
    # c10d numbers the nodes as they come.
    (found,) = re.findall(r"^result: processes=%d at (.*)$" % (2 * processes), output, re.MULTILINE)
    assert sorted(found.split()) == ["titan%02d:%d" % (node, local) for node in (1, 2) for local in range(processes)], (
        output
    )


@pytest.mark.parametrize("name", NODE)
def test_every_launcher_started_its_processes_on_one_node(alice, name):
    assert [state for _number, state, _code in recorded(alice, name)] == ["COMPLETED"]
    output = alice.terminal("cat ~/jobs/%s.out" % name).out
    assert re.search(r"^result: processes=2 at (titan0[12]):0 \1:1$", output, re.MULTILINE), output


def test_lightning_took_its_ranks_from_slurm(alice):
    assert " environment=SLURMEnvironment" in alice.terminal("cat ~/jobs/lightning.out").out


def test_the_twins_ran_at_the_same_time_on_the_same_nodes(alice):
    told = alice.terminal(
        "sacct --noheader --parsable2 --allocations --starttime=now-1day"
        " --name=twin-a,twin-b --format=Start,End,NodeList"
    ).out
    runs = [line.split("|") for line in told.splitlines()]
    assert [nodes for _start, _end, nodes in runs] == ["titan[01-02]"] * 2, told
    assert max(start for start, _end, _nodes in runs) < min(end for _start, end, _nodes in runs), told


def test_each_task_of_an_array_trained_from_another_seed(alice):
    results = [alice.terminal("grep ^result: ~/jobs/array-%d.out" % task).out for task in range(3)]
    losses = [re.match(r"result: loss=([0-9.]+) ", line).group(1) for line in results]
    assert len(set(losses)) == 3 and all(float(loss) < 0.25 for loss in losses), results


def test_a_training_that_was_told_of_its_time_limit_went_on_from_its_checkpoint(alice):
    output = alice.terminal("cat ~/jobs/again.out").out
    kept, on = (
        re.findall(r"^checkpoint: epoch=(\d+) of 100$", output, re.MULTILINE),
        re.findall(r"^going on from epoch (\d+)$", output, re.MULTILINE),
    )
    assert len(kept) == 1 and kept == on, output
    assert re.findall(r"^epoch (\d+)/100", output, re.MULTILINE) == [str(number) for number in range(1, 101)]
    assert re.search(r"^result: loss=.* processes=2$", output, re.MULTILINE), output


def test_check_yml_reached_the_nodes_through_allocations():
    folder = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    report = json.loads((folder / "report-srun" / "report.json").read_text())
    found = {node["name"]: node for node in report["nodes"]}
    assert found["login01"]["verdict"] == "cpu_only"
    for name in ("titan01", "titan02"):
        # Their torch is for the CPU: that it says so is proof that it was asked there.
        assert (
            found[name]["verdict"] == "failed"
            and "expected 2 devices, found 0; cpu_only_build" in found[name]["summary"]
        ), found[name]


def test_nothing_is_left_in_the_queue(person):
    # Allocations among them.
    assert person("bob").terminal("squeue --noheader").out == ""


def test_no_submission_was_left_half_way(machine):
    assert machine("login01").check_output("find /home -name '*.submitting*'") == ""
