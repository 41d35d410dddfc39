# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the linter finds in the programs that a job script starts: ports, counts, ranks, images, and the shell."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.sbatch_lint import sbatch_lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.syntax import messages
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.lint import findings
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.request import Request
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint import dialect
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4 "
NO_CPUS = HEAD.replace(" --cpus-per-task=4", "")
SH = HEAD.replace("bash", "sh") + "\n"


def found(text):
    """Findings in a Slurm that has no trap of its own."""
    return [(one.line, one.code) for one in lint(text + "\n", (24, 11))]


# Directives, commands, and the line of the finding; 0 if there is none.
PORTS = [
    ("--gres=gpu:4", "torchrun --nproc_per_node=4 t.py", 3),
    ("--gres=gpu:4", "torchrun \\\n  --nproc-per-node gpu \\\n  t.py", 3),
    ("--gres=gpu:4", "python -u -m torch.distributed.run --nproc_per_node=$N t.py", 3),
    ("--gres=gpu:4", "python3 -m torch.distributed.launch --nproc_per_node=4 t.py", 3),
    ("--gres=gpu:4", "srun apptainer exec --nv i.sif torchrun --nproc_per_node=4 t.py", 3),
    ("--gres=gpu:4", "R='torchrun --nproc_per_node=4'\nsrun bash -c \"$R t.py\"", 3),
    ("--gres=gpu:4", "export MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))\ntorchrun --nproc_per_node=4 t.py", 4),
    ("--gres=gpu:4", "torchrun --nproc_per_node=4 t.py --master_port=5", 3),
    ("--gres=gpu:4", "accelerate launch t.py", 3),
    ("", "accelerate launch --multi_gpu --num_processes 2 t.py", 3),
    ("--gres=gpu:2", "deepspeed --num_gpus=2 t.py", 3),
    ("--gpus-per-node=2", "deepspeed t.py --deepspeed c.json", 3),
    # With a port, or without a fixed one.
    ("--gres=gpu:4", "torchrun --standalone --nproc_per_node=4 t.py", 0),
    ("--gres=gpu:4", "torchrun --nproc_per_node=4 --master_port $P t.py", 0),
    ("--gres=gpu:4", "torchrun --nproc_per_node=4 --rdzv-backend=c10d --rdzv-endpoint=$H:$P t.py", 0),
    ("--gres=gpu:4", 'A=(--nproc_per_node=4)\nA+=(--master_port=$P)\ntorchrun "${A[@]}" t.py', 0),
    ("--gres=gpu:4", "PET_MASTER_PORT=$P torchrun --nproc_per_node=4 t.py", 0),
    ("--gres=gpu:4", "torchrun --nproc_per_node=4 $OPTIONS t.py", 0),
    ("--gres=gpu:4", "accelerate launch --config_file=c.yml t.py", 0),
    ("--gres=gpu:4", "accelerate launch --main_process_port=$P t.py", 0),
    ("--gres=gpu:4", "accelerate config", 0),
    ("--gres=gpu:4", "deepspeed --master_port=$P t.py; deepspeed --help", 0),
    # One process, whole nodes, or no launcher.
    ("--gres=gpu:1", "torchrun t.py; torchrun --nproc_per_node=1 t.py; accelerate launch t.py; deepspeed t.py", 0),
    ("--exclusive --gres=gpu:4", "torchrun --nproc_per_node=4 t.py", 0),
    ("--gres=gpu:h100:8", "torchrun --nproc_per_node=8 t.py", 0),
    ("--gres=gpu:4", "echo torchrun --nproc_per_node=4 t.py; pip install torchrun", 0),
]
FIXED = [
    ("", "PORT=${PORT:-29500}", 3),
    ("", "MPORT=12345", 3),
    ("", "MASTERPORT='29500'", 3),
    ("", "srun bash -c '\n  export MASTER_PORT=29500\n  python t.py'", 4),
    ("", "REPORT=12345 IMPORT=12345 EXPORT=12345 TRANSPORT=12345 SUPPORT=12345 python t.py", 0),
    ("", "BASE_PORT=29500\nMASTER_PORT=$((BASE_PORT + SLURM_JOB_ID % 1000))\npython t.py", 0),
    ("", "PORT=29500\nMASTER_PORT=$(expr $PORT + $SLURM_JOB_ID % 1000)\npython t.py", 0),
    ("--exclusive", "MASTER_PORT=29500", 0),
    ("--gpus-per-node=8", "MASTER_PORT=29500", 0),
]
COUNTS = [
    ("gpus-without-nodes", "--gpus=4", "python t.py", 2),
    ("gpus-without-nodes", "--gpus=a100:2", "torchrun --standalone --nproc_per_node=2 t.py", 2),
    ("gpus-without-nodes", "--gpus=4 --nodes=1", "python t.py", 0),
    ("gpus-without-nodes", "--gpus=1", "python t.py", 0),
    ("gpus-without-nodes", "-G a100", "python t.py", 0),
    ("gpus-without-nodes", "--gpus=4 --ntasks=4", "srun python t.py", 0),
    ("gpus-without-nodes", "--gpus=4 --nodelist=a", "python t.py", 0),
    ("gpus-without-nodes", "--gpus-per-node=4", "python t.py", 0),
    ("gpus-without-nodes", "--gpus=4", "./run.sh", 0),
    ("gpus-without-nodes", "--gpus=4", "srun python t.py", 0),
    ("nodes-over-tasks", "--nodes=4 --ntasks=1", "srun python t.py", 2),
    ("nodes-over-tasks", "--nodes=4 --ntasks=1", "python t.py", 2),
    ("nodes-over-tasks", "--nodes=2-4 --ntasks=2", "srun python t.py", 0),
    ("nodes-over-tasks", "--nodes=4 --ntasks=4", "srun python t.py", 0),
    ("nodes-over-tasks", "--nodes=4 --ntasks-per-node=1", "srun python t.py", 0),
    ("nodelist-too-long", "-N 1 -w a,b", "srun python t.py", 2),
    ("nodelist-too-long", "--nodes=1-2 --nodelist=n[1-3]", "srun python t.py", 2),
    ("nodelist-too-long", "-N 2 -w a,b", "srun python t.py", 0),
    ("nodelist-too-long", "-N 3 -w a,b", "srun python t.py", 0),
    ("nodelist-too-long", "-N 1 -w a,a", "srun python t.py", 0),
    ("nodelist-too-long", "-w a,b", "srun python t.py", 0),
    ("nodelist-too-long", "-N 1 -w ./file", "srun python t.py", 0),
]
# Without --cpus-per-task.
CPUS = [
    ("no-cpus", "--ntasks-per-node=8 --gres=gpu:8", "srun python t.py", 2),
    ("no-cpus", "-n 4 --gpus-per-task=1", "mpirun python t.py", 2),
    ("no-cpus", "--ntasks=64", "mpirun ./simulate", 0),
    ("no-cpus", "--ntasks=4 --gres=gpu:4 --cpus-per-gpu=8", "srun python t.py", 0),
    ("no-cpus", "--ntasks=4 --gres=gpu:4 --exclusive", "srun python t.py", 0),
    ("ntasks-as-cpus", "--ntasks-per-node=12 --gres=gpu:1", "python t.py", 2),
    ("ntasks-as-cpus", "--ntasks=12", "./run.sh", 0),
    ("nodes-without-srun", "--nodes=3 -c 4", "parallel --sshloginfile hosts python t.py ::: a b", 0),
    ("nodes-without-srun", "--nodes=3 -c 4", "julia --machine-file hosts run.jl; python plot.py", 0),
    ("nodes-without-srun", "--nodes=3 -c 4", "parallel python t.py ::: a b", 2),
    ("ntasks-as-cpus", "--ntasks=12", "bash run.sh", 0),
    ("ntasks-as-cpus", "--ntasks=12", "srun bash run.sh", 0),
]
TWO = "--nodes=2 --ntasks-per-node=4"
RANKS = [
    (TWO, "export RANK=$SLURM_PROCID\nsrun python t.py", 3),
    (TWO, "export WORLD_SIZE=8 LOCAL_RANK=${SLURM_LOCALID}\nsrun python t.py", 3),
    (TWO, "export CUDA_VISIBLE_DEVICES=$SLURM_LOCALID\nsrun python t.py", 3),
    ("-n 4", 'RANK="$SLURM_PROCID"\nsrun bash -c "python t.py --rank $RANK"', 3),
    ("-N 2", "srun torchrun --nnodes=2 --master_port=$P --node_rank=$SLURM_NODEID t.py", 3),
    ("-N 2", "srun \\\n  torchrun --nnodes=2 --master_port=$P \\\n  --node_rank=$SLURM_NODEID t.py", 5),
    ("-N 2", 'srun bash -c "torchrun --nnodes=2 --master_port=$P --node_rank=$SLURM_NODEID t.py"', 3),
    ("-N 2", 'R="torchrun --nnodes=2 --master_port=$P --node_rank=$SLURM_NODEID"\nsrun bash -c "$R t.py"', 3),
    ("-N 2", "NODE_RANK=$SLURM_NODEID\nsrun torchrun --master_port=$P --node_rank=$NODE_RANK t.py", 3),
    ("-N 2", "srun torchrun --rdzv_backend=c10d --rdzv_endpoint=$H:$P --node_rank=$SLURM_NODEID t.py", 0),
    (
        "-N 2",
        "NODE_RANK=$SLURM_NODEID\nsrun torchrun --rdzv-backend c10d --master_port=$P --node_rank=$NODE_RANK t.py",
        0,
    ),
    ("-N 2", 'R="torchrun --rdzv_backend=c10d --rdzv_endpoint=$H:$P --node_rank $SLURM_NODEID"\nsrun $R t.py', 0),
    ("-N 2", "srun torchrun --rdzv_backend=c10d --rdzv_endpoint=$H:$P t.py --rank=$SLURM_PROCID", 3),
    (TWO, "srun bash -c 'export RANK=$SLURM_PROCID; python t.py'", 0),
    (TWO, "srun bash -c '\n  RANK=$SLURM_PROCID \\\n  LOCAL_RANK=$SLURM_LOCALID python t.py\n'", 0),
    (TWO, 'srun bash -c "RANK=\\$SLURM_PROCID python t.py"', 0),
    (TWO, "R='torchrun --master_port=$P --node_rank=$SLURM_NODEID'\nsrun bash -c \"$R t.py\"", 0),
    (TWO, 'R="torchrun --master_port=$P --node_rank=\\$SLURM_NODEID"\nsrun bash -c "$R t.py"', 0),
    (TWO, "export RANK=$SLURM_PROCID\nsrun bash -c 'RANK=$SLURM_PROCID python t.py'", 0),
    (TWO, "export RANK=$SLURM_PROCID\nsrun torchrun --master_port=$P t.py", 0),
    (TWO, 'echo "rank $SLURM_PROCID"\nsrun python t.py', 0),
    (TWO, 'srun bash -c "echo $SLURM_PROCID"; srun python t.py', 0),
    (TWO, 'if [ -z "$STEP" ]; then STEP=1 srun bash $0; exit; fi\nexport RANK=$SLURM_PROCID\npython t.py', 0),
    ("", "export RANK=$SLURM_PROCID\nsrun -n 4 python t.py", 3),
    ("", "export LOCAL_RANK=$SLURM_LOCALID\nsrun -N2 --ntasks-per-node=2 python t.py", 3),
    ("", "srun --nodes 2 python t.py --rank $SLURM_NODEID", 3),
    ("", "export RANK=$SLURM_PROCID\nsrun -n 1 python t.py -n 4", 0),
    ("", "export RANK=$SLURM_PROCID\nsrun python t.py", 0),
    ("-n 1", "export RANK=$SLURM_PROCID\nsrun python t.py", 0),
    ("-n 4", "NODE_RANK=$SLURM_NODEID\nsrun python t.py --node_rank=$NODE_RANK", 0),
    ("-N 2", "srun python t.py --local_rank $SLURM_LOCALID", 0),
]
IMAGES = [
    ("--gres=gpu:1", "apptainer exec i.sif python t.py", 3),
    ("--gpus=1", "srun singularity exec -B /a:/b --cleanenv i.sif bash -c 'cd x; python t.py'", 3),
    ("--gres=gpu:1", "singularity run i.sif", 3),
    ("--gres=gpu:1", "I=i.sif\napptainer exec $I python t.py", 4),
    ("--gres=gpu:1", "apptainer exec --nv i.sif python t.py", 0),
    ("--gres=gpu:1", "singularity exec --rocm i.sif python t.py", 0),
    ("--gres=gpu:1", "apptainer exec i.sif python a.py\napptainer exec --nvccli i.sif python t.py", 0),
    ("--gres=gpu:1", "export APPTAINER_NV=1\napptainer exec i.sif python t.py", 0),
    ("--gres=gpu:1", "apptainer exec $OPTIONS i.sif python t.py", 0),
    ("--gres=gpu:1", "O='--nv -B a:b'\napptainer exec $O i.sif python t.py", 0),
    ("--gres=gpu:1", "apptainer build i.sif i.def; apptainer pull docker://a; apptainer exec i.sif ls /", 0),
    ("--gres=gpu:1", "podman run --device nvidia.com/gpu=all i python t.py", 0),
    ("--gres=gpu:1", "srun --container-image=i.sqsh python t.py", 0),
    ("", "apptainer exec i.sif python t.py", 0),
    ("--gres=gpu:1", "apptainer exec $SITE_IMAGE python t.py", 0),
    ("--gres=gpu:1", "singularity exec pytorch-rocm-6.2.sif python t.py", 0),
    ("--gres=gpu:1", "module load LUMI\nsingularity exec i.sif python t.py", 0),
]
TABLES = [
    *(("default-port", HEAD, *case) for case in PORTS),
    *(("fixed-port", HEAD, *case) for case in FIXED),
    *((case[0], HEAD, *case[1:]) for case in COUNTS),
    *((case[0], NO_CPUS, *case[1:]) for case in CPUS),
    *(("rank-in-batch", HEAD, *case) for case in RANKS),
    *(("image-without-gpu", HEAD, *case) for case in IMAGES),
]


