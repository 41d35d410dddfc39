# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The array ``launcher``: srun, a container and a launcher in front of the command. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..images import Parts
from ..parameters import Options
from ..shell import word
from . import agents
from .plan import AGENTS, Plan


def launcher(options: Options, plan: Plan, container: Parts | None) -> str:
    """Render the lines that set the array ``launcher``."""
    inner = [*(container.words if container else []), *agents.words(options, plan)]
    before = agents.lines(options, plan)
    agent_below = plan.checkpoint is not None and plan.launcher in AGENTS
    if not plan.srun and not agent_below and not (container and container.lines):
        return "\n".join([*before, _array("launcher=", inner or ["env"])])
    # env starts a program and changes nothing; in old shells an empty array is an error.
    lines = [*before, _array("launcher=", [] if inner else ["env"])]
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


def once_per_node(plan: Plan, container: Parts | None) -> str:
    """Render the lines that set the array ``on_each_node``: a step of one task on each node, in the same image."""
    words = ['--nodes="$SLURM_JOB_NUM_NODES"', '--ntasks="$SLURM_JOB_NUM_NODES"', "--ntasks-per-node=1"]
    words += _environment(plan) + (container.srun if container else [])
    inner = container.words if container else []
    lines = [
        _array("on_each_node=", [] if inner else ["env"]),
        'if [ -n "${SLURM_JOB_ID:-}" ]; then',
        "    " + _array("on_each_node=", ["srun", "--kill-on-bad-exit=1", *words]),
        *(["else", "    " + container.outside] if container and container.outside else []),
        "fi",
        *(container.lines if container else []),
    ]
    return "\n".join([*lines, *([_array("on_each_node+=", inner)] if inner else [])])


def srun(options: Options, plan: Plan) -> list[str]:
    """The options of srun: the generated ones, then srun_options."""
    given = {name for name, _value in options.srun_options}
    words: list[str] = []
    if "kill-on-bad-exit" not in given:
        # Otherwise the other processes would wait for the failed one.
        words.append("--kill-on-bad-exit=1")
    if "ntasks" not in given:
        if plan.step_tasks is not None:
            # Without it srun takes the job's number of tasks, and ignores --ntasks-per-node.
            words.append("--ntasks=%d" % (int(plan.directives["nodes"]) * plan.step_tasks))
        elif plan.kind in ("single", "multi_gpu", "array") and plan.launcher in AGENTS:
            words.append("--ntasks=1")
    if "cpus-per-task" in plan.directives and "cpus-per-task" not in given:
        words.append('--cpus-per-task="%s"' % cpus(plan))
    if "export" not in given:
        words += _environment(plan)
    return words + [
        "--" + name + ("" if value is True else "=" + word(str(value))) for name, value in options.srun_options
    ]


def _environment(plan: Plan) -> list[str]:
    # Otherwise sbatch's --export would apply to srun too, and the activated environment would be lost.
    return ["--export=ALL"] if "export" in plan.directives else []


def cpus(plan: Plan) -> str:
    """The CPUs of a task that srun starts, for use between double quotes.

    A task of a step with fewer tasks than the job has the CPUs of several.
    """
    per_node = plan.directives.get("ntasks-per-node")
    share = int(per_node) // plan.step_tasks if per_node and plan.step_tasks else 1
    return "$((SLURM_CPUS_PER_TASK * %d))" % share if share > 1 else "$SLURM_CPUS_PER_TASK"


def _array(name: str, words: t.Sequence[str]) -> str:
    return "%s(%s)" % (name, " ".join(words))
