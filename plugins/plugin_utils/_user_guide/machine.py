# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the guide is for a cluster with Slurm, or for a machine without it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown

# What runs a job script, as role job_script names it.
RUNNERS = ("sbatch", "bash")
# Slurm's commands, which a package may have brought, have no cluster to ask. One whose controller is down has one.
_NO_CLUSTER = re.compile("Could not establish a configuration source|Unable to process configuration file")


class Machine(t.NamedTuple):
    """A machine without Slurm.

    :arg gpus: how many it has; None if nobody says.
    :arg has_modules: whether a login shell has the command ``module``.
    :arg tools_bin: the folder with the commands for users; empty if there are none, or a module has them.
    """

    gpus: int | None
    has_modules: bool
    tools_bin: str


def runner_of(given: str, hosts: t.Collection[str], slurm: t.Mapping[str, t.Any]) -> str:
    """What runs a job script: ``sbatch`` or ``bash``.

    Only a machine that is the whole inventory is believed to have no Slurm, and only if it was asked. On a cluster
    Slurm's commands may come with a module, which Ansible does not load.

    :arg given: the role's variable ``user_guide_runner``; empty to decide.
    :arg hosts: the hosts of the groups login and compute.
    :arg slurm: the result of slurm_info, with or without an answer; empty if Slurm was not asked.
    :raises UserError: the variable has another value.
    """
    if given and given not in RUNNERS:
        raise UserError(
            "user_guide_runner to be %s or empty" % " or ".join(RUNNERS), shown(given), "correct user_guide_runner"
        )
    return given or ("bash" if len(set(hosts)) == 1 and _is_without_slurm(slurm) else "sbatch")


def _is_without_slurm(slurm: t.Mapping[str, t.Any]) -> bool:
    if not slurm.get("failed"):
        return False
    has_no_command = (
        str(slurm.get("expected", "")).startswith("Slurm's command ") and slurm.get("found") == "none there"
    )
    return has_no_command or bool(_NO_CLUSTER.search(str(slurm.get("found", ""))))
