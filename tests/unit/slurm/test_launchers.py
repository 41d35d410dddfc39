# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launchers: the words that each gets, the ranks that processes have, and the counts of a step."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NODELIST": "node[01-02]",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_GPUS_ON_NODE": "4",
    "SLURM_CPUS_PER_TASK": "8",
    "SLURM_NTASKS": "8",
}


@pytest.mark.parametrize(
    "line",
    [
        "cd x && python y.py",
        "A=1 python y.py",
        "for i in 1 2; do python y.py; done",
        "srun python y.py",
        "torchrun y.py",
        ". ./env",
        "(python y.py)",
    ],
)
def test_shell_is_no_program_for_a_launcher(line):
    with pytest.raises(UserError) as caught:
        render_script({"kind": "multi_gpu", "gres": "gpu:2", "command": ["python first.py", line]})
    assert "pre and post" in caught.value.remedy


@pytest.mark.parametrize(
    "line,expected",
    [
        ("python train.py --lr 0.1", ["train.py", "--lr", "0.1"]),
        ("python3.11 'my train.py'", ["my train.py"]),
        ("python -m pkg.train", ["-m", "pkg.train"]),
        ("train.py", ["train.py"]),
        ("python -u train.py", ["--no_python", "python", "-u", "train.py"]),
        ("./wrapper.sh a", ["--no_python", "./wrapper.sh", "a"]),
        ("python train.py \\\n  --lr \\\n  1", ["train.py", "--lr", "1"]),
    ],
)
def test_torchrun_gets_a_program_as_it_wants_it(start, line, expected):
    ran = start(kind="multi_gpu", gres="gpu:2", command=line)
    assert ran.returncode == 0, ran.stderr
    assert ran.calls[0] == ["torchrun", "--nproc_per_node=2", "--standalone", *expected]


def test_many_nodes_meet_at_the_first_one_at_a_port_of_the_job(start):
    ran = start(SLURM, kind="multi_node", nodes="2", gres="gpu:4", cpus_per_task=8)
    assert ran.returncode == 0, ran.stderr
    assert ran.calls == [
        ["scontrol", "show", "hostnames", "node[01-02]"],
        [
            "srun",
            "--kill-on-bad-exit=1",
            "--cpus-per-task=8",
            "torchrun",
            "--nnodes=2",
            "--nproc_per_node=4",
            "--rdzv_backend=c10d",
            "--rdzv_endpoint=node01:24711",
            "--rdzv_id=4711",
            "train.py",
            "--lr",
            "0.1",
        ],
        ["torchrun", *ran.calls[1][4:]],
    ]


@pytest.mark.parametrize(
    "params,first,last",
    [
        (
            {"kind": "lightning", "nodes": "2", "gres": "gpu:4"},
            ["srun", "--kill-on-bad-exit=1", "python"],
            ["python", "train.py", "--lr", "0.1"],
        ),
        (
            {"srun": True, "export": "NONE"},
            ["srun", "--kill-on-bad-exit=1", "--export=ALL", "python"],
            ["python", "train.py", "--lr", "0.1"],
        ),
        (
            {
                "srun": True,
                "srun_options": ["--kill-on-bad-exit=0", "--cpu-bind=none", "label"],
                "launcher": "torchrun",
                "gres": "gpu:2",
            },
            ["srun", "--ntasks=1", "--kill-on-bad-exit=0", "--cpu-bind=none", "--label", "torchrun"],
            ["torchrun", "--nproc_per_node=2", "--standalone", "train.py", "--lr", "0.1"],
        ),
        (
            {"kind": "multi_node", "nodes": "2", "gres": "gpu:4", "launcher": "mpirun"},
            ["mpirun", "-np", "8", "sh", "-c"],
            ["python", "train.py", "--lr", "0.1"],
        ),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "gres": "gpu:4",
                "launcher": "accelerate",
                "launcher_options": {"mixed_precision": "bf16"},
            },
            ["srun", "--kill-on-bad-exit=1", "sh", "-c"],
            [
                "accelerate",
                "launch",
                "--machine_rank=1",
                "--num_processes=8",
                "--num_machines=2",
                "--multi_gpu",
                "--main_process_ip=node01",
                "--main_process_port=24711",
                "--mixed_precision=bf16",
                "train.py",
                "--lr",
                "0.1",
            ],
        ),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "gres": "gpu:4",
                "launcher": "torch.distributed.launch",
                "rendezvous_port": 29500,
            },
            ["srun", "--kill-on-bad-exit=1", "sh", "-c"],
            [
                "python",
                "-m",
                "torch.distributed.launch",
                "--use_env",
                "--node_rank=1",
                "--nnodes=2",
                "--nproc_per_node=4",
                "--master_addr=node01",
                "--master_port=29500",
                "train.py",
                "--lr",
                "0.1",
            ],
        ),
        (
            {"gres": "gpu:2", "launcher": "deepspeed"},
            ["deepspeed", "--num_gpus=2"],
            ["deepspeed", "--num_gpus=2", "--master_port=24711", "train.py", "--lr", "0.1"],
        ),
        (
            {"launcher": "torch.distributed.run"},
            ["python", "-m"],
            ["python", "-m", "torch.distributed.run", "--nproc_per_node=4", "--standalone", "train.py", "--lr", "0.1"],
        ),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "rendezvous": "none",
                "launcher_options": {"rdzv-endpoint": "h:1"},
            },
            ["srun"],
            ["torchrun", "--nnodes=2", "--nproc_per_node=4", "--rdzv-endpoint=h:1", "train.py", "--lr", "0.1"],
        ),
    ],
)
def test_every_launcher_gets_its_own_words(start, params, first, last):
    ran = start(SLURM, **params)
    assert ran.returncode == 0, ran.stderr
    calls = [call for call in ran.calls if call[0] != "scontrol"]
    assert calls[0][: len(first)] == first and calls[-1] == last


