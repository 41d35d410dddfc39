# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a command of Slurm's, or ssh to run one, and waits for it. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._common.lines import lines_of
from .._common.process import Done, run

# Users set these for all their jobs, and they apply here too; others (SBATCH_WAIT, SBATCH_ARRAY_INX, ...) would change
# what is submitted.
_KEPT = ("SBATCH_ACCOUNT", "SBATCH_QOS", "SBATCH_RESERVATION")
# A plugin may print a page about what is wrong.
_MOST_OF_SBATCH = 60
_FOREIGN = r"SBATCH_|SQUEUE_|SINFO_|SCONTROL_|SLURM_(TIME_FORMAT|ARRAY_)|LC_ALL$"


def run_command(
    argv: t.Sequence[str],
    seconds: float,
    environment: t.Mapping[str, str],
    text: str = "",
    folder: str | None = None,
) -> Done:
    """Run *argv* with *text* as its input, in a session of its own.

    So Ctrl-C reaches only this process, which has to clean up with these commands.

    :arg folder: where it runs; None for the current folder.
    :raises OSError: it cannot be started.
    :raises OutOfTime: it took longer than *seconds*. It has been killed with all that it started.
    """
    return run(argv, environment, seconds=seconds, given=text, folder=folder, alone=True)


def slurm_environment(variables: t.Mapping[str, str]) -> dict[str, str]:
    """*variables* without those that would change what sbatch or squeue does, and with English messages."""
    kept = {name: value for name, value in variables.items() if name in _KEPT or not re.match(_FOREIGN, name)}
    return dict(kept, LC_ALL="C.UTF-8")


def failure(command: str, status: int, *outputs: str) -> str:
    """Why *command* failed, on one line: the first output that is not empty, of a long one its begin and end.

    ``sbatch: error: Invalid account`` becomes ``Invalid account``. The messages of a site's job_submit plugin are shown
    whole, without the lines that only draw a frame.
    """
    prefix = re.compile(r"^%s: (error: |fatal: )?" % re.escape(command))
    most = _MOST_OF_SBATCH if command == "sbatch" else 3
    for output in outputs:
        lines = [prefix.sub("", line.strip()).strip() for line in lines_of(output)]
        lines = [line for line in lines if line.strip("=-*#~_+|. ")]
        if lines:
            return "; ".join(lines if len(lines) <= most else [lines[0], *lines[1 - most :]])
    return "exit status %d" % status
