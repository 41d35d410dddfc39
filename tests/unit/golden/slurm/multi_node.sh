#!/bin/bash
#SBATCH --job-name=train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=4
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
[ -r "$HOME"/project/.venv/bin/activate ] || stop_job 'expected the venv ~/project/.venv; found no bin/activate there; remedy: run uv sync in the project on a login node'
source "$HOME"/project/.venv/bin/activate
set -u
if [ -e "$HOME"/project/.venv/bin/python ]; then
    found=$(type -P python) || true
    [ "${found%/*}" -ef "$HOME"/project/.venv/bin ] || stop_job \
        'expected the python of the environment ~/project/.venv to be the first in PATH'"; found ${found:-none}; remedy: "'make it anew: a venv cannot be moved or copied'
fi

export PYTHONNOUSERSITE=1

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK > 4 ? SLURM_CPUS_PER_TASK / 4 : 1))" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\n'*}
fi
rendezvous_port=$((20000 + ${SLURM_JOB_ID:-$$} % 10000))

launcher=()
if [ -n "${SLURM_JOB_ID:-}" ]; then
    launcher=(srun --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK")
fi
launcher+=(torchrun --nnodes="${SLURM_JOB_NUM_NODES:-1}" --nproc_per_node=4 --rdzv_backend=c10d --rdzv_endpoint="$rendezvous_host:$rendezvous_port" --rdzv_id="${SLURM_JOB_ID:-$$}")

"${launcher[@]}" -m project.train
