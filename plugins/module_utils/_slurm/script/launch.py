# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in front of the command: srun, a container, a launcher. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ..._common.errors import UserError, printable, shown
from ..sbatch.options import pairs
from . import rendezvous
from .containers import Container
from .kinds import AGENTS, Plan

# The underscores of their options are known to every version, the hyphens are not.
_PROGRAMS = {
    "torchrun": ["torchrun"],
    "torch.distributed.run": ["python", "-m", "torch.distributed.run"],
    "torch.distributed.launch": ["python", "-m", "torch.distributed.launch", "--use_env"],
    "accelerate": ["accelerate", "launch"],
    "deepspeed": ["deepspeed"],
    "mpirun": ["mpirun"],
}
_RANK = {"accelerate": "--machine_rank"}
# A word that only a line of shell can begin with; the launcher wants a program.
_NO_PROGRAM = re.compile(
    r"(if|for|while|until|case|select|function|time|cd|export|set|unset|source|eval|exec|trap|ulimit|module|wait|exit|srun|mpirun|mpiexec"
    r"|torchrun|accelerate|deepspeed|\.|!|\{|\(|\[|\[\[)(?=\s|;|$)|[A-Za-z_]\w*\+?=|[({&|;<>]"
)


def setup(params: t.Mapping[str, t.Any], plan: Plan, container: Container | None) -> str:
    """The lines that make the array ``launcher``."""
    inner = [*(container.words if container else []), *_agent(params, plan)]
    agent_below = plan.checkpoint is not None and plan.launcher in AGENTS
    if not plan.srun and not agent_below and not (container and container.lines):
        return _array("launcher=", inner or ["env"])
    # env starts a program and changes nothing: an empty array is an error in old shells.
    lines = [_array("launcher=", [] if inner else ["env"])]
    if plan.srun:
        words = [*srun(params, plan), *(container.srun if container else [])]
        lines += [
            'if [ -n "${SLURM_JOB_ID:-}" ]; then',
            "    " + _array("launcher=", ["srun", *words]),
            *(["else", "    " + container.outside] if container and container.outside else []),
            "fi",
        ]
    if agent_below:
        # The agent would die of the signal; it is for the processes that the agent starts, which set a handler.
        lines.append(_array("launcher+=", ["sh", "-c", shlex.quote("trap '' USR1; exec \"$@\""), "sh"]))
    if container:
        lines += container.lines
    if inner:
        lines.append(_array("launcher+=", inner))
    return "\n".join(lines)


def srun(params: t.Mapping[str, t.Any], plan: Plan) -> list[str]:
    """srun's options: ours, then those that were asked for.

    :raises UserError: what is no option of srun's.
    """
    asked = list(_options("srun_options", params.get("srun_options")))
    given = {name for name, _value in asked}
    words: list[str] = []
    if "kill-on-bad-exit" not in given:
        # The others would wait for a process that is gone.
        words.append("--kill-on-bad-exit=1")
    if plan.kind in ("single", "multi_gpu", "array") and plan.launcher in AGENTS and "ntasks" not in given:
        words.append("--ntasks=1")
    if "cpus-per-task" in plan.directives and "cpus-per-task" not in given:
        words.append('--cpus-per-task="$SLURM_CPUS_PER_TASK"')
    if "export" in plan.directives and "export" not in given:
        # Otherwise sbatch's --export would count for srun too, and the env would be gone.
        words.append("--export=ALL")
    return words + ["--" + name + ("" if value is True else "=" + shlex.quote(value)) for name, value in asked]


def commands(option: str, lines: str, plan: Plan) -> list[str]:
    """The command, one program a line, each with what stands in front of it.

    :raises UserError: a line that is shell and no program.
    """
    whole = re.sub(r"\\\n[ \t]*", " ", lines)
    found: list[str] = []
    for line in (text.strip() for text in whole.split("\n")):
        if not line or line.startswith("#"):
            found.append(line)
            continue
        if _NO_PROGRAM.match(line):
            raise UserError(
                "%s as programs, one a line, as something starts each of them" % option,
                shown(line),
                "put shell in pre and post, variables in exports, and leave launchers to launcher and srun",
            )
        waited_for = plan.checkpoint is not None and plan.kind != "lightning"
        if waited_for and _operators(line):
            # The signal would reach a subshell, or nobody.
            raise UserError(
                "a program a line without | & ; with checkpoint_seconds",
                shown(line),
                "redirect its output with > FILE, or use a script",
            )
        front = "run_to_checkpoint " if waited_for else ""
        found.append(front + '"${launcher[@]}" ' + _program(line, plan.launcher))
    return found


