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

set +eu
if ! type module >/dev/null 2>&1; then
    for init in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" \
        /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /etc/profile.d/modules.sh \
        /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
        if [ -r "$init" ]; then
            source "$init" || true
            break
        fi
    done
fi
type module >/dev/null 2>&1 || stop_job 'expected the command module; found none on this node; remedy: install Lmod or Environment Modules here, or leave modules out'
module purge
module use /opt/modules
module use "$HOME"/'my modules'
module load apptainer || stop_job 'expected the module apptainer; found that it does not load; remedy: see module avail on this node'
set -eu

if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

type -P apptainer >/dev/null || stop_job 'expected apptainer on this node; found none on PATH; remedy: load its module, or run the job where it is installed'
[ -e "$HOME"/images/torch.sif ] || stop_job 'expected the image ~/images/torch.sif; found nothing there; remedy: make it, or correct container.image'

launcher=(apptainer exec --nv --bind=/data:/data:ro --bind="$HOME"/out:"$HOME"/out --pwd="$PWD" --cleanenv "$HOME"/images/torch.sif)

"${launcher[@]}" python train.py
