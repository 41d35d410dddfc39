#!/bin/bash
#SBATCH --job-name=train
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --partition=titan
#SBATCH --gres=gpu:1
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --output=%x-%j.out

# Written by hpc.pytorch.sbatch_script: change the play, not this file.
set -euo pipefail

stop_job() {
    printf 'job script: %s\n' "$1" >&2
    exit 1
}

set +u
[ -r /opt/app/anaconda3/etc/profile.d/conda.sh ] || stop_job 'expected conda at /opt/app/anaconda3; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, or set conda up for this node'
source /opt/app/anaconda3/etc/profile.d/conda.sh || stop_job 'expected conda at /opt/app/anaconda3; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, or set conda up for this node'
conda activate torch || stop_job 'expected the env torch; found none that can be activated; remedy: make it, or correct conda_env'
env_prefix=$(cd -P -- "$CONDA_PREFIX" && pwd)
[ ! -e "$env_prefix/conda-meta/hpc_pytorch.changing" ] || stop_job 'expected a whole env at torch; found one whose last change was interrupted; remedy: run the play that makes it again'
if [ "$env_prefix" != "$CONDA_PREFIX" ]; then conda activate "$env_prefix" || stop_job 'expected the env torch; found none that can be activated; remedy: make it, or correct conda_env'; fi
set -u

export PYTHONNOUSERSITE=1

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

python train.py
