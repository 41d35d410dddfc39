# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's parts. Plain data, no I/O. Private to hpc.pytorch.

The parts of an array are its tasks, those of a heterogeneous job its components; any other job is one part without a
name.
"""

from __future__ import annotations

import re
import typing as t

from ...._common.lines import whole

# Slurm allows no larger array; the rest of a longer range is ignored.
_MOST = 4000001


class Part(t.NamedTuple):
    """A job, a task of an array, or a component of a heterogeneous job.

    :arg name: ``3`` for a task of an array, ``+1`` for a component, empty for a job without parts.
    :arg number: Slurm's own number for it, which may be part of the path of its output.
    :arg exit_code: of its script; 0 while it runs.
    :arg signal: the signal that ended it, according to Slurm; 0 for none.
    :arg nodes: as Slurm writes them: ``titan[01-02]``.
    :arg restarts: how often Slurm has put it back into the queue.
    :arg partitions: those that it may start in, with commas.
    """

    name: str
    state: str
    reason: str = ""
    number: str = ""
    job_name: str = ""
    exit_code: int = 0
    signal: int = 0
    nodes: str = ""
    restarts: int = 0
    stdout: str = ""
    stderr: str = ""
    partitions: str = ""


def exit_status(text: str) -> tuple[int, int]:
    """Exit code and signal: ``"3:0"`` gives ``(3, 0)``."""
    code, _sign, signal = text.partition(":")
    return whole(code) or 0, whole(signal) or 0


def indices(text: str, most: int = _MOST) -> list[int]:
    """The indices of an array as sbatch takes them: ``"0-7:2,9%4"`` gives ``[0, 2, 4, 6, 9]``.

    :arg most: the rest of a longer list is left out.
    """
    found: list[int] = []
    for item in text.partition("%")[0].split(","):
        match = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18})(?::([0-9]{1,18}))?)?\s*", item)
        if match:
            first, last, step = int(match.group(1)), int(match.group(2) or match.group(1)), int(match.group(3) or 1)
            found.extend(range(first, min(last, first + _MOST) + 1, max(step, 1))[: max(0, most - len(found))])
    return found
