# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job script from its options. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..lint.script import lint
from ..sbatch import gpus, options, script_text, version
from . import (
    activation,
    code,
    containers as images,
    exports as variables,
    guide,
    kinds,
    launch,
    modules as environment_modules,
    rendezvous,
    requeue,
    venv,
)
from .kinds import Plan
from .shell import STOP

STYLES = ("current", "guide")

# What options.warnings says in the words of the play, and what the target itself can answer.
_SAID_ELSEWHERE = ("gpus-twice", "variable-in-directive", "output-folder")

# sbatch hands on what the submitting shell has of a GPU node's, and a container engine would believe it.
_NO_GPUS = """\
if [ -n "${SLURM_JOB_ID:-}" ] && [ -z "${SLURM_JOB_GPUS:-}${SLURM_GPUS_ON_NODE:-}" ]; then
    unset CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES
fi"""


class Script(t.NamedTuple):
    """What a job script holds and what is worth saying about it."""

    content: str
    directives: script_text.Directives
    warnings: list[str]
    blocks: dict[str, str]
    """The shell code that came in by options, by option: each must be whole by itself."""


def render(params: t.Mapping[str, t.Any], slurm: t.Sequence[int] | None = None) -> Script:
    """The script for the module's options.

    :arg slurm: the version of the cluster's Slurm, where it is known and the options do not say it.
    :raises UserError: an option that cannot be, or options that contradict each other.
    """
    asked = options.collect(params)
    blocks = {name: code.read(name, params.get(name)) for name in ("pre", "command", "post")}
    if not blocks["command"]:
        raise UserError("command as one or more lines of shell", "nothing", "say what the job runs")
    as_guide = params.get("style") == "guide"
    activation.require_consistent(params, as_guide)
    venv.require_path(params)
    images.require_alone(params)
    if as_guide:
        guide.require_plain(params)
    plan = kinds.settle(params, asked)
    known = version.parse(params.get("slurm_version")) or slurm
    plan = plan._replace(directives=version.fit(plan.directives, known))
    head = "\n".join(["#!/bin/bash", *(script_text.line(name, value) for name, value in plan.directives.items())])
    parts = [head, *(guide.lines if as_guide else _current)(params, plan, blocks)]
    content = "\n\n".join(part for part in parts if part) + "\n"
    found = options.warnings(params)
    if not as_guide:
        found += ["%s; %s" % (one.message, one.remedy) for one in lint(content) if one.code not in _SAID_ELSEWHERE]
    return Script(
        content,
        plan.directives,
        found,
        {name: block for name, block in blocks.items() if block},
    )


def _current(params: t.Mapping[str, t.Any], plan: Plan, blocks: t.Mapping[str, str]) -> t.Iterator[str]:
    """What we would write today: it stops at the first failure, and needs nothing of the shell that submits it."""
    exports = variables.read(params.get("exports"))
    image = images.container(params.get("container"), gpus.asked(plan.directives), [name for name, _value in exports])
    modules = environment_modules.read(params.get("modules"))
    use, purge = environment_modules.folders(params.get("modules_use")), bool(params.get("modules_purge"))
    env = params.get("conda_env")
    in_venv = venv.activate(params)
    yield "# Written by hpc.pytorch.sbatch_script: change the play, not this file.\nset -euo pipefail"
    if modules or use or purge or env or in_venv or image:
        yield STOP
    if not gpus.asked(plan.directives):
        yield _NO_GPUS
    if modules or use or purge:
        yield environment_modules.load(modules, use, purge)
    if env:
        yield activation.activate(params)
    yield in_venv
    if env or in_venv:
        # A user's site-packages (pip install --user) would go before the env's.
        yield "export PYTHONNOUSERSITE=1"
    if "cpus-per-task" in plan.directives:
        yield _cpus(plan)
    yield "\n".join(variables.line(name, value) for name, value in exports)
    yield rendezvous.setup(plan, params.get("rendezvous_port"))
    yield requeue.trap(plan)
    yield blocks["pre"]
    if plan.prefixed or image:
        # After pre, which may change the folder or make the image.
        if image:
            yield "\n".join(image.check)
        yield launch.setup(params, plan, image)
        yield "\n".join(launch.commands("command", blocks["command"], plan))
    else:
        yield blocks["command"]
    yield blocks["post"]


def _cpus(plan: Plan) -> str:
    """The CPUs of a task, for OpenMP and srun: torch would take every one that it sees; srun of Slurm 22.05 to 23.02 none."""
    threads = '"$SLURM_CPUS_PER_TASK"'
    if plan.launcher in kinds.AGENTS:
        # The processes of one task share its CPUs.
        processes = "%d" % plan.processes if plan.processes else "${SLURM_GPUS_ON_NODE:-1}"
        threads = '"$((SLURM_CPUS_PER_TASK > {0} ? SLURM_CPUS_PER_TASK / {0} : 1))"'.format(processes)
    return "\n".join(
        [
            'if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then',
            '    export OMP_NUM_THREADS=%s SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"' % threads,
            "fi",
        ]
    )
