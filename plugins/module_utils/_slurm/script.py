# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job script from its options. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._host.errors import UserError
from . import activation, code, directives, guide, options
from . import exports as variables
from . import modules as environment_modules
from .shell import STOP

KINDS = ("single",)
STYLES = ("current", "guide")


class Script(t.NamedTuple):
    """What a job script holds and what is worth saying about it."""

    content: str
    directives: directives.Directives
    warnings: t.List[str]
    blocks: t.Dict[str, str]
    """The shell code that came in by options, by option: each must be whole by itself."""


def render(params: t.Mapping[str, t.Any]) -> Script:
    """The script for the module's options.

    :raises UserError: an option that cannot be, or options that contradict each other.
    """
    asked = options.collect(params)
    blocks = {name: code.read(name, params.get(name)) for name in ("pre", "command", "post")}
    if not blocks["command"]:
        raise UserError("command as one or more lines of shell", "nothing", "say what the job runs")
    exports = variables.read(params.get("exports"))
    modules = environment_modules.read(params.get("modules"))
    as_guide = params.get("style") == "guide"
    activation.require_consistent(params, as_guide)
    found = options.warnings(params)
    if any(name == "CUDA_VISIBLE_DEVICES" for name, _value in exports):
        found.append("exports sets CUDA_VISIBLE_DEVICES by hand: Slurm sets it to the GPUs that the job was given")
    if not as_guide:
        found.extend(_task_warnings(params, blocks))

    head = "\n".join(["#!/bin/bash", *(directives.line(name, value) for name, value in asked.items())])
    parts = [head, *(guide.lines if as_guide else _current)(params, modules, exports, blocks)]
    return Script(
        "\n\n".join(part for part in parts if part) + "\n",
        asked,
        found,
        {name: block for name, block in blocks.items() if block},
    )


def _current(
    params: t.Mapping[str, t.Any],
    modules: t.Sequence[str],
    exports: t.Sequence[t.Tuple[str, str]],
    blocks: t.Mapping[str, str],
) -> t.Iterator[str]:
    """What we would write today: it stops at the first failure, and needs nothing of the shell that submits it."""
    yield "# Written by hpc.pytorch.sbatch_script: change the play, not this file.\nset -euo pipefail"
    env = params.get("conda_env")
    if modules or env:
        yield STOP
    if modules:
        yield environment_modules.load(modules)
    if env:
        yield activation.activate(params)
        # A user's site-packages (pip install --user) would go before the env's.
        yield "export PYTHONNOUSERSITE=1"
    if params.get("cpus_per_task"):
        # Torch would take every CPU it sees; srun of Slurm 22.05 to 23.02 does not inherit the number.
        yield "\n".join(
            [
                'if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then',
                '    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"',
                "fi",
            ]
        )
    yield "\n".join(variables.line(name, value) for name, value in exports)
    yield blocks["pre"]
    yield blocks["command"]
    yield blocks["post"]


def _task_warnings(params: t.Mapping[str, t.Any], blocks: t.Mapping[str, str]) -> t.Iterator[str]:
    tasks = params.get("ntasks") or 1
    starts = re.search(r"\b(srun|mpirun|mpiexec|torchrun)\b", "\n".join(blocks.values()))
    if tasks > 1 and not starts:
        yield (
            "ntasks: %d asks for %d processes and the command starts one: for one process with %d CPUs give "
            "ntasks: 1 and cpus_per_task: %d, for %d processes start it with srun" % (tasks, tasks, tasks, tasks, tasks)
        )