@pytest.mark.parametrize("code,head,directives,commands,line", TABLES)
def test_a_mistake_is_found_where_it_is_and_nowhere_else(code, head, directives, commands, line):
    reported = [one for one in found(head + directives + "\n" + commands) if one != (1, "no-cpus")]
    assert reported == ([(line, code)] if line else [])


def test_a_job_with_all_memory_of_its_nodes_is_alone_on_them():
    text = HEAD + "--gres=gpu:4\ntorchrun --nproc_per_node=4 t.py; MASTER_PORT=29500"
    assert [code for _line, code in found(text)] == ["default-port", "fixed-port"]
    assert found(text.replace("--mem=8G", "--mem=0")) == []


NOT_BASH = [
    ("python t.py <options>", 3),
    ("python t.py --data <path to data> --epochs 3", 3),
    ("source ./a.sh\nconda activate <YOUR_ENV> && python t.py", 4),
    ("python t.py \\\n  --name <name>", 4),
    ("if true; then\n  python t.py", 5),
    ("python t.py )", 3),
    ("echo 'it\npython t.py", 3),
    ("sort <in.txt >out.txt; sort <a>b; diff <(a) <(b); cat <<< x", 0),
    ("echo '<options>' \"<PATH>\" \\<x\\>; [[ a <b && c> d ]]; x=$((1<N)); for ((i=0; i<N; i++)); do :; done", 0),
    ("cat <<E\n<options>\nE", 0),
    ("shopt -s extglob\nls !(a|b)", 0),
    ("while read -r x; do echo $x; done <list", 0),
]


