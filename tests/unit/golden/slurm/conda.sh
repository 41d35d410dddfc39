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

# sbatch passes on the conda environment that is active in the submitting shell: deactivate it.
set +eu
for hook in "${CONDA_PREFIX:-/nothing}"/etc/conda/deactivate.d/*.sh; do
    if [ -r "$hook" ]; then source "$hook"; fi
done
set -eu
for name in ${!CONDA_PREFIX*}; do
    active=${!name}
    if [ -d "$active/conda-meta" ] && [ ! -d "$active/condabin" ]; then
        while [[ ":$PATH:" == *":$active/bin:"* ]]; do
            PATH=:$PATH:
            PATH=${PATH/":$active/bin:"/:}
            PATH=${PATH#:}
            PATH=${PATH%:}
        done
    fi
    unset "$name"
done
unset CONDA_SHLVL CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER

set +u
[ -r /opt/app/anaconda3/etc/profile.d/conda.sh ] || stop_job 'expected conda at /opt/app/anaconda3; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, or set conda up for this node'
source /opt/app/anaconda3/etc/profile.d/conda.sh || stop_job 'expected conda at /opt/app/anaconda3; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, or set conda up for this node'
conda activate torch || stop_job 'expected the env torch; found none that can be activated; remedy: make it, or correct conda_env'
env_prefix=$(cd -P -- "$CONDA_PREFIX" && pwd)
[ ! -e "$env_prefix/conda-meta/hpc_pytorch.changing" ] || stop_job 'expected a whole env at torch; found one whose last change was interrupted; remedy: run the play that makes it again'
if [ "$env_prefix" != "$CONDA_PREFIX" ]; then conda activate "$env_prefix" || stop_job 'expected the env torch; found none that can be activated; remedy: make it, or correct conda_env'; fi
set -u
if [ -e "$env_prefix"/bin/python ]; then
    found=$(type -P python) || true
    [ "${found%/*}" -ef "$env_prefix"/bin ] || stop_job \
        'expected the python of the environment torch to be the first in PATH'"; found ${found:-none}; remedy: "'leave out the module that puts it first in PATH, or give the path as conda_env and activation: direct'
fi

export PYTHONNOUSERSITE=1

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

python train.py
