# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to install for a build: exact specs, channels, index. Private to hpc.pytorch."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key, major_minor, previous_minor
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import is_past
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import Constraints, gpu_text
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.gpus import marks
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Build, Needs, Tables

_GIVE_PLATFORM = "for such hosts give platform %s (torch_env_platform)"
# EL 8 and everything newer has it.
_GLIBC_OF_TODAY = "2.28"


def answer(build: Build, wanted: Constraints, tables: Tables) -> dict[str, t.Any]:
    """Return the filter's result for *build*."""
    python = wanted.python or usual_python(build)
    kernels = fit.architectures(build, tables)
    capabilities = [capability for dummy, capability in wanted.gpus]
    needs = fit.needs_of(build, python, tables)
    result: dict[str, t.Any] = {
        "torch": build.torch,
        "torchvision": build.torchvision,
        "torchaudio": build.torchaudio if build.source != "conda-forge" else None,
        "python": python,
        "cuda": build.cuda,
        "source": build.source,
        "packages": [],
        "pip": [],
        "pip_options": [],
        "channels": [],
        "index": None,
        "cuda_override": None,
        "capabilities": capabilities,
        "driver": fit.lowest_driver(build, tables, capabilities),
        "warnings": warnings(build, wanted, tables),
        "evidence": [build.evidence] + ([kernels.evidence] if kernels else []) + [row.evidence for row in needs],
    }
    result.update(_SPECS[build.source](_with_needs(build, needs), python))
    return result


def _with_needs(build: Build, rows: t.Sequence[Needs]) -> Build:
    """Return *build* with the specs of *rows*, each once."""
    specs = (*build.needs, *(spec for row in rows for spec in row.specs))
    return dataclasses.replace(build, needs=tuple(dict.fromkeys(specs)))


def usual_python(build: Build) -> str:
    """Return the newest Python but one: for the newest, other packages are often missing."""
    if key(build.python_min) < key(build.python_max):
        return previous_minor(build.python_max)
    return build.python_max


def _pytorch(build: Build, python: str) -> dict[str, t.Any]:
    # cudatoolkit does not exclude builds without CUDA: only the build string does. The channel pytorch has no Python,
    # and cudatoolkit is on conda-forge (or nvidia), although the official command does not name it.
    packages = ["python=%s" % python, "pytorch=%s=py%s_cuda%s*" % (build.torch, python, build.cuda)]
    if build.torchvision:
        # Its builds for the CPU match any torch; before 0.3 there is one build for all.
        packages.append("torchvision=%s%s" % (build.torchvision, "=*_cu*" if key(build.torchvision) >= (0, 3) else ""))
    packages += ["torchaudio=%s" % build.torchaudio] if build.torchaudio else []
    packages += [build.toolkit] if build.toolkit else []
    channels = list(build.channels)
    return {
        "packages": packages + list(build.needs),
        "channels": channels + [channel for channel in ("conda-forge",) if channel not in channels],
    }


def _conda_forge(build: Build, python: str) -> dict[str, t.Any]:
    packages = ["python=%s" % python, "pytorch-gpu=%s" % build.torch, "cuda-version=%s" % build.cuda]
    if build.torchvision:
        # Its patch releases follow torch's later or never; the package itself requires the torch that it is built for.
        packages.append("torchvision=%s.*" % major_minor(build.torchvision))
    channels = list(build.channels)
    return {
        "packages": packages + list(build.needs),
        "channels": channels + [channel for channel in ("conda-forge",) if channel not in channels],
        # Its builds with CUDA depend on __cuda, which a login node does not have.
        "cuda_override": build.cuda,
    }


def _wheels(build: Build, python: str) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {
        "packages": ["python=%s" % python, "pip"] + list(build.needs),
        "channels": ["conda-forge"],
    }
    if build.wheel_urls:
        return {**result, "pip": _addresses(build, python)}
    # On the package index a version has no local tag; elsewhere the tag pins the CUDA.
    tag = "+%s" % build.local if build.local and build.index != "pypi" else ""
    # With two equal signs 2.15.0+cpu of another index fits 2.15.0, and is newer to pip (pytorch/ci-infra#661).
    equals = "===" if build.index == "pypi" else "=="
    lines = ["torch%s%s%s" % (equals, build.torch, tag)]
    if build.torchvision:
        lines.append("torchvision%s%s%s" % (equals, build.torchvision, tag if _compiled(build) else ""))
    if build.torchaudio:
        lines.append("torchaudio%s%s" % (equals, build.torchaudio))
    result["pip"] = lines
    if build.find_links:
        result["pip_options"] = ["--find-links %s" % build.find_links]
        result["index"] = build.find_links
    elif build.index != "pypi":
        # Not --index-url, so that a site's mirror of the package index stays in use for everything else.
        result["pip_options"] = ["--extra-index-url %s" % build.index]
        result["index"] = build.index
    return result


