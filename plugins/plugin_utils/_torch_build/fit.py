# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether a build fits: its kernels and cuDNN the GPUs, its CUDA the driver, its glibc that of the nodes.
Private to hpc.pytorch.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key, major_minor, starts_with
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.capabilities import kernel_runs, ptx_runs
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.cudnn import has_kernels
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import is_past, least_driver
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import model_of, read
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import Constraints, gpu_text
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import (
    Architectures,
    Build,
    Fact,
    Host,
    Needs,
    Tables,
    ToolkitRange,
)

KERNELS, PTX, NOTHING = "kernels", "ptx", "nothing"


@dataclasses.dataclass(frozen=True)
class Violation:
    """Why a build does not fit. Dropping any one of *blames* would be enough; without any, nothing helps.

    A blame is a constraint's name, or ``gpu:`` and a GPU's name.
    """

    reason: str
    blames: frozenset[str]


def violations(build: Build, wanted: Constraints, tables: Tables) -> list[Violation]:
    """Return every reason against *build*."""
    result = []

    def against(reason: str, *blames: str) -> None:
        result.append(Violation(reason, frozenset(blames)))

    if build.known_bad:
        against("known to be bad: %s" % build.known_bad)
    if wanted.torch and not starts_with(build.torch, wanted.torch):
        against("not torch %s" % wanted.torch, "torch")
    if wanted.source and build.source != wanted.source:
        against("not from %s" % wanted.source, "source")
    if wanted.cuda and key(build.cuda) != key(wanted.cuda):
        against("not for CUDA %s" % wanted.cuda, "cuda")
    if wanted.python and not key(build.python_min) <= key(wanted.python) <= key(build.python_max):
        against("not for python %s" % wanted.python, "python")
    least = glibc_of(build, tables)
    if wanted.glibc and least and key(wanted.glibc) < key(least.version):
        against("needs glibc %s, which is newer than %s" % (least.version, wanted.glibc), "glibc")
    if any(row.platform == build.platform for row in tables.hosts_without_builds):
        for gpu in wanted.gpus:
            hosts = host_of(gpu, tables)
            if hosts and hosts[0].no_builds:
                against("does not run on %s: %s" % (hosts[1], hosts[0].no_builds), "gpu:" + gpu[0])
    compiled = []
    cudnn = cudnn_of(build, tables)
    for gpu in wanted.gpus:
        how = runs_on(build, gpu[1], tables)
        if how != NOTHING and cudnn and not has_kernels(cudnn.version, gpu[1], tables.first_cudnn_without):
            against("its cuDNN %s has no kernels for %s" % (cudnn.version, gpu_text(gpu)), "gpu:" + gpu[0])
        if how == NOTHING:
            against("no kernels for %s" % gpu_text(gpu), "gpu:" + gpu[0])
        elif how == PTX:
            compiled.append(gpu)
    return result + _against_drivers(build, wanted, compiled, tables)


def _against_drivers(
    build: Build, wanted: Constraints, compiled: t.Sequence[tuple[str, str]], tables: Tables
) -> list[Violation]:
    """Return what the nodes' drivers have against *build*: the oldest has to run it, the newest to drive each GPU.

    :arg compiled: the GPUs that the driver has to compile it for.
    """
    if wanted.driver is None:
        return []
    result = []
    # Of several drivers, the nodes with the newest GPUs have the newest one.
    oldest, newest = wanted.driver, wanted.newest_driver or wanted.driver

    def against(reason: str, *blames: str) -> None:
        result.append(Violation(reason, frozenset(("driver", *blames))))

    lowest = lowest_driver(build, tables)
    if lowest is None or key(oldest) < key(lowest):
        against("needs driver %s, which is newer than %s" % (lowest or "of unknown version", oldest))
    for gpu in wanted.gpus:
        name, blame = gpu_text(gpu), "gpu:" + gpu[0]
        own = tables.first_drivers.get(build.cuda)
        if gpu in compiled and (own is None or key(newest) < key(own)):
            against("driver %s cannot compile it for %s, %s can" % (newest, name, own or "no known one"), blame)
        first, last = first_driver(gpu[1], tables), last_driver(gpu[1], tables)
        if first is not None and key(newest) < key(first):
            against("driver %s does not drive %s yet, %s is the first that does" % (newest, name, first), blame)
        if last is not None and is_past(oldest, last):
            against("driver %s no longer drives %s, %s is the last that does" % (oldest, name, last), blame)
    return result


