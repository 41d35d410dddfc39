# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkpoint before the time limit: its directives, and the trap that puts the job back. Private to hpc.pytorch."""

from __future__ import annotations

from ...._common.errors import UserError
from ...model.times import minutes
from ...sbatch.script_text import Directives
from .ending import BEFORE_REQUEUE
from .plan import AGENTS, Plan

# A signal ends wait, not the command. The second wait returns the exit code, or 127 if the first one returned it.
_TRAP = """\
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
        printf 'job script: expected a checkpoint and exit code 0 after USR1; found exit code %s; remedy: %s\\n' \\
            "$code" 'handle SIGUSR1 in the command' >&2
        exit "$code"
    fi
    requeue_job
}"""


def require(launcher: str, srun: bool, checkpoint: int, wanted: Directives) -> None:
    """Refuse options that leave no room for a checkpoint.

    :arg checkpoint: seconds before the time limit.
    :raises UserError: one of them.
    """
    # sbatch's manual: --signal takes at most 65535 seconds.
    if not 1 <= checkpoint <= 65535:
        raise UserError(
            "checkpoint_seconds to be a whole number from 1 to 65535", str(checkpoint), "give for example 120"
        )
    limit = minutes(str(wanted.get("time", "0")))
    if limit and checkpoint >= limit * 60:
        raise UserError(
            "checkpoint_seconds to be below the time limit, or Slurm would signal the job as soon as it starts",
            "checkpoint_seconds: %d, time: %s" % (checkpoint, wanted["time"]),
            "give for example 120",
        )
    if launcher in AGENTS and not srun:
        raise UserError(
            "srun to be true with checkpoint_seconds and launcher: %s, as it passes the signal to the processes"
            % launcher,
            "srun: false",
            "leave srun out",
        )
    for name in ("signal", "no-requeue"):
        if name in wanted:
            raise UserError(
                "%s to be unset with checkpoint_seconds, which sets it" % name.replace("-", "_"),
                str(wanted[name]),
                "leave one of them out",
            )
    if str(wanted.get("open-mode", "append")) != "append":
        raise UserError(
            "open_mode to be append with checkpoint_seconds",
            "truncate",
            "leave open_mode out: every restart would empty the output",
        )


def add(kind: str, seconds: int, wanted: Directives) -> None:
    """Add the directives that signal the job and put it back into the queue."""
    # Lightning's own handlers need the signal in every process; otherwise the script's trap passes it on.
    wanted["signal"] = ("SIGUSR1@%d" if kind == "lightning" else "B:USR1@%d") % seconds
    wanted["requeue"] = True
    wanted["open-mode"] = "append"


def requeue_trap(plan: Plan, always: bool) -> str:
    """The trap and the function that starts a command under it; empty for Lightning, which has its own handler.

    :arg always: whether there are lines that run however the job ends.
    """
    if plan.checkpoint is None or plan.kind == "lightning":
        return ""
    begin = "requeue_job() {\n"
    return _TRAP.replace(begin, begin + BEFORE_REQUEUE) if always else _TRAP
