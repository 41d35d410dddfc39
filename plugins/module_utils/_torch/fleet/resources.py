# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources that a check asks Slurm for: one list for sbatch, salloc, two modules and the role torch_check.

Add an option here and run ``make generate``. Plain data, no I/O. Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t


class Resource(t.NamedTuple):
    """An option that sbatch and salloc have under the same name.

    :arg name: with underscores, as the modules have it; the role adds ``torch_check_slurm_``.
    :arg type: of the module's option.
    :arg description: for the documentation of modules and role.
    """

    name: str
    type: str
    description: str

    @property
    def flag(self) -> str:
        """``--cpus-per-task`` for cpus_per_task."""
        return "--" + self.name.replace("_", "-")


RESOURCES = (
    Resource("account", "str", "The account that the job is charged to, C(--account)."),
    Resource("qos", "str", "The quality of service of the job, C(--qos)."),
    Resource("reservation", "str", "The reservation that the job runs in, C(--reservation)."),
    Resource("cpus_per_task", "int", "The number of CPUs of the job, C(--cpus-per-task)."),
    Resource("mem", "str", "The memory on the node such as V(8G), C(--mem). If it is not set, Slurm's default."),
)


def argument_spec() -> dict[str, dict[str, str]]:
    """The part of a module's argument spec that is made of these options."""
    return {resource.name: {"type": resource.type} for resource in RESOURCES}


def arguments(values: t.Mapping[str, t.Any]) -> list[str]:
    """The arguments of sbatch or salloc: ``arguments({"mem": "8G", "qos": None})`` is ``["--mem=8G"]``."""
    given = ((resource.flag, values.get(resource.name)) for resource in RESOURCES)
    return ["%s=%s" % (flag, value) for flag, value in given if value]
