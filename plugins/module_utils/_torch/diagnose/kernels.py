# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code for a device that did not compute, by its error. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._gpu.capabilities import build_runs
from ..._gpu.cudnn import has_kernels
from ..report import Report
from .evidence import log_lines

BUSY = r"busy or unavailable|out of memory|exclusive|CU\w+_STATUS_ALLOC_FAILED"
# The first pattern in a device's error counts; without any it is software's fault, or device_failed.
PATTERNS = (
    ("arch_mismatch", r"no kernel image|device kernel image is invalid|CU\w+_STATUS_ARCH_MISMATCH"),
    ("driver_too_old", r"unsupported toolchain|driver version is insufficient"),
    ("exclusive_or_busy", BUSY),
)
# What CUDA reports of a GPU that fails: driver_types.h, errors 214, 220, 700, 714 to 719. And our own of wrong results.
_OF_HARDWARE = (
    r"illegal memory access|uncorrectable|hardware stack|illegal instruction|misaligned address|invalid program counter"
    r"|launch failure|\bECC\b|product of two matrices is wrong|convolution of an image is wrong|came back changed"
)
# Xids of a GPU and not of a program: https://docs.nvidia.com/deploy/xid-errors/ (48, 63, 64, 92, 94, 95, 140 memory, 74
# NVLink, 79 off the bus, 119 and 120 its own processor).
_OF_HARDWARE_IN_LOG = r"NVRM: Xid .*: (48|63|64|74|79|92|94|95|119|120|140)\b|fallen off"
# What the libraries of the environment report: NVIDIA's, and compilers of kernels. And CUDA, of code that does not fit.
_OF_SOFTWARE = (
    r"(?i)cudnn|cublas|cusparse|cusolver|cufft|curand|nvrtc|nvjitlink|magma|triton|undefined symbol|\.so\b|PTX"
    r"|invalid device function|symbol not found|not supported|invalid argument|invalid resource handle"
    r"|unable to find an engine|no valid execution plan"
)
# Python raises these by itself; torch reports CUDA's errors as RuntimeError.
_TYPES_OF_SOFTWARE = (
    "AttributeError AssertionError ImportError ModuleNotFoundError KeyError IndexError NameError TypeError ValueError"
    " OSError FileNotFoundError SyntaxError NotImplementedError"
).split()


def code_of(report: Report, device: t.Mapping[str, t.Any]) -> str | None:
    """Return the code for one device; None for one that passed or was not tested."""
    if device["state"] in ("passed", "untested"):
        return None
    if device["state"] == "hung":
        return "probe_timeout"
    error = device["error"] or ""
    if lacks_cudnn_kernels(report, device) and not re.search("%s|%s" % (BUSY, _OF_HARDWARE), error):
        return "cudnn_too_new"
    for code, pattern in PATTERNS:
        if re.search(pattern, error):
            return code
    archs = report.cuda["archs"] if report.cuda else []
    if device["compute_capability"] and build_runs(archs, device["compute_capability"]) is False:
        return "arch_mismatch"
    if device["state"] == "failed" and not is_hardware(report, error):
        if re.search(_OF_SOFTWARE, error) or device["error_type"] in _TYPES_OF_SOFTWARE:
            return "library_failed"
    return "device_failed"


def failing(report: Report, code: str) -> list[dict[str, t.Any]]:
    """Return the devices that failed with *code*."""
    return [device for device in report.devices if code_of(report, device) == code]


def lacks_cudnn_kernels(report: Report, device: t.Mapping[str, t.Any]) -> bool:
    """Return whether the convolution failed on a GPU that the loaded cuDNN has no kernels for."""
    version, capability = version_of_cudnn((report.cudnn or {}).get("version")), device["compute_capability"]
    if version is None or capability is None or not str(device["error"]).startswith("conv2d: "):
        return False
    return not has_kernels(version, capability)


def is_hardware(report: Report, error: str) -> bool:
    """Return whether a GPU itself is known to be at fault: by its error, or by the kernel's log."""
    return bool(re.search(_OF_HARDWARE, error) or log_lines(report, _OF_HARDWARE_IN_LOG))


def version_of_cudnn(number: int | None) -> str | None:
    """Return cuDNN's version as text: 91002 is ``9.10.2``, and 7603 is ``7.6.3``."""
    if not number:
        return None
    step = 10000 if number >= 90000 else 1000
    return "%d.%d.%d" % (number // step, number % step // 100, number % 100)
