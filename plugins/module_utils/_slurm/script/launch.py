# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the command: srun, a container, a launcher, the trap for a checkpoint. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ..._common.errors import UserError, shown
from .images import Parts
from .kinds import AGENTS, Plan
from .parameters import Options

# Every version of the launchers knows the underscores in their options; only newer ones know hyphens.
_PROGRAMS = {
    "torchrun": ["torchrun"],
    "torch.distributed.run": ["python", "-m", "torch.distributed.run"],
    "torch.distributed.launch": ["python", "-m", "torch.distributed.launch", "--use_env"],
    "accelerate": ["accelerate", "launch"],
    "deepspeed": ["deepspeed"],
    "mpirun": ["mpirun"],
}
_RANK = {"accelerate": "--machine_rank"}
# The first words of lines that are shell code; a launcher needs a program.
_NO_PROGRAM = re.compile(
    r"(if|for|while|until|case|select|function|time|cd|export|set|unset|source|eval|exec|trap|ulimit|module|wait|exit"
    r"|srun|mpirun|mpiexec|torchrun|accelerate|deepspeed|\.|!|\{|\(|\[|\[\[)(?=\s|;|$)|[A-Za-z_]\w*\+?=|[({&|;<>]"
)

# The name, not the address: many nodes resolve their own name to 127.0.1.1.
_HOST = """\
rendezvous_host=localhost
if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    rendezvous_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
    rendezvous_host=${rendezvous_host%%$'\\n'*}
fi"""
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
    if [ "$signalled" = no ]; then return "$code"; fi
    if [ "$code" != 0 ]; then
        printf 'job script: expected a checkpoint and exit code 0 after USR1; found exit code %s; remedy: %s\\n' \\
            "$code" 'handle SIGUSR1 in the command' >&2
        exit "$code"
    fi
    requeue_job
}"""


def launcher(options: Options, plan: Plan, container: Parts | None) -> str:
    """Render the lines that set the array ``launcher``."""
    inner = [*(container.words if container else []), *_agent(options, plan)]
    agent_below = plan.checkpoint is not None and plan.launcher in AGENTS
    if not plan.srun and not agent_below and not (container and container.lines):
        return _array("launcher=", inner or ["env"])
    # env starts a program and changes nothing; in old shells an empty array is an error.
    lines = [_array("launcher=", [] if inner else ["env"])]
    if plan.srun:
        words = [*srun(options, plan), *(container.srun if container else [])]
        lines += [
            'if [ -n "${SLURM_JOB_ID:-}" ]; then',
            "    " + _array("launcher=", ["srun", *words]),
            *(["else", "    " + container.outside] if container and container.outside else []),
            "fi",
        ]
    if agent_below:
        # The signal would kill the agent. It is meant for the agent's processes, which set a handler.
        lines.append(_array("launcher+=", ["sh", "-c", shlex.quote("trap '' USR1; exec \"$@\""), "sh"]))
    if container:
        lines += container.lines
    if inner:
        lines.append(_array("launcher+=", inner))
    return "\n".join(lines)


def srun(options: Options, plan: Plan) -> list[str]:
    """The options of srun: the generated ones, then srun_options."""
    given = {name for name, _value in options.srun_options}
    words: list[str] = []
    if "kill-on-bad-exit" not in given:
        # Otherwise the other processes would wait for the failed one.
        words.append("--kill-on-bad-exit=1")
    if plan.kind in ("single", "multi_gpu", "array") and plan.launcher in AGENTS and "ntasks" not in given:
        words.append("--ntasks=1")
    if "cpus-per-task" in plan.directives and "cpus-per-task" not in given:
        words.append('--cpus-per-task="$SLURM_CPUS_PER_TASK"')
    if "export" in plan.directives and "export" not in given:
        # Otherwise sbatch's --export would apply to srun too, and the activated environment would be lost.
        words.append("--export=ALL")
    return words + [
        "--" + name + ("" if value is True else "=" + shlex.quote(str(value))) for name, value in options.srun_options
    ]


def commands(option: str, lines: str, plan: Plan) -> list[str]:
    """Render the command: one program a line, each after the programs that start it.

    :raises UserError: a line of shell code instead of a program.
    """
    whole = re.sub(r"\\\n[ \t]*", " ", lines)
    found: list[str] = []
    for line in (text.strip() for text in whole.split("\n")):
        if not line or line.startswith("#"):
            found.append(line)
            continue
        if _NO_PROGRAM.match(line):
            raise UserError(
                "%s to be one program a line, because a launcher, srun or a container starts it" % option,
                shown(line),
                "put shell code in pre and post, variables in exports, and launchers in launcher and srun",
            )
        waited_for = plan.checkpoint is not None and plan.kind != "lightning"
        if waited_for and _operators(line):
            # The signal would reach a subshell, or no process.
            raise UserError(
                "command to be one program a line without | & ; with checkpoint_seconds",
                shown(line),
                "redirect its output with > FILE, or use a script",
            )
        front = "run_to_checkpoint " if waited_for else ""
        found.append(front + '"${launcher[@]}" ' + _program(line, plan.launcher))
    return found


def _operators(line: str) -> bool:
    """Whether a line of shell starts more than one program; redirections do not count."""
    words = shlex.shlex(re.sub(r"\d*[<>]&\d*-?|&>>?", ">", line), posix=True, punctuation_chars=";|&()")
    words.whitespace_split = True
    try:
        return any(word and set(word) <= set(";|&()") for word in words)
    except ValueError:
        # An open quote: bash reports it.
        return False


def _agent(options: Options, plan: Plan) -> list[str]:
    """The launcher and its options, as words of shell."""
    if plan.launcher == "none":
        return []
    words = list(_PROGRAMS[plan.launcher])
    if plan.rendezvous == "static" and plan.kind == "multi_node":
        # Only the task on a node knows the number of the node.
        rank = 'exec %s %s="${SLURM_NODEID:-0}" "$@"' % (" ".join(words), _RANK.get(plan.launcher, "--node_rank"))
        words = ["sh", "-c", shlex.quote(rank), "sh"]
    processes, nodes = _processes(plan), '"${SLURM_JOB_NUM_NODES:-1}"'
    if plan.launcher == "mpirun":
        words += ["-np", '"${SLURM_NTASKS:-%s}"' % (plan.processes or 1) if plan.kind == "multi_node" else processes]
    elif plan.launcher == "deepspeed":
        words.append("--num_gpus=%s" % processes)
    elif plan.launcher == "accelerate":
        # Without quotes: an arithmetic expansion does not allow them.
        words.append('--num_processes="$((${SLURM_JOB_NUM_NODES:-1} * %s))"' % processes.strip('"'))
        words.append("--num_machines=%s" % nodes)
    else:
        if plan.rendezvous != "standalone":
            words.append("--nnodes=%s" % nodes)
        words.append("--nproc_per_node=%s" % processes)
    words += _rendezvous(plan)
    for name, value in options.launcher_options:
        words.append("--" + name + ("" if value is True else "=" + shlex.quote(str(value))))
    return words


def _processes(plan: Plan) -> str:
    if plan.processes is None:
        return '"${SLURM_GPUS_ON_NODE:-1}"'
    return str(plan.processes)


def _program(line: str, launcher: str) -> str:
    """A line of the command for the launcher: agents run ``train.py``, not ``python train.py``."""
    if launcher not in AGENTS:
        return line
    script = re.match(r"python3?(?:\.\d+)?\s+(?!-)(.*)", line)
    module = re.match(r"python3?(?:\.\d+)?\s+-m\s+(.*)", line)
    if script:
        return script[1]
    if module:
        return ("--module " if launcher == "deepspeed" else "-m ") + module[1]
    return line if re.match(r"\S+\.py(\s|$)", line) else "--no_python " + line


def _array(name: str, words: t.Sequence[str]) -> str:
    return "%s(%s)" % (name, " ".join(words))


def rendezvous(plan: Plan, port: int | None) -> str:
    """Render the lines that set rendezvous_host and rendezvous_port, and for ``env`` MASTER_ADDR and MASTER_PORT."""
    if plan.rendezvous in ("none", "standalone"):
        return ""
    lines = [_HOST]
    # Two jobs on a node must not use the same port.
    lines.append("rendezvous_port=%s" % (port if port is not None else "$((20000 + ${SLURM_JOB_ID:-$$} % 10000))"))
    if plan.rendezvous == "env":
        lines.append('export MASTER_ADDR="$rendezvous_host" MASTER_PORT="$rendezvous_port"')
    return "\n".join(lines)


def _rendezvous(plan: Plan) -> list[str]:
    """The launcher's options for the rendezvous."""
    if plan.rendezvous not in ("standalone", "c10d", "static"):
        return []
    if plan.launcher == "deepspeed":
        return ['--master_port="$rendezvous_port"']
    if plan.launcher == "accelerate":
        backend = ["--rdzv_backend=c10d"] if plan.rendezvous == "c10d" else []
        return [*backend, '--main_process_ip="$rendezvous_host"', '--main_process_port="$rendezvous_port"']
    if plan.rendezvous == "standalone":
        return ["--standalone"]
    if plan.rendezvous == "c10d":
        return [
            "--rdzv_backend=c10d",
            '--rdzv_endpoint="$rendezvous_host:$rendezvous_port"',
            '--rdzv_id="${SLURM_JOB_ID:-$$}"',
        ]
    return ['--master_addr="$rendezvous_host"', '--master_port="$rendezvous_port"']


def requeue_trap(plan: Plan) -> str:
    """The trap and the function that starts a command under it; empty for Lightning, which has its own handler."""
    return _TRAP if plan.checkpoint is not None and plan.kind != "lightning" else ""
