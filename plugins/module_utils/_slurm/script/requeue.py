# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that is told of its time limit, and goes back into the queue with a checkpoint. Private to hpc.pytorch."""

from __future__ import annotations

from .kinds import Plan

# A signal ends wait, not the command. The second wait tells how the command ended, or 127 where the first one did.
_TRAP = """\
# USR1 comes before the time limit: the command writes a checkpoint and ends with 0, and the job goes back into the queue.
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
run_to_checkpoint() {
    local code=127 told
    if [ "$signalled" = yes ]; then requeue_job; fi
    "$@" &
    command_pid=$!
    woken=yes
    while [ "$woken" = yes ]; do
        woken=no
        told=0
        wait "$command_pid" 2>/dev/null || told=$?
        if [ "$told" != 127 ]; then code=$told; fi
    done
    command_pid=
    if [ "$signalled" = no ]; then return "$code"; fi
    if [ "$code" != 0 ]; then
        printf 'job script: expected a checkpoint and exit code 0 after USR1; found exit code %s; remedy: %s\\n' \\
            "$code" 'handle SIGUSR1 in the command' >&2
        exit "$code"
    fi
    requeue_job
}"""


def trap(plan: Plan) -> str:
    """The trap and the function that starts a command under it; nothing for Lightning, whose processes do it."""
    return _TRAP if plan.checkpoint is not None and plan.kind != "lightning" else ""