@pytest.mark.parametrize("commands,line", NOT_BASH)
def test_what_bash_does_not_read_is_found_once(commands, line):
    reported = [(one.line, one.code) for one in lint(HEAD + "\n" + commands + "\n", (24, 11), syntax=messages)]
    assert reported == ([(line, "not-bash")] if line else [])


def test_another_interpreter_is_not_read_as_bash():
    python = HEAD.replace("/bin/bash", "/usr/bin/env python3") + "--nodes=2\nimport os\nprint('x' <a>)\n"
    assert lint(python, (24, 11), syntax=messages) == []


@pytest.mark.parametrize(
    "shebang,name",
    [
        ("#!/bin/bash", "bash"),
        ("#! /bin/sh -e", "sh"),
        ("#!/usr/bin/env -S A=b bash -l", "bash"),
        ("#!/bin/tcsh -f", "tcsh"),
        ("#!", ""),
        ("", ""),
    ],
)
def test_the_interpreter_of_a_script(shebang, name):
    assert dialect.interpreter(shebang) == name


# With the output that only bash gives, so that dash can be tried.
BASHISMS = [
    ("source ./a.sh", False),
    ("if true; then source ./a.sh; fi", False),
    ("[[ a == a ]]", False),
    ("if [[ -f x ]]; then true; fi", False),
    ("A=(1 2)", False),
    ("echo ${A[0]}", False),
    ("for i in {1..3}; do echo $i; done", False),
    ("echo x &> /dev/null", False),
    ("cat <<< x", False),
    ("cat <(echo x)", False),
    ("((1 < 2))", False),
    ("function f { true; }", False),
    ("X=a; echo ${X/a/b}", False),
    ("set -euo pipefail", False),
    ("declare -a A", False),
    (". ./a.sh", True),
    ("[ -f x ] && echo y > /dev/null 2>&1", True),
    ('X=$((1 + 2)); echo ${X:-1} ${X%a} ${#X} "${X}"', True),
    ("echo '[[ x ]] <(a) {1..2}'", True),
    ("f() { local x=1; }; f; export A=b", True),
    ("set -eu; wait; trap 'true' EXIT", True),
    ("(true); { true; }; case x in x) true;; esac", True),
]


