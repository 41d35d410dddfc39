#!/bin/bash
#SBATCH --job-name=train
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:1
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
    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

type -P ch-run >/dev/null || stop_job 'expected ch-run on this node; found none on PATH; remedy: load its module, or run the job where it is installed'
[ -e /images/torch ] || stop_job 'expected the image /images/torch; found nothing there; remedy: make it, or correct container.image'
export USER="${USER:-$(id -un)}"
if [ -e /dev/nvidiactl ] && [ -d /images/torch ]; then
    libcuda=$(find /images/torch/usr /images/torch/lib* -name libcuda.so.1 -print -quit 2>/dev/null || true)
    [ -n "$libcuda" ] || stop_job 'expected the driver'"'"'s libcuda.so.1 in the image /images/torch; found none; remedy: ch-fromhost --nvidia IMAGE, once, on a node with a GPU'
fi

launcher=()
environment=()
if [ -e /images/torch/ch/environment ]; then environment=(--set-env); fi
launcher+=(ch-run ${environment[@]+"${environment[@]}"} --bind="$PWD":/mnt/0 --cd=/mnt/0 /images/torch --)

"${launcher[@]}" python train.py
