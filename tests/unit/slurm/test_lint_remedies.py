# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies of the linter, carried out on their own input: no finding is left, and the training is the same."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.syntax import messages
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.calls.calls import calls_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.calls.programs import is_training
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import SEVERITIES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.script_text import read

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4\n"
CALCULATED = "$((20000 + SLURM_JOB_ID % 10000))"
# The code, a script without its head, the text that is replaced, by what, and words of the remedy that are in it.
REMEDIES = [
    ("misspelt-sbatch", "#SBTACH --gres=gpu:1\npython x.py", "#SBTACH", "#SBATCH", "#SBATCH"),
    ("misspelt-sbatch", "  #SBATCH --gres=gpu:1\npython x.py", "  #SBATCH", "#SBATCH", "start of the line"),
    ("commented-directive", "# SBATCH --gres=gpu:1\npython x.py", "# SBATCH", "#SBATCH", "#SBATCH"),
    ("commented-directive", "# SBATCH --gres=gpu:1\npython x.py", "# SBATCH", "##SBATCH", "##SBATCH"),
    ("dash", "#SBATCH \u2013\u2013gres=gpu:1\npython x.py", "\u2013\u2013", "--", "two plain hyphens"),
    ("misspelt-option", "#SBATCH --gers=gpu:1\npython x.py", "--gers", "--gres", "--gres"),
    ("misspelt-option", "#SBATCH --walltime=3 -J x\npython x.py", "--walltime=3", "", "--time"),
    ("misspelt-option", "#SBATCH -gres=gpu:1\npython x.py", "-gres=gpu:1", "--gres=gpu:1", "--gres=gpu:1"),
    ("misspelt-option", "#SBATCH partition=gpu\npython x.py", "partition", "--partition", "--partition=gpu"),
    ("misspelt-option", "#SBATCH --nice 5\npython x.py", "--nice 5", "--nice=5", "--nice=5"),
    ("misspelt-option", "#SBATCH -J my job\npython x.py", "my job", "'my job'", "in quotes"),
    ("misspelt-option", "#SBATCH -J my job\npython x.py", "job", "# job", "write # before a comment"),
    ("misspelt-option", "#SBATCH --mail-user={MY EMAIL}\npython x.py", "{MY EMAIL}", "'{MY EMAIL}'", "in quotes"),
    ("open-quote", "#SBATCH --job-name='x\npython x.py", "'x", "'x'", "close the quote"),
    ("bad-value", "#SBATCH --gres=1\npython x.py", "--gres=1", "--gres=gpu:1", "--gres=gpu:1"),
    ("bad-value", "#SBATCH --nodes=two\nsrun -c4 python x.py", "--nodes=two", "--nodes=2", "--nodes=2"),
    ("contradiction", "#SBATCH --mem-per-cpu=1G\npython x.py", "#SBATCH --mem-per-cpu=1G\n", "", "keep one of them"),
    (
        "contradiction",
        "#SBATCH --gpus-per-socket=1\npython x.py",
        "=1",
        "=1 --sockets-per-node=2",
        "--sockets-per-node too",
    ),
    ("variable-in-directive", "#SBATCH -p $P\npython x.py", "$P", "gpu", "write out the value"),
    ("variable-in-directive", "#SBATCH -o $USER-%j\npython x.py", "$USER", "%u", "%u"),
    (
        "directive-ignored",
        "module purge\n#SBATCH --gres=gpu:1\npython x.py",
        "module purge\n#SBATCH --gres=gpu:1",
        "#SBATCH --gres=gpu:1\nmodule purge",
        "above the first command",
    ),
    ("repeated-directive", "#SBATCH -p a\n#SBATCH -p b\npython x.py", "#SBATCH -p a\n", "", "keep one"),
    (
        "repeated-directive",
        "#SBATCH --mail-type=begin\n#SBATCH --mail-type=END\npython x.py",
        "begin\n#SBATCH --mail-type=END",
        "BEGIN,END",
        "--mail-type=BEGIN,END",
    ),
    ("srun-cpus", "srun python x.py", "srun", 'srun --cpus-per-task="$SLURM_CPUS_PER_TASK"', '--cpus-per-task="$'),
    (
        "srun-cpus",
        "srun python x.py",
        "srun",
        "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK\nsrun",
        "export SRUN_CPUS",
    ),
    (
        "srun-cpus",
        "R='srun -l'\n$R python x.py",
        "srun",
        'srun --cpus-per-task="$SLURM_CPUS_PER_TASK"',
        "--cpus-per-task",
    ),
    ("tasks-without-srun", "#SBATCH --ntasks=4\npython x.py", "--ntasks=4", "--ntasks=1", "ntasks 1"),
    ("tasks-without-srun", "#SBATCH --ntasks=4\npython x.py", "python", "srun -c4 python", "with srun"),
    ("tasks-without-srun", "#SBATCH --ntasks-per-node=4 --gres=gpu:1\npython x.py", "=4 ", "=1 ", "ntasks-per-node 1"),
    ("nodes-without-srun", "#SBATCH --nodes=2\npython x.py", "python", "srun -c4 python", "with srun"),
    ("nodes-over-tasks", "#SBATCH -N 2 -n 1\nsrun -c4 python x.py", "-n 1", "--ntasks-per-node=1", "ntasks-per-node"),
    ("nodes-over-tasks", "#SBATCH -N 2 -n 1\nsrun -c4 python x.py", "-N 2", "-N 1", "nodes 1"),
    ("gpus-twice", "#SBATCH --gres=gpu:1 --gpus=1\npython x.py", "--gpus=1", "", "keep one"),
    ("gpus-twice", "#SBATCH --gres=gpu:1 --gpus=1\npython x.py", "--gres=gpu:1", "", "keep one"),
    ("gpus-without-nodes", "#SBATCH --gpus=4\npython x.py", "--gpus=4", "--gpus=4 --nodes=1", "--nodes=1"),
    ("nodelist-too-long", "#SBATCH -N 1 -w a,b\nsrun -c4 python x.py", "-N 1", "-N 2", "--nodes=2"),
    ("nodelist-too-long", "#SBATCH -N 1 -w a,b\nsrun -c4 python x.py", "a,b", "a", "name fewer nodes"),
    ("output-folder", "#SBATCH -o logs/%j.out\npython x.py", "logs/%j.out", "%j.out", "make the folder before"),
    ("output-folder", "#SBATCH -o logs/%j/out\npython x.py", "logs/%j/out", "/tmp/%j-out", "put %j in the file's name"),
    ("output-overwritten", "#SBATCH -o x.out\npython x.py", "x.out", "x-%j.out", "%j"),
    ("output-overwritten", "#SBATCH -a 1-3 -o x.out\npython x.py", "x.out", "x-%A_%a.out", "%A_%a"),
    ("fixed-port", "export MASTER_PORT=29500\npython x.py", "29500", CALCULATED, CALCULATED),
    ("fixed-port", "torchrun --rdzv-endpoint=$H:29500 x.py", "29500", CALCULATED, CALCULATED),
    ("fixed-port", "PORT=${PORT:-29500}\npython x.py --port $PORT", "29500", CALCULATED, CALCULATED),
    ("default-port", "torchrun --nproc_per_node=2 x.py", "torchrun", "torchrun --standalone", "add --standalone"),
    (
        "default-port",
        "#SBATCH --nodes=2\nsrun -c4 torchrun --nnodes=2 --nproc_per_node=2 x.py",
        "torchrun",
        "torchrun --rdzv-backend=c10d --rdzv-endpoint=$H:$((20000 + SLURM_JOB_ID % 10000))",
        "--rdzv-endpoint=",
    ),
    (
        "default-port",
        "python -m torch.distributed.launch --nproc_per_node=2 x.py",
        "launch",
        "launch --master_port=" + CALCULATED,
        "--master_port=" + CALCULATED,
    ),
    (
        "default-port",
        "accelerate launch --num_processes=2 x.py",
        "launch",
        "launch --main_process_port=" + CALCULATED,
        "--main_process_port=" + CALCULATED,
    ),
    (
        "default-port",
        "deepspeed --num_gpus=2 x.py",
        "deepspeed",
        "deepspeed --master_port=" + CALCULATED,
        "--master_port=",
    ),
    (
        "rank-in-batch",
        "#SBATCH -n 4\nexport RANK=$SLURM_PROCID\nsrun -c4 python x.py",
        "export RANK=$SLURM_PROCID\nsrun -c4 python x.py",
        "srun -c4 bash -c 'RANK=$SLURM_PROCID exec python x.py'",
        "srun bash -c 'RANK=$SLURM_PROCID exec python",
    ),
    (
        "rank-in-batch",
        "#SBATCH -N 2\nsrun -c4 python x.py --rank=$SLURM_PROCID",
        "python x.py --rank=$SLURM_PROCID",
        "bash -c 'python x.py --rank=$SLURM_PROCID'",
        "within single quotes",
    ),
    (
        "image-without-gpu",
        "#SBATCH --gres=gpu:1\napptainer exec i.sif python x.py",
        "exec",
        "exec --nv",
        "add --nv after exec",
    ),
    ("image-without-gpu", "#SBATCH --gres=gpu:1\napptainer run i.sif", "run", "run --rocm", "--rocm"),
    (
        "bashrc",
        "source ~/.bashrc\npython x.py",
        "source ~/.bashrc",
        "module load cuda\nsource PREFIX/bin/activate torch",
        "load modules and activate",
    ),
    (
        "conda-hook",
        "conda activate x\npython x.py",
        "conda",
        "source PREFIX/etc/profile.d/conda.sh\nconda",
        "source PREFIX/etc/profile.d/conda.sh",
    ),
    (
        "conda-hook",
        "micromamba activate x\npython x.py",
        "micromamba",
        'eval "$(micromamba shell hook --shell bash)"\nmicromamba',
        'eval "$(micromamba shell hook --shell bash)"',
    ),
    (
        "python-after-activation",
        "source activate x\nmodule load python\npython x.py",
        "source activate x\nmodule load python",
        "module load python\nsource activate x",
        "before the activation",
    ),
    (
        "pythonpath",
        "source activate x\nPYTHONPATH=/usr/lib/python3/dist-packages:src python x.py",
        "/usr/lib/python3/dist-packages:",
        "",
        "take that entry out",
    ),
    ("pip-user", "pip install --user a\npython x.py", "pip install --user a\n", "", "before you submit"),
    (
        "cuda-visible-devices",
        "CUDA_VISIBLE_DEVICES=0 python x.py",
        "CUDA_VISIBLE_DEVICES=0 ",
        "",
        "take the assignment out",
    ),
    (
        "cuda-visible-devices",
        "export A=1 CUDA_VISIBLE_DEVICES=0\npython x.py",
        " CUDA_VISIBLE_DEVICES=0",
        "",
        "leave the rest",
    ),
    ("no-wait", "python x.py &", "&", "&\nwait", "put wait on the last line"),
    ("secret", "export API_KEY=abcdefgh12345678\npython x.py", "abcdefgh12345678", "$(cat ~/.key)", "from a file"),
    ("not-bash", "python x.py <options>", "<options>", "--lr=1", "write what it stands for"),
    ("not-bash", "if true; then\npython x.py", "python x.py", "python x.py\nfi", "correct the line"),
    ("unknown-ignore", "# sbatch-lint: ignore=memory\npython x.py", "memory", "no-mem", "such as no-mem"),
]
# About the head.
OF_THE_HEAD = [
    ("no-shebang", "#!/bin/bash\n", "", "#!/bin/bash"),
    ("crlf", "\n", "\r\n", "sed -i 's/\\r$//'"),
    ("no-mem", "--mem=8G", "", "--mem"),
    ("no-time", "--time=1:00:00", "", "--time"),
    ("no-cpus", "--cpus-per-task=4", "", "--cpus-per-task"),
    ("no-cpus", "--cpus-per-task=4", "--ntasks=2 --gres=gpu:2", "--cpus-per-task"),
    ("ntasks-as-cpus", "--cpus-per-task=4", "--ntasks=4", "ntasks 1 and cpus-per-task 4"),
    ("ntasks-as-cpus", "--cpus-per-task=4", "--ntasks-per-node=4", "ntasks-per-node 1 and cpus-per-task 4"),
    ("sh-bashism", "#!/bin/bash", "#!/bin/sh", "#!/bin/bash"),
]