def _compiled(build: Build) -> bool:
    """Return whether torchvision differs by CUDA: from torch 2.15 on it is one file."""
    return _with_cuda(build) and key(build.torch) < (2, 15)


def _with_cuda(build: Build) -> bool:
    """Return whether the wheels of torchvision have CUDA: for linux-aarch64 from torch 2.11 on."""
    return build.platform != "linux-aarch64" or key(build.torch) >= (2, 11)


def _addresses(build: Build, python: str) -> list[str]:
    """Return wheels by address: the package index has files of the same version for another CUDA."""
    tag = "cp%s" % python.replace(".", "")
    name = "%s/%%s-%%s-%s-%sm-linux_x86_64.whl" % (build.wheel_urls, tag, tag)
    lines = ["torch @ " + name % ("torch", build.torch)]
    if build.torchvision and key(build.torchvision) >= (0, 3):
        lines.append("torchvision @ " + name % ("torchvision", build.torchvision))
    elif build.torchvision:
        # Older ones hold no compiled code.
        lines.append("torchvision==%s" % build.torchvision)
    return lines


_SPECS: dict[str, t.Callable[[Build, str], dict[str, t.Any]]] = {
    "pytorch": _pytorch,
    "conda-forge": _conda_forge,
    "wheels": _wheels,
}


def warnings(build: Build, wanted: Constraints, tables: Tables) -> list[str]:
    """Return what the user should know before relying on *build*."""
    result = []
    if build.unverified:
        result.append("%s is unverified: %s" % (build.name, build.unverified))
    kernels = fit.architectures(build, tables)
    if wanted.gpus and kernels is None:
        result.append(
            "which GPUs %s has kernels for is unknown; judged by what CUDA %s can compile for"
            % (build.name, build.cuda)
        )
    elif wanted.gpus and kernels is not None and kernels.unverified:
        result.append("the list of GPUs that %s has kernels for is unverified: %s" % (build.name, kernels.unverified))
    for gpu in wanted.gpus:
        if fit.runs_on(build, gpu[1], tables) == fit.PTX:
            result.append(
                "%s has no kernels for %s: the driver compiles them at the first start, which takes minutes"
                % (build.name, gpu_text(gpu))
            )
        hosts = fit.host_of(gpu, tables)
        if hosts and hosts[0].platform != build.platform:
            row, name = hosts
            what = row.no_builds or _GIVE_PLATFORM % row.platform
            result.append(
                "only %s hosts have %s, and this build is for %s: %s" % (row.platform, name, build.platform, what)
            )
    if build.torchvision and build.source == "wheels" and not _with_cuda(build):
        result.append(
            "torchvision %s for %s is built without CUDA: its own operators, such as nms, do not run on the GPU"
            % (build.torchvision, build.platform)
        )
    glibc = fit.glibc_of(build, tables)
    if glibc and glibc.unverified and wanted.glibc and key(wanted.glibc) < key(_GLIBC_OF_TODAY):
        result.append("that %s runs with glibc %s is unverified: %s" % (build.name, wanted.glibc, glibc.unverified))
    return (
        result
        + _drivers_apart(wanted, tables)
        + marks((name for names, dummy in wanted.gpus for name in names.split(", ")), tables)
    )


def _drivers_apart(wanted: Constraints, tables: Tables) -> list[str]:
    """Return a warning if no driver drives all of the GPUs: each kind of node then needs a driver of its own."""
    firsts = [(fit.first_driver(gpu[1], tables), gpu) for gpu in wanted.gpus]
    lasts = [(fit.last_driver(gpu[1], tables), gpu) for gpu in wanted.gpus]
    newest = max(((first, gpu) for first, gpu in firsts if first), key=lambda pair: key(pair[0]), default=None)
    oldest = min(((last, gpu) for last, gpu in lasts if last), key=lambda pair: key(pair[0]), default=None)
    if newest is None or oldest is None or not is_past(newest[0], oldest[0]):
        return []
    return [
        "no driver drives both %s, driver %s at most, and %s, driver %s at least: their nodes need different drivers"
        % (gpu_text(oldest[1]), oldest[0], gpu_text(newest[1]), newest[0])
    ]
