# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of job scripts: each mistake at its line, and no findings in correct scripts."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.sbatch_lint import sbatch_lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import CODES, SEVERITIES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text as batch

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4\n"


def found(text):
    return [(finding.line, finding.code) for finding in lint(text)]


# A script for each mistake: what follows HEAD, and the line of the finding.
MISTAKES = [
    ("misspelt-sbatch", "#SBTACH --gres=gpu:1\npython x.py", 3),
    ("misspelt-sbatch", "#SBACTH -p gpu\npython x.py", 3),
    ("misspelt-sbatch", "#sbatch --gres=gpu:1\npython x.py", 3),
    ("misspelt-sbatch", "  #SBATCH --gres=gpu:1\npython x.py", 3),
    ("misspelt-sbatch", "#SBTACH \u2013\u2013gres=gpu:1\npython x.py", 3),
    ("commented-directive", "# SBATCH --gres=gpu:1\npython x.py", 3),
    ("dash", "#SBATCH \u2013\u2013gres=gpu:1\npython x.py", 3),
    ("dash", "#SBATCH \u2014gres=gpu:1\npython x.py", 3),
    ("dash", "#SBATCH \u2212p gpu\npython x.py", 3),
    ("misspelt-option", "#SBATCH --gers=gpu:1\npython x.py", 3),
    ("misspelt-option", "#SBATCH --job_name=x\npython x.py", 3),
    ("misspelt-option", "#SBATCH --parition=gpu\npython x.py", 3),
    ("misspelt-option", "#SBATCH --cpu-per-task=4\npython x.py", 3),
    ("misspelt-option", "#SBATCH partition=gpu\npython x.py", 3),
    ("open-quote", "#SBATCH --job-name='x\npython x.py", 3),
    ("bad-value", "#SBATCH --gres=1\npython x.py", 3),
    ("bad-value", "#SBATCH --nodes=two\npython x.py", 3),
    ("bad-value", "#SBATCH --partition=gpu:1\npython x.py", 3),
    ("bad-value", "#SBATCH -N two\npython x.py", 3),
    ("bad-value", "#SBATCH --output\npython x.py", 3),
    ("contradiction", "#SBATCH --mem-per-cpu=4G\npython x.py", 3),
    ("variable-in-directive", "#SBATCH --partition=$PARTITION\npython x.py", 3),
    ("variable-in-directive", "#SBATCH --chdir=$HOME\npython x.py", 3),
    ("variable-in-directive", "#SBATCH --account=`whoami`\npython x.py", 3),
    ("variable-in-directive", "#SBATCH --output=~/%j.out --open-mode=append\npython x.py", 3),
    ("directive-ignored", "module purge\n#SBATCH --gres=gpu:1\npython x.py", 4),
    ("repeated-directive", "#SBATCH --gres=gpu:1\n#SBATCH --gres=gpu:2\npython x.py", 4),
    ("repeated-directive", "#SBATCH -p a\n#SBATCH --partition=b\npython x.py", 4),
    ("srun-cpus", "srun python x.py", 3),
    ("srun-cpus", "true && srun --mpi=pmi2 python x.py", 3),
    ("srun-cpus", "if true; then srun python x.py; fi", 3),
    ("srun-cpus", "OMP_NUM_THREADS=1 srun --ntasks=1 \\\n  python x.py", 3),
    ("srun-cpus", 'launcher=(srun --label)\n"${launcher[@]}" python x.py', 3),
    ("srun-cpus", "srun bash -c 'python x.py'", 3),
    ("srun-cpus", "srun --exact -n 1 python x.py", 3),
    ("srun-cpus", "srun bash -c 'hostname; python x.py'", 3),
    ("srun-cpus", "srun python x.py -cuda -c4", 3),
    ("srun-cpus", "srun -n 2 --mpi pmix --label python x.py --cpus-per-task=4", 3),
    ("srun-cpus", "stdbuf -oL srun python x.py", 3),
    ("srun-cpus", "stdbuf -o L -eL srun python x.py", 3),
    ("srun-cpus", "env -u A B=c numactl --cpunodebind 0 -l srun python x.py", 3),
    ("srun-cpus", "timeout -k 10 1h srun python x.py", 3),
    ("srun-cpus", "time -p /usr/bin/srun python x.py", 3),
    ("srun-cpus", "nohup nice -n 5 taskset 0x3 srun python x.py > log 2>&1", 3),
    ("srun-cpus", "x=$(srun python x.py | tail -1)", 3),
    ("srun-cpus", "true \\\n  && srun python x.py", 4),
    ("srun-cpus", "A='--label'\nsrun $A python x.py", 4),
    ("bashrc", "x=$((1<<20))\nsource ~/.bashrc\npython x.py", 4),
    ("bashrc", 'echo "use <<EOF"\nsource ~/.bashrc\npython x.py', 4),
    ("bashrc", "cat <<A <<'B C'\nA\nB\nB C\nsource ~/.bashrc\npython x.py", 7),
    ("bashrc", "cat <<< x # <<EOF\nsource ~/.bashrc\npython x.py", 4),
    ("tasks-without-srun", "#SBATCH --ntasks=4\npython x.py", 3),
    ("tasks-without-srun", "#SBATCH --ntasks-per-node=4\npython x.py", 3),
    ("nodes-without-srun", "#SBATCH --nodes=2\npython x.py", 3),
    ("nodes-without-srun", "#SBATCH -N4\ntorchrun --nnodes=4 x.py", 3),
    ("nodes-without-srun", "#SBATCH --nodes=2-4 --ntasks-per-node=2\npython x.py", 3),
    ("gpus-twice", "#SBATCH --gres=gpu:1\n#SBATCH --gpus=1\npython x.py", 4),
    ("gpus-twice", "#SBATCH --gpus-per-node=1 --gres=gpu:1,nvme:1\npython x.py", 3),
    ("output-folder", "#SBATCH --output=logs/%j.out\npython x.py", 3),
    ("output-folder", "#SBATCH -e /scratch/logs/%j.err\npython x.py", 3),
    ("output-overwritten", "#SBATCH --output=train.out\npython x.py", 3),
    ("output-overwritten", "#SBATCH -o %x.out\npython x.py", 3),
    ("output-overwritten", "#SBATCH --array=0-3 --output=%A.out\npython x.py", 3),
    ("fixed-port", "export MASTER_PORT=29500\npython x.py", 3),
    ("fixed-port", "python x.py --master_port 29500", 3),
    ("fixed-port", "torchrun --rdzv-endpoint=$HOST:29400 x.py", 3),
    ("fixed-port", "torchrun \\\n --master-port=12345 \\\n x.py", 4),
    ("fixed-port", "#SBATCH --exclusive=user\nexport MASTER_PORT=29500\npython x.py", 4),
    ("bashrc", "source ~/.bashrc\npython x.py", 3),
    ("bashrc", "set -e; . $HOME/.bashrc\npython x.py", 3),
    ("conda-hook", "conda activate torch\npython x.py", 3),
    ("conda-hook", "cd x && conda activate torch\npython x.py", 3),
    ("python-after-activation", "module load conda\nconda activate torch\nmodule load anaconda3\npython x.py", 5),
    ("python-after-activation", "source activate torch\nmodule load cuda/12.1 Python/3.9-GCC\nsrun -c4 python x.py", 4),
    ("python-after-activation", ". /opt/conda/bin/activate torch; ml miniforge3\ntorchrun x.py", 3),
    ("python-after-activation", "source activate torch\nif true; then module -q load python3; fi\npython x.py", 4),
    ("python-after-activation", "source activate torch\nexport PATH=/opt/anaconda3/bin:$PATH\npython x.py", 4),
    ("pythonpath", "source activate torch\nexport PYTHONPATH=/sw/lib/python3.9/site-packages:$PYTHONPATH\npython x", 4),
    ("pythonpath", "source .venv/bin/activate\nPYTHONPATH=/usr/lib/python3/dist-packages python x.py", 4),
    ("pythonpath", "export PYTHONPATH=$HOME/.local/lib/python3.9/site-packages\npython x.py", 3),
    ("pip-user", "pip install --user transformers\npython x.py", 3),
    ("pip-user", "module load python; python3 -m pip install -q -U --user -r requirements.txt\npython x.py", 3),
    ("pip-user", "if true; then pip3.9 install x --user; fi\npython x.py", 3),
    ("cuda-visible-devices", "export CUDA_VISIBLE_DEVICES=0,1\npython x.py", 3),
    ("cuda-visible-devices", "CUDA_VISIBLE_DEVICES=0 python x.py", 3),
    ("cuda-visible-devices", "env -u A CUDA_VISIBLE_DEVICES=0 python x.py", 3),
    ("cuda-visible-devices", "time A=b \\\n  CUDA_VISIBLE_DEVICES='0,1' python x.py", 4),
    ("no-wait", "python x.py &", 3),
    ("no-wait", "python x.py > log 2>&1 &\n# wait", 3),
    ("no-wait", "python a.py&\nfor seed in 1 2; do\n    python x.py &\ndone", 5),
    ("no-wait", "for seed in 1 2; do python x.py & done", 3),
    ("no-wait", "(python x.py &)", 3),
    ("no-wait", "for seed in 1 2; do\n    if true; then\n        python x.py &\n    fi; done", 5),
    ("no-wait", "python --wait x.py \\\n --all &", 3),
    # More of these are in test_lint_started.py and test_lint_marks.py.
    ("default-port", "#SBATCH --gres=gpu:4\ntorchrun --nproc_per_node=4 x.py", 4),
    ("gpus-without-nodes", "#SBATCH --gpus=4\npython x.py", 3),
    ("nodelist-too-long", "#SBATCH -N 1 -w a,b\npython x.py", 3),
    ("nodes-over-tasks", "#SBATCH -N 2 -n 1\nsrun -c4 python x.py", 3),
    ("rank-in-batch", "#SBATCH -N 2\nsrun -c4 python x.py --rank=$SLURM_PROCID", 4),
    ("image-without-gpu", "#SBATCH --gres=gpu:1\napptainer exec x.sif python x.py", 4),
    ("not-bash", "python x.py <options>", 3),
    ("unknown-ignore", "# sbatch-lint: ignore=no-such\npython x.py", 3),
    ("secret", "export WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567\npython x.py", 3),
    ("secret", "train \\\n  --password=pa55word-and-more\npython x.py", 4),
    ("secret", "wandb login 0123456789abcdef0123456789abcdef01234567\npython x.py", 3),
    ("secret", "aws configure set aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYabcdefgKEY", 3),
    ("secret", "huggingface-cli login --token hf_abcdefghijklmnopqrstuvwxyz\npython x.py", 3),
    ("secret", "export DB_PASSWORD='pa55word-and-more'\npython x.py", 3),
    ("secret", "python x.py --api-key sk-proj-0123abcd", 3),
    ("secret", "srun -c4 python x.py --env=DB_PASSWORD=hunter2hunter2", 3),
    ("secret", "jupyter lab --NotebookApp.token=0123456789abcdef", 3),
    ("secret", "git clone https://oauth2:ghp_abcdefghijklmnopqrstuvwxyz@example.org/x", 3),
    ("conda-hook", "srun -c4 bash -c 'conda activate torch; python x.py'", 3),
    ("conda-hook", "bash -lc 'conda activate torch'\nconda activate torch\npython x.py", 4),
    ("conda-hook", "bash -c 'conda activate -l torch'\npython x.py", 3),
]
# About the whole script.
WHOLE = [
    ("no-shebang", HEAD[len("#!/bin/bash\n") :] + "python x.py\n", 1),
    ("no-shebang", "\n" + HEAD + "python x.py\n", 1),
    ("crlf", HEAD.replace("\n", "\r\n") + "python x.py\r\n", 1),
    ("sh-bashism", HEAD.replace("bash", "sh") + "source ./x.sh\npython x.py\n", 3),
    ("no-mem", HEAD.replace("--mem=8G", "") + "python x.py\n", 1),
    ("no-time", HEAD.replace("--time=1:00:00", "") + "python x.py\n", 1),
    ("no-cpus", HEAD.replace("--cpus-per-task=4", "") + "python x.py\n", 1),
    ("no-cpus", HEAD.replace("--cpus-per-task=4", "") + "srun -n 1 -c 1 python x.py\n", 1),
    ("no-cpus", HEAD.replace("--cpus-per-task=4", "--tres-per-task=gres/gpu:1 -n 1") + "srun python x.py\n", 1),
    ("no-cpus", HEAD.replace("--cpus-per-task=4", "").replace("bash", "env python3") + "import torch\n", 1),
    ("ntasks-as-cpus", HEAD.replace("--cpus-per-task=4", "--ntasks=16") + "python x.py\n", 2),
    ("ntasks-as-cpus", HEAD.replace("--cpus-per-task=4", "-n 16 -N 1") + "python x.py\n", 2),
]
RIGHT = [
    "python x.py &\nwait",
    "python x.py & wait $!",
    "nvidia-smi dmon > gpu.log &\npython x.py",
    "python x.py >& log",
    "python x.py &> log",
    "module load cuda &&\n  python x.py",
    "trap cleanup EXIT\npython x.py &\nwhile kill -0 $!; do sleep 9; done",
    "python x.py",
    "##SBATCH --gres=gpu:1\npython x.py",
    "# SBATCH is read by Slurm\n# BATCH size - 64\n# Search - and replace\npython x.py",
    "#SBATCH -J x -p gpu -N1 -n 1\npython x.py",
    "#SBATCH --job-name='a $b'  # a comment\n#SBATCH --requeue --hold --exclusive=user\npython x.py",
    "#SBATCH --gres=gpu:2 --gres-flags=enforce-binding\npython x.py",
    "#SBATCH --site-own-option=5 --part=gpu\npython x.py",
    "#SBATCH --output=%x-%j.out --error=/dev/null\npython x.py",
    "#SBATCH --output=train.out --open-mode=append\npython x.py",
    "#SBATCH --array=0-3 --output=%A_%a.out\npython x.py",
    "#SBATCH --nodes=2 --ntasks-per-node=4\nsrun --cpus-per-task=$SLURM_CPUS_PER_TASK python x.py",
    "#SBATCH --nodes=2\nexport SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK\nsrun python x.py",
    "#SBATCH --nodes=2\nsrun -c4 python x.py",
    "#SBATCH --nodes=2\nmpirun python x.py",
    "#SBATCH --ntasks=4\ntorchrun x.py",
    "#SBATCH --gpus-per-node=2 --gres=nvme:100\npython x.py",
    "export MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))\npython x.py",
    "python x.py --report=12345 --support 29500",
    "export CUDA_VISIBLE_DEVICES=\npython x.py\necho $CUDA_VISIBLE_DEVICES; unset CUDA_VISIBLE_DEVICES",
    "source /opt/conda/etc/profile.d/conda.sh\nconda activate torch\npython x.py",
    'eval "$(conda shell.bash hook)"\nconda activate torch\npython x.py',
    "module load miniconda3\nconda activate torch\npython x.py",
    "echo srun is fine; echo done",
    # srun with its CPUs, or for a program that needs one.
    "stdbuf -oL srun -c 4 python x.py",
    "srun --label --cpus-per-task 4 python x.py",
    "srun --mpi pmix -lc4 python x.py",
    "srun bash -c 'hostname; nvidia-smi'; srun bash -c 'echo $SLURM_PROCID > a; cat a'",
    "srun -n1 hostname; srun mkdir -p out; srun --ntasks=2 /usr/bin/nvidia-smi",
    'OPTIONS="--label --cpus-per-task=4"\nsrun $OPTIONS python x.py',
    "srun $SITE_OPTIONS python x.py",
    "echo 'srun python x.py'; python x.py # srun x",
    # A GPU for each process, the devices of the job, none, and other words that look like it.
    'echo "CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES"\npython x.py',
    "CUDA_VISIBLE_DEVICES=$SLURM_LOCALID python x.py",
    "CUDA_VISIBLE_DEVICES=0 python a.py &\nCUDA_VISIBLE_DEVICES=1 python b.py &\nwait",
    "CUDA_VISIBLE_DEVICES=0 python a.py &\nCUDA_VISIBLE_DEVICES=1 python b.py\nwait",
    "for i in 0 1; do CUDA_VISIBLE_DEVICES=$i python x.py > $i.log 2>&1 & done\nwait",
    "export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}\npython x.py",
    "CUDA_VISIBLE_DEVICES=-1 python x.py; CUDA_VISIBLE_DEVICES='' python y.py",
    # Nothing else is on the node.
    "#SBATCH --exclusive\nexport MASTER_PORT=29500\npython x.py",
    "#SBATCH --nodes=2\nhorovodrun -np 8 python x.py",
    # Python and other packages: before the activation, of another branch, deactivated, activated again, or not Python.
    "module load anaconda3 cuda cudnn\nsource activate torch\npython x.py",
    "source activate torch\nmodule load cuda cudnn gcc nccl\npython x.py",
    "source activate torch\nmodule load cuda/12.1-python py-numpy pythonic R/4.2 libconda-tools\npython x.py",
    "source activate torch\nmodule unload anaconda3; ml spider python; ml purge; module avail python\npython x.py",
    "source activate torch\npython a.py\nconda deactivate\nmodule load python\npython b.py",
    "module load conda\nif true; then\nconda activate torch\nelse\nmodule load python\nfi\npython x.py",
    "source activate torch\nmodule load anaconda3\nconda activate torch\npython x.py",
    "source activate torch\nmodule load anaconda3\n./simulate",
    "source activate torch\nexport PATH=$HOME/anaconda3/envs/torch/bin:$PATH PATH2=/opt/anaconda3/bin:x\npython x.py",
    "source activate torch\nexport PATH=$PATH:/opt/anaconda3/bin\npython x.py",
    # One's own code.
    "source activate torch\nexport PYTHONPATH=$PYTHONPATH:$PWD:src\nPYTHONPATH=. python x.py",
    "source activate torch\nexport PYTHONPATH=\nunset PYTHONPATH\npython x.py",
    'source activate torch\nexport PYTHONPATH="$CONDA_PREFIX/lib/python3.9/site-packages:$PYTHONPATH"\npython x.py',
    "module load python\nexport PYTHONPATH=$HOME/added/lib/python3.9/site-packages:$PYTHONPATH\npython x.py",
    "export PYTHONUSERBASE=$SLURM_TMPDIR\npip install --user x\npython x.py",
    "pip install x  # not --user\necho pip install --user x\npip list --user\npython x.py",
    "export TOKENIZERS_PARALLELISM=false TOKENIZER=bert-base-uncased-v2 WANDB_API_KEY=$(cat ~/.key)\npython x.py",
    "export HF_TOKEN_PATH=/home/alice/.hf_token1\npython x.py",
    "cat > other.sh <<'END'\n#SBATCH --gers\nsource ~/.bashrc\nEND\npython x.py",
    # Whole nodes: slurmctld shares no node on which a job reserves cores for the system.
    "#SBATCH -S 0\nexport MASTER_PORT=29500\npython x.py",
    "#SBATCH --thread-spec=2\nexport MASTER_PORT=29500\npython x.py",
    # Partitions and qualities of service of real sites.
    "#SBATCH -p grete:shared --qos=gpu:short --reservation=course:gpu --account=nhr:x\npython x.py",
    # none is /dev/null.
    "#SBATCH --output=none --error=NONE\npython x.py",
    # A login shell and an interactive one have the hook from a profile.
    "srun -c4 bash -lc 'conda activate torch; python x.py'",
    "srun -c4 bash --login -c 'conda activate torch; python x.py'",
    "bash -i -c 'conda activate torch; python x.py'",
    # The name of a secret, where it is, and what the reader is to replace.
    "docker run -e WANDB_API_KEY --gpus=all image python x.py",
    "unset WANDB_API_KEY WANDB_MODE_OFFLINE\necho 'no API_KEY provided, exiting'\npython x.py",
    "srun -c4 --export=ALL,WANDB_API_KEY python ./run-training.py",
    "export WANDB_API_KEY=your_api_key_here HF_TOKEN=hf_your_token_here_1234 SECRET=changeme\npython x.py",
    "export WANDB_API_KEY=xxxxxxxxxxxx OPENAI_API_KEY=sk-no-key-required PASSWORD=............\npython x.py",
    "export HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxx WANDB_API_KEY=INSERT_KEY_HERE API_KEY=`<~/.api_key`\npython x.py",
    "aws configure set aws_secret_access_key $AWS_KEY\npython x.py",
    "aws configure set aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\npython x.py",
    "python x.py --secret_key keys/wandb.key --password secrets/db.txt",
    # What a model reads.
    "python x.py --pad_token end_of_text_123 --eos_token=end_of_text_123 --special-token v2_begin_of_text",
]
# Without --cpus-per-task: other options give the CPUs, or the step asks for them.
CPUS_GIVEN = [
    "#SBATCH -S 8\npython x.py",
    "#SBATCH --mincpus=8\npython x.py",
    "#SBATCH -n 1 --tres-per-task=cpu:8\npython x.py",
    "#SBATCH --nodes=1\nsrun -n 4 -c 32 python x.py",
    "#SBATCH --nodes=2 --ntasks-per-node=4 --gres=gpu:4\nsrun --cpus-per-task=16 python x.py",
]