@pytest.mark.parametrize(
    "params,environment,alone",
    [
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:1"}, SLURM, False),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:1"}, {}, True),
        ({"kind": "multi_node", "nodes": "2"}, dict(SLURM, SLURM_GPUS_ON_NODE="1"), False),
        ({"kind": "multi_gpu", "gres": "gpu:2"}, {}, False),
        ({"kind": "single"}, dict(SLURM, SLURM_JOB_NUM_NODES="1", SLURM_GPUS_ON_NODE="1"), True),
        ({"kind": "single"}, dict(SLURM, SLURM_JOB_NUM_NODES="1"), False),
        ({"kind": "multi_gpu", "gres": "gpu:2", "launcher_options": {"use_fsdp": True}}, {}, True),
        ({"kind": "multi_gpu", "gres": "gpu:2", "launcher_options": {"config-file": "f.yml"}}, {}, True),
    ],
)
def test_accelerate_is_told_to_distribute_exactly_where_it_has_several_processes(start, params, environment, alone):
    ran = start(environment, launcher="accelerate", **params)
    assert ran.returncode == 0, ran.stderr
    assert ("--multi_gpu" not in ran.calls[-1]) is alone


def test_accelerate_uses_the_cpus_of_a_job_that_has_no_gpus(start):
    show = {"launcher": "accelerate", "pre": "set +u", "post": 'echo "<$ACCELERATE_USE_CPU>"', "nproc_per_node": 2}
    gpus = any(pathlib.Path("/dev", name).exists() for name in ("nvidiactl", "kfd"))
    assert start(kind="multi_gpu", **show).stdout == ("<>\n" if gpus else "<true>\n")
    assert start(kind="multi_gpu", exports={"ACCELERATE_USE_CPU": "no"}, **show).stdout == "<no>\n"
    assert start({"SLURM_JOB_GPUS": "0"}, kind="multi_gpu", **show).stdout == "<>\n"
    assert start(kind="multi_gpu", gres="gpu:2", **show).stdout == "<>\n"


RANKS = "sh -c 'echo ${RANK-None} ${LOCAL_RANK-None} ${WORLD_SIZE-None}'"
OPENMPI = {"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_SIZE": "8"}
MPICH = {"PMI_RANK": "0", "MPI_LOCALRANKID": "0", "PMI_SIZE": "2"}
TASK = {"SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_STEP_NUM_TASKS": "6"}


@pytest.mark.parametrize(
    "params,environment,expected",
    [
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:4", "launcher": "none"}, dict(SLURM, **TASK), "5 1 6"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "launcher": "none"}, dict(SLURM, SLURM_PROCID="3"), "3 0 8"),
        ({"srun": True, "rendezvous": "env"}, dict(SLURM, **TASK), "5 1 6"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "launcher": "none"}, {}, "0 0 1"),
        # The batch shell itself is not a task of a step.
        ({"rendezvous": "env", "ntasks": 4}, dict(SLURM, **TASK), "None None None"),
        ({"kind": "lightning", "gres": "gpu:4"}, dict(SLURM, **TASK), "None None None"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "launcher": "mpirun"}, OPENMPI, "5 1 8"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "launcher": "mpirun"}, MPICH, "0 0 2"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "launcher": "mpirun"}, {}, "None None None"),
        ({"gres": "gpu:2", "launcher": "mpirun"}, OPENMPI, "None None None"),
    ],
)
def test_a_process_knows_its_number_where_no_launcher_tells_it(start, params, environment, expected):
    ran = start(environment, command=RANKS, **params)
    assert (ran.returncode, ran.stdout) == (0, expected + "\n"), ran.stderr


