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

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK > 2 ? SLURM_CPUS_PER_TASK / 2 : 1))" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

export EPOCHS=3

rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\n'*}
fi
rendezvous_port=$((20000 + ${SLURM_JOB_ID:-$$} % 10000))

export NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

launcher=()
if [ -n "${SLURM_JOB_ID:-}" ]; then
    launcher=(srun --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" --container-image='nvcr.io#nvidia/pytorch:24.01-py3' --container-mounts=/data:/data:ro,"$PWD":"$PWD" --container-workdir="$PWD" --container-env=EPOCHS,NVIDIA_VISIBLE_DEVICES,NVIDIA_DRIVER_CAPABILITIES)
else
    stop_job 'expected a job of Slurm, as container.engine is pyxis, a part of srun; found none; remedy: submit it with sbatch'
fi
launcher+=(torchrun --nnodes="${SLURM_JOB_NUM_NODES:-1}" --nproc_per_node=2 --rdzv_backend=c10d --rdzv_endpoint="$rendezvous_host:$rendezvous_port" --rdzv_id="${SLURM_JOB_ID:-$$}")

"${launcher[@]}" train.py