@pytest.mark.parametrize("code,rest,line", MISTAKES)
def test_a_mistake_is_found_at_its_line_and_alone(code, rest, line):
    findings = found(HEAD + rest + "\n")
    assert (line, code) in findings
    # A folder that must exist goes with a name that is the same each time.
    assert [other for other in findings if other != (line, code)] in ([], [(line, "output-overwritten")])


@pytest.mark.parametrize("code,text,line", WHOLE)
def test_a_mistake_of_the_whole_script_is_found(code, text, line):
    assert found(text) == [(line, code)]


@pytest.mark.parametrize("rest", RIGHT)
def test_a_correct_script_has_no_findings(rest):
    assert found(HEAD + rest + "\n") == []


@pytest.mark.parametrize("rest", CPUS_GIVEN)
def test_a_job_that_gets_its_cpus_otherwise_has_no_findings(rest):
    assert found(HEAD.replace(" --cpus-per-task=4", "") + rest + "\n") == []


def test_every_code_has_a_script_here_and_texts_that_fit_a_table():
    assert {case[0] for case in MISTAKES + WHOLE} == set(SEVERITIES)
    assert len(CODES) == len(SEVERITIES) and set(SEVERITIES.values()) == {"error", "warning"}
    assert all(code.mistake and code.remedy and "|" not in code.mistake + code.remedy for code in CODES)