def architectures(build: Build, tables: Tables) -> Architectures | None:
    """Return the row about the kernels in *build*, or None."""
    return tables.about(build).kernels


def runs_on(build: Build, capability: str, tables: Tables) -> str:
    """Return KERNELS, PTX (the driver has to compile it) or NOTHING."""
    row = architectures(build, tables)
    if row is None:
        # Unknown: the build has at most what its toolkit can compile for.
        archs: t.Iterable[str] = (arch for span in tables.toolkits if _within(build.cuda, span) for arch in span.archs)
        return KERNELS if any(kernel_runs(arch, capability) for arch in archs) else NOTHING
    if any(kernel_runs(arch, capability) for arch in row.archs):
        return KERNELS
    return PTX if row.ptx and ptx_runs(row.ptx, capability) else NOTHING


def _within(cuda: str, span: ToolkitRange) -> bool:
    return key(span.first) <= key(cuda) and (span.last is None or key(cuda) <= key(span.last))


def lowest_driver(build: Build, tables: Tables, capabilities: t.Sequence[str] = ()) -> str | None:
    """Return the oldest driver that runs *build* on GPUs of these capabilities; None if unknown."""
    lowest = least_driver(build.cuda, tables.driver_families, tables.first_drivers)
    if any(runs_on(build, capability, tables) == PTX for capability in capabilities):
        # To compile, the driver has to know the build's own toolkit.
        own = tables.first_drivers.get(major_minor(build.cuda))
        lowest = max((one for one in (lowest, own) if one), key=key, default=None)
    firsts = (first_driver(capability, tables) for capability in capabilities)
    return max((one for one in (lowest, *firsts) if one), key=key, default=None)


def first_driver(capability: str, tables: Tables) -> str | None:
    """Return the first branch of the driver for this capability; None if every driver for its builds drives it."""
    return next((span.first_driver for span in tables.toolkits if capability in span.archs), None)


def last_driver(capability: str, tables: Tables) -> str | None:
    """Return the last branch of the driver for this capability; None if no end is known."""
    return next((span.last_driver for span in tables.toolkits if capability in span.archs), None)


def cudnn_of(build: Build, tables: Tables) -> Fact | None:
    """Return the row about the cuDNN that *build* brings, or None."""
    return tables.about(build).cudnn


def glibc_of(build: Build, tables: Tables) -> Fact | None:
    """Return the row about the oldest glibc that *build* runs with, or None."""
    return tables.about(build).glibc


def needs_of(build: Build, python: str, tables: Tables) -> list[Needs]:
    """Return the rows about what *build* needs with this Python, beyond its own row."""
    return [
        row
        for row in tables.needs
        if row.about.covers(build) and (row.python_min is None or key(python) >= key(row.python_min))
    ]


def host_of(gpu: tuple[str, str], tables: Tables) -> tuple[Host, str] | None:
    """Return the row about the hosts of a GPU, and the GPU for a message; None if it is built into any host.

    :arg gpu: the names that were given for a capability, and the capability. Of several names, such as h100 and gh200,
        only some may be of such a GPU.
    """
    names, capability = gpu
    for row in tables.hosts:
        if capability in row.capabilities:
            return row, gpu_text(gpu)
        models = {model_of(name) for name in row.names}
        of_it = [name for name in names.split(", ") if models.intersection(read(name, tables.models).models)]
        if of_it:
            return row, gpu_text((", ".join(of_it), capability))
    return None
