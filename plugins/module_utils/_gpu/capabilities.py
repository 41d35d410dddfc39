# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one rule of GPU architectures: which code runs on which compute capability. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._common.versions import numbers


def is_capability(value: t.Any) -> bool:
    """Return whether *value* is a compute capability as text: ``"8.6"``, and neither 8.6 nor ``"a100"``."""
    return isinstance(value, str) and bool(re.fullmatch(r"\d{1,2}\.\d", value, re.ASCII))


def kernel_runs(compiled: str, capability: str) -> bool:
    """Return whether a kernel compiled for X.y runs: on X.z with z >= y, and on no other X."""
    (major, minor), (there, least) = numbers(compiled), numbers(capability)
    return major == there and minor <= least


def ptx_runs(compiled: str, capability: str) -> bool:
    """Return whether the driver can compile intermediate code (PTX) for X.y: for it and for all newer GPUs."""
    return numbers(compiled) <= numbers(capability)


def arch_runs(arch: str, capability: str) -> bool | None:
    """Return whether code named as nvcc does runs on a GPU; None if *arch* is no name of nvcc's.

    ``sm_80`` is a kernel and ``compute_80`` is PTX. A letter binds both more closely: ``sm_90a`` runs on 9.0 alone,
    ``compute_100f`` within the major version.
    """
    match = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", arch)
    if not match:
        return None
    kind, letter, compiled = match.group(1), match.group(4), "%s.%s" % (match.group(2), match.group(3))
    if letter == "a":
        return compiled == capability
    return kernel_runs(compiled, capability) if kind == "sm" or letter == "f" else ptx_runs(compiled, capability)


def build_runs(archs: t.Iterable[str], capability: str) -> bool | None:
    """Return whether a build of *archs* (``torch.cuda.get_arch_list()``) has code for a GPU; None if unknown."""
    answers = [answer for answer in (arch_runs(arch, capability) for arch in archs) if answer is not None]
    return any(answers) if answers else None
