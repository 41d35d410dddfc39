# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide says about a site: facts from the inventory, each checked. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown

from .envs import Env
from .machine import Machine
from .partitions import Partition

# Such as mamba>=2 and conda-forge::conda.
_PACKAGE = re.compile(r"(?:[\w./-]+::)?([\w.-]+)")


class Conda(t.NamedTuple):
    """The cluster's conda.

    :arg has_command: whether the base has the command ``conda``; a base of method rattler may lack it.
    :arg expose: the ways to it: ``bashrc``, ``profile``, ``module``.
    """

    prefix: str
    has_command: bool
    expose: tuple[str, ...]
    module: str


class Cuda(t.NamedTuple):
    """The site's CUDA toolkit. ``home`` is empty where there is none."""

    home: str
    version: str
    expose: tuple[str, ...]
    libraries: bool
    folder: str

    @property
    def module(self) -> str:
        """The modulefile, as role cuda names it; empty without one."""
        numbers = self.version.split(".")[:2]
        return "cuda/%s" % ".".join(numbers) if "module" in self.expose and self.version else ""


class Kernel(t.NamedTuple):
    """A kernel of the site's JupyterLab, as hpc.pytorch.jupyter writes it.

    :arg title: what JupyterLab calls it.
    :arg slurm: the options of the job in which it starts; empty on the machine of JupyterLab.
    """

    title: str
    slurm: t.Mapping[str, str]


class Site(t.NamedTuple):
    """All facts of a page.

    :arg jupyter: the prefix of JupyterLab's own conda, empty where there is none.
    :arg kernels: that the inventory declares for JupyterLab.
    :arg tools: the module with the commands for users, empty where there is none.
    :arg job: options of sbatch_script that the inventory sets for job scripts.
    :arg slurm_version: of the cluster, empty if it is not known.
    :arg machine: that the page is for, if it has no Slurm; then there are no partitions. None for a cluster.
    """

    conda: Conda
    jupyter: str
    kernels: tuple[Kernel, ...]
    cuda: Cuda
    env: Env
    partitions: tuple[Partition, ...]
    tools: str
    job: t.Mapping[str, t.Any]
    slurm_version: str
    machine: Machine | None = None

    def partition(self, name: str) -> Partition | None:
        """The partition of that name."""
        return next((each for each in self.partitions if each.name == name), None)


def conda_of(values: t.Mapping[str, t.Any]) -> Conda:
    """The cluster's conda from ``prefix``, ``method``, ``base_packages``, ``expose`` and ``module``.

    :raises UserError: a value that makes no sense.
    """
    names = [match[1].lower() for match in map(_PACKAGE.match, map(str, values["base_packages"])) if match]
    return Conda(
        prefix=_path("conda_prefix", values["prefix"]),
        has_command=values["method"] != "rattler" or "conda" in names,
        expose=_list("conda_expose", values["expose"]),
        module=str(values["module"]),
    )


def cuda_of(values: t.Mapping[str, t.Any]) -> Cuda:
    """The site's toolkit from ``home``, ``version``, ``expose``, ``libraries`` and ``folder``.

    :raises UserError: a value that makes no sense.
    """
    home = values["home"] or ""
    return Cuda(
        home=_path("cuda_home", home) if home else "",
        version=str(values["version"] or ""),
        expose=_list("cuda_expose", values["expose"]),
        libraries=bool(values["libraries"]),
        folder=str(values["folder"] or "lib64"),
    )


def kernels_of(values: t.Any, env: str) -> tuple[Kernel, ...]:
    """The kernels of the variable ``jupyter_kernels``.

    :arg env: the name of the environment that a kernel has by default.
    :raises UserError: the variable is no list of kernels.
    """
    found = []
    for each in values if isinstance(values, (list, tuple)) else [values]:
        slurm = each.get("slurm") or {} if isinstance(each, t.Mapping) else None
        if not isinstance(slurm, t.Mapping):
            raise UserError("jupyter_kernels to be a list of kernels", shown(each), "correct it in the inventory")
        # As playbooks/jupyter.yml names it.
        where = ", Slurm %s" % slurm.get("partition", "") if slurm else ""
        title = each.get("display_name") or "PyTorch (%s%s)" % (env, where)
        found.append(Kernel(str(title), {str(name): str(value) for name, value in slurm.items()}))
    return tuple(found)


def _path(option: str, value: t.Any) -> str:
    if not isinstance(value, str) or not re.match(r"/|~/", value):
        raise UserError("%s to be an absolute path" % option, shown(value), "correct %s in the inventory" % option)
    return value.rstrip("/") or "/"


def _list(option: str, value: t.Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, t.Sequence):
        raise UserError("%s to be a list" % option, shown(value), "correct %s in the inventory" % option)
    return tuple(map(str, value))
