#!/bin/bash
#SBATCH --job-name=train
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=12:00:00
#SBATCH --output=%x-%j.out

# Written by hpc.pytorch.sbatch_script: change the play, not this file.
set -euo pipefail

stop_job() {
    printf 'job script: %s\n' "$1" >&2
    exit 1
}

if [ -n "${SLURM_JOB_ID:-}" ] && [ -z "${SLURM_JOB_GPUS:-}${SLURM_GPUS_ON_NODE:-}" ]; then
    unset CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES
fi

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

export EPOCHS=3

type -P enroot >/dev/null || stop_job 'expected enroot on this node; found none on PATH; remedy: load its module, or run the job where it is installed'
[ -e /images/torch.sqsh ] || stop_job 'expected the image /images/torch.sqsh; found nothing there; remedy: make it, or correct container.image'

launcher=()
environment=()
for name in $(compgen -e); do
    case $name in
    SLURM_*|SRUN_*|MASTER_*|OMP_*|CUDA_*|NCCL_*|PYTHON*|EPOCHS) environment+=(--env "$name") ;;
    esac
done
launcher+=(enroot start ${environment[@]+"${environment[@]}"} --env NVIDIA_VISIBLE_DEVICES=void /images/torch.sqsh sh -c 'cd -- "$1" && shift && exec "$@"' sh /work)

"${launcher[@]}" python train.py