def test_the_page_explains_exactly_these_codes():
    page = (CHECKOUT / "docs" / "job-lint.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.+) \| (.+) \|$", page, re.MULTILINE) == list(CODES)


def test_findings_have_a_remedy_and_are_in_the_order_of_the_lines():
    text = "#SBATCH --gers=gpu:1\nsource ~/.bashrc\n#SBATCH --mem=1G\nexport MASTER_PORT=29500\n"
    findings = lint(text)
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)
    assert all(
        finding.message and finding.remedy and "\n" not in finding.message + finding.remedy for finding in findings
    )
    (misspelt,) = [finding for finding in findings if finding.code == "misspelt-option"]
    assert "--gres" in misspelt.remedy and misspelt.severity == "error"


@pytest.mark.parametrize("secret", ["0123456789abcdef0123456789abcdef01234567", "pa55word-and-more"])
def test_a_secret_is_not_in_the_finding(secret):
    findings = lint(HEAD + "export MY_API_KEY=%s\n" % secret)
    assert [finding.code for finding in findings] == ["secret"]
    assert secret not in repr(findings) and "MY_API_KEY" in findings[0].message


def test_line_ends_of_windows_hide_nothing_else():
    text = (HEAD + "#SBATCH --gers=gpu:1\npython x.py\n").replace("\n", "\r\n")
    assert found(text) == [(1, "crlf"), (3, "misspelt-option")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "#!/bin/bash",
        "\x00",
        "#SBATCH",
        "#SBATCH -",
        "#SBATCH --",
        "#SBATCH --=x\n",
        "\\",
        "a \\\n",
        "#SBATCH -N\n",
    ],
)
def test_any_text_is_read(text):
    lint(text)


