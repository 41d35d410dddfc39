#!/bin/bash
#SBATCH --job-name=train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:4
#SBATCH --mem=64G
#SBATCH --time=12:00:00
#SBATCH --output=%x-%j.out

# Written by hpc.pytorch.sbatch_script: change the play, not this file.
set -euo pipefail

stop_job() {
    printf 'job script: %s\n' "$1" >&2
    exit 1
}

set +u
[ -r /venvs/torch/bin/activate ] || stop_job 'expected the venv /venvs/torch; found no bin/activate there; remedy: make it, or correct venv'
source /venvs/torch/bin/activate
set -u
if [ -e /venvs/torch/bin/python ]; then
    found=$(type -P python) || true
    [ "${found%/*}" -ef /venvs/torch/bin ] || stop_job \
        'expected the python of the environment /venvs/torch to be the first in PATH'"; found ${found:-none}; remedy: "'make it anew: a venv cannot be moved or copied'
fi

export PYTHONNOUSERSITE=1

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK > 4 ? SLURM_CPUS_PER_TASK / 4 : 1))" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

launcher=(torchrun --nproc_per_node=4 --standalone)

"${launcher[@]}" train.py --lr 0.1
