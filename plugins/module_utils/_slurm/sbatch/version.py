# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an older Slurm calls an option. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, shown
from .options import in_order
from .script_text import Directives

# Slurm 19.05 brought them, with the selection plugin cons_tres.
_SINCE_19_05 = ("gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket", "cpus-per-gpu", "mem-per-gpu", "gpu-bind")


def parse(given: str | None) -> tuple[int, ...] | None:
    """A version such as 22.05 or 22.05.8 as numbers.

    :raises UserError: what is none.
    """
    if given is None:
        return None
    if not re.fullmatch(r"\d{2}\.\d{1,2}(\.\d+)*", given, re.ASCII):
        raise UserError("slurm_version such as 22.05 or 22.05.8, in quotes", shown(given), "see sbatch --version")
    return tuple(int(number) for number in given.split("."))


def fit(asked: Directives, version: t.Sequence[int] | None) -> Directives:
    """The directives as that Slurm takes them: GPUs per node are --gres before 19.05.

    :raises UserError: what that Slurm cannot say at all.
    """
    if version is None or tuple(version[:2]) >= (19, 5):
        return asked
    wanted = dict(asked)
    if "gpus-per-node" in wanted:
        items = ["gpu:" + item for item in str(wanted.pop("gpus-per-node")).split(",")]
        wanted["gres"] = ",".join([str(wanted["gres"])] + items if "gres" in wanted else items)
    for name in _SINCE_19_05:
        if name in wanted:
            raise UserError(
                "options that Slurm %s knows" % ".".join(str(number) for number in version),
                "%s, which came with 19.05" % name.replace("-", "_"),
                "ask for the GPUs of each node with gres or gpus_per_node, and for CPUs and memory without GPUs",
            )
    return in_order(wanted)
