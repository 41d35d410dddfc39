#!/bin/bash
#SBATCH --job-name=train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gres=gpu:4
#SBATCH --mem=64G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
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
    export OMP_NUM_THREADS="$((SLURM_CPUS_PER_TASK > 4 ? SLURM_CPUS_PER_TASK / 4 : 1))" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
fi

rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\n'*}
fi
rendezvous_port=$((20000 + ${SLURM_JOB_ID:-$$} % 10000))

# Slurm sends USR1 before the time limit. The command writes a checkpoint and ends with 0; the job is requeued.
signalled=no
command_pid=
on_usr1() {
    signalled=yes
    woken=yes
    if [ -n "$command_pid" ]; then kill -USR1 "$command_pid" 2>/dev/null || true; fi
}
trap on_usr1 USR1
requeue_job() {
    if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then
        scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    elif [ -n "${SLURM_JOB_ID:-}" ]; then
        scontrol requeue "$SLURM_JOB_ID"
    fi
    exit 0
}
# A job that is preempted has its GraceTime for a checkpoint: Slurm sends TERM to what srun started, nothing to this
# script. If the script ended now, the job would count as completed.
preempted() {
    [ -n "${SLURM_JOB_ID:-}" ] || return 1
    case "$(scontrol show job "$SLURM_JOB_ID" 2>/dev/null || true)" in
        *" PreemptTime="[0-9]*) return 0 ;;
    esac
    return 1
}
run_to_checkpoint() {
    local code=127 status
    if [ "$signalled" = yes ]; then requeue_job; fi
    "$@" &
    command_pid=$!
    # The signal may have come before the trap knew the process.
    if [ "$signalled" = yes ]; then kill -USR1 "$command_pid" 2>/dev/null || true; fi
    woken=yes
    while [ "$woken" = yes ]; do
        woken=no
        status=0
        wait "$command_pid" 2>/dev/null || status=$?
        if [ "$status" != 127 ]; then code=$status; fi
    done
    command_pid=
    if [ "$signalled" = no ]; then
        if preempted; then requeue_job; fi
        return "$code"
    fi
    if [ "$code" != 0 ]; then
        printf 'job script: expected a checkpoint and exit code 0 after USR1; found exit code %s; remedy: %s\n' \
            "$code" 'handle SIGUSR1 in the command' >&2
        exit "$code"
    fi
    requeue_job
}

launcher=()
if [ -n "${SLURM_JOB_ID:-}" ]; then
    launcher=(srun --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK")
fi
launcher+=(sh -c 'trap '"'"''"'"' USR1; exec "$@"' sh)
launcher+=(torchrun --nnodes="${SLURM_JOB_NUM_NODES:-1}" --nproc_per_node=4 --rdzv_backend=c10d --rdzv_endpoint="$rendezvous_host:$rendezvous_port" --rdzv_id="${SLURM_JOB_ID:-$$}")

run_to_checkpoint "${launcher[@]}" train.py