def trainings(text):
    """What is trained: the script and its own arguments, without what differs between tasks."""
    calls = [call for call in calls_of(read(text.replace("\r", "")).commands) if call.words]
    found = [" ".join(word.text for word in call.words) for call in calls if is_training(call.program)]
    return [word[1] for text in found for word in re.finditer(r"(\S+\.py)\b", text)]


@pytest.mark.parametrize("code,rest,old,new,words", REMEDIES)
def test_a_remedy_leaves_no_finding_and_the_same_training(sbatch, code, rest, old, new, words):
    before, after = HEAD + rest + "\n", HEAD + rest.replace(old, new) + "\n"
    if code == "misspelt-option" and "--time" in words:
        after = after.replace("--time=1:00:00", "--time=3")
    findings = [one for one in lint(before, syntax=messages) if one.code == code]
    assert findings and words in findings[0].remedy
    assert before != after and lint(after, syntax=messages) == []
    assert trainings(after) == trainings(before) and messages(after) == ""
    assert "Unable to contact slurm controller" in sbatch(after)


@pytest.mark.parametrize("code,old,new,words", OF_THE_HEAD)
def test_a_remedy_for_the_whole_script_leaves_no_finding(code, old, new, words):
    after = HEAD + "source ./x.sh\npython x.py\n"
    if "--ntasks=2" in new:
        after = after.replace("--mem", "--ntasks=2 --gres=gpu:2 --mem").replace(
            "python", "export SRUN_CPUS_PER_TASK=4\nsrun python"
        )
        new = ""
    before = after.replace(old, new)
    findings = [one for one in lint(before, syntax=messages) if one.code == code]
    assert findings and words in findings[0].remedy
    assert lint(after, syntax=messages) == [] and trainings(after) == trainings(before)


def test_every_code_has_a_remedy_that_was_tried():
    assert {case[0] for case in REMEDIES + OF_THE_HEAD} == set(SEVERITIES)


def test_no_remedy_deletes_a_command():
    for code, rest, *_more in REMEDIES:
        for finding in lint(HEAD + rest + "\n"):
            line = (HEAD + rest).split("\n")[finding.line - 1]
            assert "leave the line out" not in finding.remedy
            assert "leave it out" not in finding.remedy or line.startswith("#SBATCH"), code