@pytest.mark.parametrize("commands,right", BASHISMS)
def test_what_sh_does_not_know_is_found(commands, right):
    assert found(SH + commands) == ([] if right else [(3, "sh-bashism")])
    assert found(HEAD + "\n" + commands) == []


@pytest.mark.parametrize("commands,right", BASHISMS)
def test_dash_agrees(tmp_path, commands, right):
    (tmp_path / "a.sh").write_text("")

    def output(shell):
        done = subprocess.run([shell, "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout, done.returncode, bool(done.stderr)

    assert (output("dash") == output("bash")) is right


@pytest.mark.parametrize("line,code", [("-N 1 -w a,b", "nodelist-too-long"), ("-N 4 -n 1", "nodes-over-tasks")])
def test_sbatch_says_so_too(sbatch, line, code):
    output = sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line)
    (severity,) = [one.severity for one in lint(HEAD + line + "\nsrun -c4 python t.py\n", (22, 5)) if one.code == code]
    words = {"nodelist-too-long": "invalid number of nodes", "nodes-over-tasks": "can't run 1 processes on 4 nodes"}
    assert words[code] in output
    assert (severity == "error") == ("Unable to contact slurm controller" not in output)


@pytest.mark.parametrize(
    "command,late",
    [
        ("mkdir -p logs", True),
        ("mkdir -p out logs/", True),
        ('cd x && mkdir "$PWD/logs"; true', True),
        ("mkdir -p logs2 mylogs", False),
        ("ls logs", False),
    ],
)
def test_the_scripts_own_mkdir_of_the_outputs_folder_is_too_late(command, late):
    text = HEAD + "--output=logs/%j.out\n" + command + "\npython t.py\n"
    (finding,) = lint(text, (22, 5))
    assert finding.code == "output-folder" and ("line 3 is too late" in finding.message) is late


@pytest.mark.parametrize("commands,codes", [("if true; then python t.py", ["not-bash"]), ("python t.py", [])])
def test_a_job_is_not_submitted_unread_where_bash_is(commands, codes):
    request = Request(path="/x/job.sh", digest="", job_name="x", comment="", arguments=(), text=HEAD + "\n" + commands)
    assert [one.code for one in findings(request, lambda: ())] == codes
    assert [one["code"] for one in sbatch_lint(request.text)] == codes


def test_without_bash_nothing_is_said_about_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert messages("if true; then") == ""