def _operators(line: str) -> bool:
    """Whether a line of shell is more than one program, redirections aside."""
    words = shlex.shlex(re.sub(r"\d*[<>]&\d*-?|&>>?", ">", line), posix=True, punctuation_chars=";|&()")
    words.whitespace_split = True
    try:
        return any(word and set(word) <= set(";|&()") for word in words)
    except ValueError:
        # A quote is open: bash says so.
        return False


def _agent(params: t.Mapping[str, t.Any], plan: Plan) -> list[str]:
    """The launcher with its options, as words of shell."""
    if plan.launcher == "none":
        return []
    words = list(_PROGRAMS[plan.launcher])
    if plan.rendezvous == "static" and plan.kind == "multi_node":
        # Each node has its own number, which only its own task knows.
        rank = 'exec %s %s="${SLURM_NODEID:-0}" "$@"' % (" ".join(words), _RANK.get(plan.launcher, "--node_rank"))
        words = ["sh", "-c", shlex.quote(rank), "sh"]
    processes, nodes = _processes(plan), '"${SLURM_JOB_NUM_NODES:-1}"'
    if plan.launcher == "mpirun":
        words += ["-np", '"${SLURM_NTASKS:-%s}"' % (plan.processes or 1) if plan.kind == "multi_node" else processes]
    elif plan.launcher == "deepspeed":
        words.append("--num_gpus=%s" % processes)
    elif plan.launcher == "accelerate":
        # As numbers: an arithmetic expansion holds no quotes.
        words.append('--num_processes="$((${SLURM_JOB_NUM_NODES:-1} * %s))"' % processes.strip('"'))
        words.append("--num_machines=%s" % nodes)
    else:
        if plan.rendezvous != "standalone":
            words.append("--nnodes=%s" % nodes)
        words.append("--nproc_per_node=%s" % processes)
    words += rendezvous.words(plan)
    for name, value in _options("launcher_options", params.get("launcher_options")):
        words.append("--" + name + ("" if value is True else "=" + shlex.quote(value)))
    return words


def _processes(plan: Plan) -> str:
    if plan.processes is None:
        return '"${SLURM_GPUS_ON_NODE:-1}"'
    return str(plan.processes)


def _program(line: str, launcher: str) -> str:
    """A line as the launcher wants it: these start Python scripts, whose python they bring themselves."""
    if launcher not in AGENTS:
        return line
    script = re.match(r"python3?(?:\.\d+)?\s+(?!-)(.*)", line)
    module = re.match(r"python3?(?:\.\d+)?\s+-m\s+(.*)", line)
    if script:
        return script[1]
    if module:
        return ("--module " if launcher == "deepspeed" else "-m ") + module[1]
    return line if re.match(r"\S+\.py(\s|$)", line) else "--no_python " + line


def _options(option: str, given: t.Any) -> t.Iterator[tuple[str, str | bool]]:
    for name, value in pairs(option, given):
        bare = name[2:] if name.startswith("--") else name
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]+", bare):
            raise UserError(
                "names of options in %s, written out" % option, shown(name), "give %s: {NAME: value}" % option
            )
        if value is None or value is True:
            yield bare, True
        elif isinstance(value, (str, int, float)) and value is not False and printable(str(value)):
            yield bare, str(value)
        else:
            raise UserError(
                "one line of printable text for %s in %s, or true for a flag" % (bare, option),
                shown(value),
                "correct it",
            )


def _array(name: str, words: t.Sequence[str]) -> str:
    return "%s(%s)" % (name, " ".join(words))