@pytest.mark.parametrize(
    "params,words,directive",
    [
        (
            {"kind": "multi_node", "nodes": "2", "ntasks_per_node": 4, "srun_options": {"ntasks-per-node": 1}},
            ["--ntasks=2", "--cpus-per-task=32", "--ntasks-per-node=1"],
            "4",
        ),
        (
            {"kind": "multi_node", "nodes": "2", "ntasks": 8, "srun_options": {"ntasks": 2}},
            ["--cpus-per-task=8", "--ntasks=2"],
            "1",
        ),
        (
            {"kind": "multi_gpu", "ntasks_per_node": 4, "srun": True, "srun_options": {"ntasks-per-node": 1}},
            ["--ntasks=1", "--cpus-per-task=32", "--ntasks-per-node=1"],
            "4",
        ),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "launcher": "none",
                "ntasks_per_node": 8,
                "srun_options": {"ntasks-per-node": 4},
            },
            ["--ntasks=8", "--cpus-per-task=16", "--ntasks-per-node=4"],
            "8",
        ),
    ],
)
def test_a_step_has_other_counts_than_the_job(start, params, words, directive):
    ran = start(SLURM, gres="gpu:4", cpus_per_task=8, pre="echo $OMP_NUM_THREADS", **params)
    assert ran.returncode == 0, ran.stderr
    (srun,) = [call for call in ran.calls if call[0] == "srun"]
    assert srun[2 : 2 + len(words)] == words
    assert (
        render_script(dict({"command": "true", "gres": "gpu:4"}, **params)).directives["ntasks-per-node"] == directive
    )
    # Four processes share what the tasks of the job have.
    assert ran.stdout == {"4": "8\n", "8": "16\n", "1": "2\n"}[directive]


ON_EACH = ["srun", "--kill-on-bad-exit=1", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1"]


@pytest.mark.parametrize(
    "params,first",
    [
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:4"}, [*ON_EACH, "sh"]),
        ({"kind": "single", "nodes": "2", "export": "NONE"}, [*ON_EACH, "--export=ALL", "sh"]),
        (
            {"kind": "multi_node", "nodes": "2", "gres": "gpu:4", "container": {"engine": "apptainer", "image": "i"}},
            [*ON_EACH, "apptainer", "exec", "--nv"],
        ),
        (
            {"nodes": "2", "container": {"engine": "pyxis", "image": "i", "options": ["--container-name=n"]}},
            [*ON_EACH, "--container-image=i"],
        ),
        ({"nodes": "2", "container": {"engine": "enroot", "image": "i"}}, [*ON_EACH, "enroot", "start"]),
    ],
)
def test_what_prepares_a_node_runs_once_on_each_and_before_the_command(start, params, first):
    ran = start(SLURM, pre="echo pre", once_per_node=["# Install it.", "sh -c 'echo prepared'"], **params)
    assert ran.returncode == 0, ran.stderr
    (call, *others) = [call for call in ran.calls if call[0] == "srun"]
    assert call[: len(first)] == first and call[-3:] == ["sh", "-c", "echo prepared"]
    assert all("echo prepared" not in other for other in others)
    assert ran.stdout.startswith("pre\nprepared\n")


def test_what_prepares_a_node_fails_the_job_and_runs_without_slurm_too(start):
    assert start(once_per_node="sh -c 'echo prepared'", command="echo ran").stdout == "prepared\nran\n"
    ran = start(SLURM, once_per_node="sh -c 'exit 4'", command="echo ran", nodes="2")
    assert (ran.returncode, ran.stdout) == (4, "")
    with pytest.raises(UserError, match="once_per_node to be one program a line"):
        render_script({"once_per_node": "cd x", "command": "true"})


def test_the_processes_of_a_launcher_share_the_cpus(start):
    start(SLURM, kind="multi_gpu", gres="gpu:4", cpus_per_task=8, pre="echo $OMP_NUM_THREADS > threads")
    assert (start.folder / "threads").read_text() == "2\n"
    start(
        dict(SLURM, SLURM_CPUS_PER_TASK="2"),
        kind="multi_gpu",
        gres="gpu:4",
        cpus_per_task=2,
        pre="echo $OMP_NUM_THREADS > threads",
    )
    assert (start.folder / "threads").read_text() == "1\n"


@pytest.mark.parametrize("engine", ["apptainer", "charliecloud", "enroot"])
def test_mpirun_in_an_image_starts_the_tasks_that_it_asked_for(engine):
    asked = {
        "job_name": "x",
        "cpus_per_task": 2,
        "mem": "1G",
        "time": "10",
        "output": "%j.out",
        "command": "python t.py",
    }
    image = {"engine": engine, "image": "/i"}
    assert render_script(dict(asked, gres="gpu:2", launcher="mpirun", container=image)).warnings == []
