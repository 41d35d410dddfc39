# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders a job script from its options. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..lint.script import lint
from ..sbatch import gpus, script_text, version
from . import activation, environment_modules, guide, images, variables
from .parameters import Options
from .shell import STOP
from .start import checkpoint, commands, ending, kinds, launch, rendezvous
from .start.plan import AGENTS, Plan

STYLES = ("current", "guide")

# Findings that sbatch/options.py reports in the play's terms, or that declare.py checks on the target.
_REPORTED_ELSEWHERE = ("gpus-twice", "variable-in-directive", "output-folder")

# sbatch passes on the variables of the submitting shell. On a GPU node they name its GPUs, and a container engine
# would use them.
_NO_GPUS = """\
if [ -n "${SLURM_JOB_ID:-}" ] && [ -z "${SLURM_JOB_GPUS:-}${SLURM_GPUS_ON_NODE:-}" ]; then
    unset CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES
fi"""


class Script(t.NamedTuple):
    """A job script.

    :arg warnings: about a script that would run but probably not do what the user meant.
    :arg blocks: the shell code of the options, by option: each must be complete by itself.
    :arg slurm: the version of Slurm that it is for, None if that is not known.
    """

    content: str
    directives: script_text.Directives
    warnings: list[str]
    blocks: dict[str, str]
    slurm: t.Sequence[int] | None = None


def render(options: Options, slurm: t.Sequence[int] | None = None) -> Script:
    """Render the script.

    :arg slurm: the version of the cluster's Slurm, used if the options do not give one.
    :raises UserError: options that contradict each other, or that such a Slurm does not have.
    """
    as_guide = options.style == "guide"
    activation.require_consistent(options, as_guide)
    images.require_alone(options)
    if as_guide:
        guide.require_plain(options)
    plan = kinds.plan_of(options)
    known = version.parse(options.slurm_version) or slurm
    plan = plan._replace(directives=version.fit(plan.directives, known))
    shell = "#!/bin/bash -l" if options.login_shell else "#!/bin/bash"
    head = "\n".join([shell, *(script_text.line(name, value) for name, value in plan.directives.items())])
    parts = [head, *(guide.lines(options) if as_guide else _current(options, plan))]
    content = "\n\n".join(part for part in parts if part) + "\n"
    found = list(options.warnings)
    if not as_guide:
        skipped = _REPORTED_ELSEWHERE + (("tasks-without-srun",) if plan.launcher == "mpirun" else ())
        found += ["%s; %s" % (one.message, one.remedy) for one in lint(content, known) if one.code not in skipped]
    return Script(content, plan.directives, found, options.blocks, known)


def _current(options: Options, plan: Plan) -> t.Iterator[str]:
    """Render style: current, which stops at the first failure and needs nothing of the submitting shell."""
    image = None
    if options.container:
        names = [name for name, _value in options.exports]
        image = images.parts(options.container, gpus.requested(plan.directives), names)
    uses_modules = options.modules or options.modules_use or options.modules_purge
    environment = activation.activate(options)
    yield "# Written by hpc.pytorch.sbatch_script: change the play, not this file.\nset -euo pipefail"
    if uses_modules or environment or image:
        yield STOP
    if not gpus.requested(plan.directives):
        yield _NO_GPUS
    yield activation.undo(options)
    if uses_modules:
        yield environment_modules.load(options.modules, options.modules_use, options.modules_purge)
    yield environment
    if environment:
        # Otherwise a user's site-packages (pip install --user) would precede the environment's.
        yield "export PYTHONNOUSERSITE=1"
    if "cpus-per-task" in plan.directives:
        yield _cpus(plan)
    yield "\n".join(variables.line(name, value) for name, value in options.exports)
    yield rendezvous.lines(plan, options.rendezvous_port)
    yield ending.trap(options.always)
    yield checkpoint.requeue_trap(plan, bool(options.always))
    yield options.pre
    if image:
        # After pre, which may change the folder or make the image.
        yield "\n".join(image.check)
    if options.once_per_node:
        yield launch.once_per_node(plan, image)
        yield "\n".join(commands.once_per_node(options.once_per_node))
    if plan.prefixed or image:
        yield launch.launcher(options, plan, image)
        yield "\n".join(commands.commands(options.command, plan))
    else:
        yield options.command
    yield options.post


def _cpus(plan: Plan) -> str:
    """Render the number of CPUs for OpenMP and srun.

    torch would use every CPU that it sees, and srun of Slurm 22.05 to 23.02 would use one.
    """
    own = launch.cpus(plan)
    threads = '"%s"' % own
    if plan.launcher in AGENTS:
        # The processes of a task share its CPUs.
        processes = "%d" % plan.processes if plan.processes else "${SLURM_GPUS_ON_NODE:-1}"
        number = "SLURM_CPUS_PER_TASK" if own.startswith("$SLURM") else own[3:-2]
        threads = '"$(({1} > {0} ? {1} / {0} : 1))"'.format(processes, number)
    return "\n".join(
        [
            'if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then',
            '    export OMP_NUM_THREADS=%s SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"' % threads,
            "fi",
        ]
    )
