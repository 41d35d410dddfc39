# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What conda and pip install for a request, with or without a chosen build. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version

PYTORCH_WHEELS = "https://download.pytorch.org/whl"
# The source that is no choice among builds: torch for the CPU, with pip from the index that pip is configured for.
CPU_WHEELS = "cpu-wheels"
COMPANIONS = ("torchvision", "torchaudio")

_PIN = re.compile(
    r"^(?:\S+::)?(pytorch|pytorch-gpu|pytorch-cpu|torch|cudatoolkit|cuda-version|pytorch-cuda)"
    r"(?![\w.-])[ =]*([\d.]*\d)?"
)
_NAMES_OF_TORCH = ("pytorch", "pytorch-gpu", "torch")

Build = t.Mapping[str, t.Any]


def without_build(python: str, torch: str, cuda: str) -> list[str]:
    """The match specs if no build was chosen: ``without_build("3.8", "", "10.1")`` is ``["python=3.8", "pytorch",
    "cudatoolkit=10.1"]``.

    Up to 11, cudatoolkit brought CUDA; since 12, the meta-packages choose the build.
    """
    exactly = "=" + torch if torch else ""
    major = re.match(r"\d+", cuda)
    if not major or not int(major.group()):
        specs = ["pytorch" + exactly]
    elif int(major.group()) < 12:
        specs = ["pytorch" + exactly, "cudatoolkit=" + cuda]
    else:
        specs = ["pytorch-gpu" + exactly, "cuda-version=" + cuda]
    return ["python=" + python if python else "python", *specs]


def cpu_wheels(torch: str, companions: t.Sequence[str]) -> list[str]:
    """The requirements of pip for torch without CUDA: ``cpu_wheels("2.13", [])`` is ``["torch==2.13.*"]``."""
    exactly = "==%s%s" % (torch, "" if torch.count(".") > 1 else ".*") if torch else ""
    return ["torch" + exactly, *companions]


def of_companions(specs: t.Iterable[str], companions: t.Sequence[str]) -> list[str]:
    """*specs* without the packages of :data:`COMPANIONS` that are not among *companions*."""
    unwanted = [name for name in COMPANIONS if name not in companions]
    pattern = re.compile(r"^(\S+::)?(%s)(?![\w.-])" % "|".join(unwanted))
    return [spec for spec in specs if not (unwanted and pattern.match(spec))]


def pip_lines(build: Build, companions: t.Sequence[str], wheels_url: str) -> list[str]:
    """The lines of a requirements file for the build, with *wheels_url* in place of PyTorch's own address."""
    options = [line.replace(PYTORCH_WHEELS, wheels_url) for line in build.get("pip_options") or []]
    return options + of_companions(build.get("pip") or [], companions)


def expected_torch(build: Build, torch: str, cuda: str) -> dict[str, str]:
    """Version and CUDA that the torch must have in the end, each empty for any.

    Only a tag of the version pins the whole CUDA. Packages of conda run on every CUDA of their major version, and what
    is on the package index may have moved on since its row was written.

    :arg torch: the version that was asked for, used if no build was chosen.
    :arg cuda: the CUDA that was asked for, used if no build was chosen.
    """
    if build:
        tagged = build["source"] == "wheels" and build["index"]
        return {"version": build["torch"], "cuda": build["cuda"] if tagged else build["cuda"].partition(".")[0]}
    major = re.match(r"\d+", cuda)
    return {
        "version": torch if is_version(torch) else "",
        "cuda": major.group() if major and int(major.group()) else "",
    }


def require_one_torch(build: Build, specs: t.Iterable[str]) -> None:
    """Refuse *specs* (match specs and pip requirements) that pin another torch or CUDA than the build's.

    :raises UserError: with the specs that do.
    """
    second = [spec for spec in specs if _is_second_torch(spec, build)]
    if second:
        raise UserError(
            "torch %s for CUDA %s alone" % (build["torch"], build["cuda"]),
            "%s in torch_env_packages or torch_env_pip" % " ".join(second),
            "remove that, and set torch_env_torch, torch_env_cuda or torch_env_source to what you want",
        )


def _is_second_torch(spec: str, build: Build) -> bool:
    """Whether *spec* pins another torch or CUDA, or brings the same torch from another source."""
    pin = _PIN.match(spec)
    if not pin:
        return False
    name, version = pin.group(1), pin.group(2) or ""
    if name == "pytorch-cpu" or (name == "torch") != (build["source"] == "wheels"):
        return True
    wanted = build["torch"] if name in _NAMES_OF_TORCH else build["cuda"]
    return bool(version) and not _is_series(version, wanted) and not _is_series(wanted, version)


def _is_series(version: str, series: str) -> bool:
    """Whether *version* is *series* or begins with it: 2.13.0 is of 2.13, and of 2."""
    return (version + ".").startswith(series + ".")
