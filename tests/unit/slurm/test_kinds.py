# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of jobs: what they add, which counts contradict them, and what their scripts really start."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


TOOLS = (
    "srun",
    "torchrun",
    "python",
    "accelerate",
    "deepspeed",
    "mpirun",
    "apptainer",
    "singularity",
    "ch-run",
    "enroot",
    "scontrol",
)
# Says how it was called, and goes on with the first of its arguments that is one of the tools, as the real one would.
TOOL = """#!{python}
import json, os, sys
with open(os.environ["CALLS"], "a") as stream:
    stream.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
if "show" in sys.argv:
    print("node01\\nnode02")
elif sys.argv[0].endswith("srun"):
    os.environ["SLURM_NODEID"] = "1"
words = sys.argv[1:]
for index, word in enumerate(words):
    if word in {tools!r} or word == "sh":
        os.execvp(word, words[index:])
"""


@pytest.fixture
def start(tmp_path):
    """Run a rendered script with stand-ins for everything that it starts: its exit code and their arguments."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(TOOL.format(python=sys.executable, tools=TOOLS))
        (tools / name).chmod(0o755)

    def run(environment=None, **params):
        calls = tmp_path / "calls"
        calls.unlink(missing_ok=True)
        path = tmp_path / "job.sh"
        path.write_text(render_script(dict({"command": "python train.py --lr 0.1"}, **params)).content)
        ran = subprocess.run(
            ["bash", str(path)],
            env=dict(
                {"PATH": "%s:/usr/bin:/bin" % tools, "HOME": str(tmp_path), "CALLS": str(calls)}, **(environment or {})
            ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        ran.calls = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
        return ran

    run.folder = tmp_path
    return run


SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NODELIST": "node[01-02]",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_GPUS_ON_NODE": "4",
    "SLURM_CPUS_PER_TASK": "8",
    "SLURM_NTASKS": "8",
}


def directives_of(**params):
    return render_script(dict({"command": "python train.py"}, **params)).directives


@pytest.mark.parametrize(
    "params,expected",
    [
        ({"kind": "multi_gpu", "gres": "gpu:4"}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_gpu", "gres": "gpu:4", "launcher": "none"}, {"nodes": "1", "ntasks-per-node": "4"}),
        ({"kind": "multi_gpu", "nproc_per_node": 2}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_gpu", "gpus": "2", "nodes": "1"}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_node", "nodes": "2", "gpus_per_node": "a100:4"}, {"ntasks-per-node": "1"}),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:4", "launcher": "none"}, {"ntasks-per-node": "4"}),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:2", "launcher": "mpirun"}, {"ntasks-per-node": "2"}),
        ({"kind": "lightning", "gres": "gpu:titan:8,nvme:100"}, {"nodes": "1", "ntasks-per-node": "8"}),
        ({"kind": "lightning", "nodes": "2", "nproc_per_node": 3}, {"ntasks-per-node": "3"}),
        ({"kind": "lightning", "nodes": "2", "gres": "gpu:4", "ntasks": 8}, {"ntasks-per-node": "4"}),
        (
            {"kind": "lightning", "nodes": "2", "gres": "gpu:2", "ntasks_per_gpu": 1},
            {"nodes": "2", "ntasks-per-gpu": "1"},
        ),
        ({"gres": "gpu:2", "launcher": "mpirun"}, {"nodes": "1", "ntasks-per-node": "2"}),
        ({"gres": "gpu:2", "launcher": "mpirun", "ntasks": 8}, {"ntasks": "8"}),
        ({"checkpoint_seconds": 60}, {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"}),
        ({"checkpoint_seconds": 59, "time": "1"}, {"signal": "B:USR1@59", "requeue": True, "open-mode": "append"}),
        (
            {"checkpoint_seconds": 60, "time": "UNLIMITED"},
            {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"},
        ),
        ({"checkpoint_seconds": 60, "time": "0"}, {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"}),
        (
            {"kind": "lightning", "gres": "gpu:2", "checkpoint_seconds": 90},
            {"signal": "SIGUSR1@90", "requeue": True, "open-mode": "append"},
        ),
    ],
)
def test_a_kind_adds_the_counts_that_it_needs(params, expected):
    found = directives_of(**params)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "params,word",
    [
        ({"kind": "multi_gpu"}, "GPUs"),
        ({"kind": "multi_gpu", "gres": "gpu:1"}, "kind: single"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "nodes": "2"}, "kind: multi_node"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "ntasks": 4}, "ntasks"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "nproc_per_node": 4}, "nproc_per_node"),
        ({"kind": "multi_node", "gres": "gpu:4"}, "nodes"),
        ({"kind": "multi_node", "nodes": "1"}, "nodes: 1"),
        ({"kind": "multi_node", "nodes": "2-4"}, "2-4"),
        ({"kind": "multi_node", "nodes": "2", "ntasks_per_node": 4}, "ntasks_per_node"),
        ({"kind": "multi_node", "nodes": "2", "ntasks_per_node": 4, "srun_options": {"ntasks-per-node": 2}}, "1 tasks"),
        (
            {
                "kind": "lightning",
                "gres": "gpu:4",
                "ntasks_per_node": 2,
                "srun_options": {"ntasks-per-node": 4},
            },
            "room",
        ),
        ({"kind": "multi_node", "nodes": "2", "srun": False}, "srun"),
        ({"kind": "multi_node", "nodes": "2", "launcher": "deepspeed"}, "torchrun"),
        ({"kind": "lightning"}, "devices"),
        ({"kind": "lightning", "gres": "gpu:4", "ntasks_per_node": 2}, "ntasks_per_node: 4"),
        ({"kind": "lightning", "gres": "gpu:4", "nodes": "2", "ntasks": 4}, "8 tasks"),
        ({"kind": "lightning", "gres": "gpu:4", "launcher": "torchrun"}, "launcher"),
        ({"kind": "lightning", "gres": "gpu:4", "srun": False}, "srun"),
        ({"kind": "lightning", "gres": "gpu:4", "job_name": "interactive"}, "job_name"),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:2", "ntasks_per_gpu": 1}, "ntasks_per_gpu: 1"),
        ({"kind": "array"}, "array"),
        ({"launcher": "torchrun", "nodes": "2"}, "kind: multi_node"),
        ({"launcher": "mpirun", "srun": True}, "mpirun"),
        ({"launcher_options": {"a": 1}}, "launcher_options"),
        ({"launcher": "accelerate", "launcher_options": {"cpu": True}}, "ACCELERATE_USE_CPU"),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "launcher": "mpirun",
                "container": {"engine": "apptainer", "image": "/i"},
            },
            "launcher: none",
        ),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "none"}, "c10d"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "env"}, "c10d"),
        ({"kind": "multi_node", "nodes": "2", "launcher": "accelerate", "rendezvous": "none"}, "static"),
        ({"srun_options": {"label": True}}, "srun_options"),
        ({"launcher": "torchrun", "launcher_options": {"a b": 1}}, "launcher_options"),
        ({"srun": True, "srun_options": {"label": False}}, "srun_options"),
        ({"srun": True, "srun_options": {"label": "a\nb"}}, "srun_options"),
        ({"rendezvous": "c10d"}, "rendezvous"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "standalone"}, "rendezvous"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "rendezvous_port": 29500}, "rendezvous_port"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous_port": 80}, "rendezvous_port"),
        ({"checkpoint_seconds": 0}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 65536}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 3600, "time": "1:00:00"}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 600, "time": "10"}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 60, "signal": "USR1"}, "signal"),
        ({"checkpoint_seconds": 60, "no_requeue": True}, "no_requeue"),
        ({"checkpoint_seconds": 60, "open_mode": "truncate"}, "open_mode"),
        ({"checkpoint_seconds": 60, "launcher": "torchrun", "srun": False}, "srun"),
        ({"conda_env": "/e", "venv": "/v"}, "conda_env and venv"),
        ({"venv": "/v", "container": {"engine": "apptainer", "image": "/i"}}, "container"),
        ({"venv": "v"}, "venv"),
        ({"uv_project": "/a:b"}, "uv_project"),
        ({"modules_use": ["a"]}, "modules_use"),
        ({"srun": False, "container": {"engine": "pyxis", "image": "i"}}, "pyxis"),
        ({"style": "guide", "kind": "multi_gpu", "gres": "gpu:2"}, "style: current"),
        ({"style": "guide", "venv": "/v", "srun": True}, "srun, venv"),
        ({"slurm_version": "new"}, "slurm_version"),
    ],
)
def test_what_contradicts_a_kind_is_refused_and_named(params, word):
    with pytest.raises(UserError) as caught:
        render_script(dict({"command": "python train.py"}, **params))
    assert word in str(caught.value) and "\n" not in str(caught.value)


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
    assert directives_of(gres="gpu:4", **params)["ntasks-per-node"] == directive
    # Four processes share what the tasks of the job have.
    assert ran.stdout == {"4": "8\n", "8": "16\n", "1": "2\n"}[directive]


@pytest.mark.parametrize("kind", ["multi_node", "lightning"])
def test_without_slurm_the_same_script_runs_on_this_machine(start, kind):
    ran = start(kind=kind, nodes="2", nproc_per_node=2)
    assert ran.returncode == 0, ran.stderr
    assert ran.calls[0][0] == ("torchrun" if kind == "multi_node" else "python")


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


def test_what_the_submitting_shell_has_of_gpus_does_not_reach_a_job_without(start):
    leaked = {"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "0", "NVIDIA_VISIBLE_DEVICES": "all"}
    show = "echo ${CUDA_VISIBLE_DEVICES-none} ${NVIDIA_VISIBLE_DEVICES-none}"
    assert start(leaked, command=show).stdout == "none none\n"
    assert start(dict(leaked, SLURM_JOB_GPUS="0"), command=show).stdout == "0 all\n"
    assert start(leaked, command=show, gres="gpu:1").stdout == "0 all\n"
    assert start({"CUDA_VISIBLE_DEVICES": "0"}, command=show).stdout == "0 none\n"


def test_modules_are_purged_used_and_loaded_in_this_order(start):
    ran = start(
        {"BASH_FUNC_module%%": '() { echo "module <$1> <${2-}>"; }'},
        modules=["b", "a/1.0"],
        modules_use=["/x", "~/y z"],
        modules_purge=True,
        command="true",
    )
    assert ran.stdout.splitlines() == [
        "module <purge> <>",
        "module <use> </x>",
        "module <use> <%s/y z>" % start.folder,
        "module <load> <b>",
        "module <load> <a/1.0>",
    ], ran.stderr


@pytest.mark.parametrize("option,folder", [("venv", "my env"), ("uv_project", "my env/.venv")])
def test_a_venv_is_active_and_a_missing_one_ends_the_job(start, option, folder):
    path = str(start.folder / "my env")
    missing = start(command="echo ran", **{option: path})
    assert (
        (missing.returncode, missing.stdout) == (1, "")
        and "my env" in missing.stderr
        and missing.stderr.count("\n") == 1
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(start.folder / folder)], check=True)
    ran = start(pre='type -P python; echo "$PYTHONNOUSERSITE"', command="true", **{option: path})
    assert ran.stdout == "%s/%s/bin/python\n1\n" % (start.folder, folder), ran.stderr


@pytest.mark.parametrize(
    "version,params,expected",
    [
        ((18, 8), {"gpus_per_node": "h100:4"}, {"gres": "gpu:h100:4"}),
        ((18, 8), {"gpus_per_node": "a:1,b:2", "gres": "nvme:1"}, {"gres": "nvme:1,gpu:a:1,gpu:b:2"}),
        ((22, 5, 8), {"gpus_per_node": "4"}, {"gpus-per-node": "4"}),
        ((18, 8), {"gpus_per_node": "4", "slurm_version": "23.02"}, {"gpus-per-node": "4"}),
        (None, {"gpus_per_node": "4", "slurm_version": "17.11"}, {"gres": "gpu:4"}),
        (None, {"gpus_per_node": "4"}, {"gpus-per-node": "4"}),
    ],
)
def test_gpus_are_asked_for_as_the_clusters_slurm_wants_it(version, params, expected):
    assert render_script(dict(params, command="true"), version).directives == expected


@pytest.mark.parametrize("params", [{"gpus": "1"}, {"gpus_per_task": "1"}, {"cpus_per_gpu": 2}, {"mem_per_gpu": "1G"}])
def test_what_an_old_slurm_cannot_say_is_refused(params):
    with pytest.raises(UserError, match="19.05"):
        render_script(dict(params, command="true"), (18, 8, 9))


@pytest.mark.parametrize("fails", ["", "load c", "swap a b", "unload d", "restore mine", "reset", "restore", "purge"])
def test_commands_of_module_run_in_order_and_a_failed_one_ends_the_job(start, fails):
    entries = ["purge", "restore", "reset", "restore mine", "swap a b", "unload d", "load c", "e/1.0"]
    ran = start(
        {"BASH_FUNC_module%%": '() { echo "$*"; [ "$*" != "%s" ]; }' % fails},
        modules=entries,
        modules_use=["/x"],
        command="echo ran",
    )
    expected = [*entries[:4], "use /x", *entries[4:7], "load e/1.0", "ran"]
    # Where a site has no default modules, a reset ends with 1 although it did what it should.
    if fails and fails not in ("purge", "restore", "reset"):
        expected = expected[: expected.index(fails) + 1]
    assert ran.stdout.splitlines() == expected
    assert ran.returncode == (0 if "ran" in expected else 1), ran.stderr


@pytest.mark.parametrize(
    "entry", ["swap a", "unload", "reset a", "use /x", "load", "swap a b c", "unload $(id)", "a b"]
)
def test_what_module_would_not_take_is_refused(entry):
    with pytest.raises(UserError, match="modules to be names"):
        render_script({"modules": [entry], "command": "true"})


@pytest.mark.parametrize(
    "engine,gpu,word",
    [
        ("apptainer", True, "--nv"),
        ("apptainer", "true", "--nv"),
        ("singularity", "nvidia", "--nv"),
        ("apptainer", "amd", "--rocm"),
        ("singularity", "amd", "--rocm"),
        ("apptainer", False, None),
        ("apptainer", "no", None),
        ("charliecloud", "amd", None),
        ("enroot", True, "NVIDIA_VISIBLE_DEVICES=all"),
        ("enroot", False, "NVIDIA_VISIBLE_DEVICES=void"),
    ],
)
def test_an_image_gets_the_driver_of_its_gpus(engine, gpu, word):
    content = render_script(
        {"command": "python x.py", "container": {"engine": engine, "image": "i", "gpu": gpu}}
    ).content
    found = [
        name
        for name in ("--nv", "--rocm", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=void")
        if name in content
    ]
    assert found == ([word] if word else []) and "ch-fromhost" not in content


@pytest.mark.parametrize("engine,gpu", [("apptainer", "intel"), ("enroot", "amd"), ("pyxis", "amd")])
def test_gpus_that_an_engine_does_not_bring_are_refused(engine, gpu):
    with pytest.raises(UserError, match="container.gpu"):
        render_script({"command": "python x.py", "container": {"engine": engine, "image": "i", "gpu": gpu}})


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