def test_options_are_read_in_every_form_that_sbatch_takes():
    text = "#SBATCH -N2 -p gpu --mem 8G --time=5 --requeue -J 'a b' --exclusive --hold\n"
    assert [(one.name, one.value) for one in batch.read(text).directives] == [
        ("nodes", "2"),
        ("partition", "gpu"),
        ("mem", "8G"),
        ("time", "5"),
        ("requeue", None),
        ("job-name", "a b"),
        ("exclusive", None),
        ("hold", None),
    ]


def test_lines_that_a_backslash_joins_are_one_command_at_the_first_ones_number():
    assert batch.read("#!/bin/sh\na \\\n  b \\\n  c\nd\n").commands == [(2, "a  b  c"), (5, "d")]


def test_the_filter_returns_plain_data_without_ignored_codes():
    text = "#!/bin/bash\npython x.py\n"
    findings = sbatch_lint(text)
    assert [finding["code"] for finding in findings] == ["no-cpus", "no-mem", "no-time"]
    assert set(findings[0]) == {"line", "code", "severity", "message", "remedy"}
    assert [finding["code"] for finding in sbatch_lint(text, ignore=["no-cpus", "no-mem"])] == ["no-time"]


@pytest.mark.parametrize("arguments", [(5,), (None,), ("", ["no-such-code"])])
def test_the_filter_refuses_what_is_no_script_and_no_code(arguments):
    with pytest.raises(AnsibleFilterError, match="remedy"):
        sbatch_lint(*arguments)
