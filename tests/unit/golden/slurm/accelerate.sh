#!/bin/bash
#SBATCH --job-name=train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:2
#SBATCH --mem=64G
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

[ -d /envs/torch/conda-meta ] || stop_job 'expected the env /envs/torch; found none that can be activated; remedy: make it, or correct conda_env'
env_prefix=$(cd -P -- /envs/torch && pwd)
[ ! -e "$env_prefix/conda-meta/hpc_pytorch.changing" ] || stop_job 'expected a whole env at /envs/torch; found one whose last change was interrupted; remedy: run the play that makes it again'
export CONDA_PREFIX="$env_prefix" CONDA_DEFAULT_ENV="${env_prefix##*/}" PATH="$env_prefix/bin:$PATH"
set +u
for hook in "$env_prefix"/etc/conda/activate.d/*.sh; do
    if [ -r "$hook" ]; then source "$hook"; fi
done
set -u
if [ -e "$env_prefix"/bin/python ]; then
    found=$(type -P python) || true
    [ "${found%/*}" -ef "$env_prefix"/bin ] || stop_job \
        'expected the python of the environment /envs/torch to be the first in PATH'"; found ${found:-none}; remedy: "'leave out the module that puts it first in PATH'
fi

export PYTHONNOUSERSITE=1

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK > 2 ? SLURM_CPUS_PER_TASK / 2 : 1))" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\n'*}
fi
rendezvous_port=$((20000 + ${SLURM_JOB_ID:-$$} % 10000))

launcher=()
if [ -n "${SLURM_JOB_ID:-}" ]; then
    launcher=(srun --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" --label --cpu-bind=none)
fi
launcher+=(sh -c 'exec accelerate launch --machine_rank="${SLURM_NODEID:-0}" "$@"' sh --num_processes="$((${SLURM_JOB_NUM_NODES:-1} * 2))" --num_machines="${SLURM_JOB_NUM_NODES:-1}" --multi_gpu --main_process_ip="$rendezvous_host" --main_process_port="$rendezvous_port" --mixed_precision=bf16)

"${launcher[@]}" train.py
