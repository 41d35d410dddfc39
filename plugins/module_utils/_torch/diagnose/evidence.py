# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What torch, libcuda, NVML and the kernel reported, in terms that the causes use. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..._cuda import parse
from ..report import Report
from .reason import first_line

NO_MEMORY, NO_DEVICE, INVALID_DEVICE, STUB, OLD_DRIVER, BUSY = 2, 100, 101, 34, 35, 46
NOT_READY, MISMATCH, NO_COMPAT, UNKNOWN, NOT_INITIALIZED = 802, 803, 804, 999, 3
# NVML's error for a library and a kernel module of different releases.
NVML_MISMATCH = 18
# Errors that torch reports without their number: c10/cuda/CUDAFunctions.cpp and torch/csrc/cuda/Module.cpp.
_TEXTS = (
    ("driver on your system is too old", OLD_DRIVER),
    ("Found no NVIDIA driver", OLD_DRIVER),
    ("No CUDA GPUs are available", NO_DEVICE),
    ("no CUDA-capable device is detected", NO_DEVICE),
    ("CUDA unknown error", UNKNOWN),
    ("unknown error", UNKNOWN),
    ("out of memory", NO_MEMORY),
    ("CUDA driver initialization failed", NOT_INITIALIZED),
    ("busy or unavailable", BUSY),
)


class Failure(t.NamedTuple):
    """Why CUDA did not start.

    :arg number: CUDA's error, or None if it is unknown.
    :arg text: torch's message.
    """

    number: int | None
    text: str


def start_failure(report: Report) -> Failure | None:
    """Return why a torch that is built for CUDA sees no device; None for every other torch."""
    if report.torch is None or not report.torch["cuda"] or report.cuda is None or report.cuda["count"]:
        return None
    error = report.cuda["error"]
    messages = [error["text"]] if error else [text for text in report.cuda["warnings"] if "CUDA" in text]
    text = messages[0] if messages else ""
    number = error_number(text)
    if number is None and report.driver is not None:
        number = report.driver["init"] or None
    return Failure(number, first_line(text) or "torch gives no reason")


def error_number(text: str) -> int | None:
    """Return CUDA's number of an error: 802 for ``... Error 802: system not yet initialized``.

    Old torches write ``cuda runtime error (100)``.
    """
    match = re.search(r"Error (\d+): |cuda runtime error \((\d+)\)", text)
    if match:
        return int(match.group(1) or match.group(2))
    return next((number for part, number in _TEXTS if part in text), None)


def gpu_files(report: Report) -> dict[str, str | None]:
    """Return the device files of GPUs, each with the error of opening it or None."""
    return {name: error for name, error in report.files.items() if name[len("nvidia") :].isdigit()}


def denied_files(report: Report) -> list[str]:
    """Return the device files of GPUs that this process may not open, as the cgroup of a job arranges it."""
    in_job = "SLURM_JOB_ID" in variables(report)
    return [name for name, error in gpu_files(report).items() if error == "EPERM" or error and in_job]


def variables(report: Report) -> dict[str, str]:
    """Return the environment variables that matter, as the probe had them."""
    return dict(report.node["variables"]) if report.node else {}


def gpus_of_node(report: Report) -> int | None:
    """Return how many GPUs the node has, including those that this process may not use; None if unknown."""
    if report.nvml and report.nvml["devices"]:
        return len(report.nvml["devices"])
    if report.node and report.node["gpus"] is not None:
        return int(report.node["gpus"])
    return len(gpu_files(report)) or None


def nvml_devices(report: Report, **values: t.Any) -> list[dict[str, t.Any]]:
    """Return the GPUs for which NVML reports all of *values*: ``nvml_devices(report, mig=True)``."""
    devices = report.nvml["devices"] if report.nvml else []
    return [item for item in devices if all(item[key] == value for key, value in values.items())]


def nvml_error(report: Report) -> int | None:
    """Return the error of NVML's start, such as ``NVML_MISMATCH``."""
    return report.nvml["code"] if report.nvml else None


def has_kernel_module(report: Report) -> bool:
    """Return whether the kernel reaches a GPU: by NVIDIA's module, a container's device files, or Windows' (WSL)."""
    return report.node is None or bool(report.node["kernel_module"] or report.node["files"])


def kernel_release(report: Report) -> str | None:
    """Return the driver's release as the kernel module reports it."""
    text = report.node["kernel_version"] if report.node else None
    return parse.kernel_module(text) if text else None


def libcuda_path(report: Report) -> str:
    """Return the file of the driver's library that was loaded, or an empty text."""
    return str(report.driver["path"] or "") if report.driver else ""


def libcuda_release(report: Report) -> str | None:
    """Return the release in that file's name: ``570.86.15`` for ``libcuda.so.570.86.15``."""
    match = re.search(r"\.so\.(\d+\.\d[\d.]*)$", os.path.basename(libcuda_path(report)))
    return match.group(1) if match else None


def log_lines(report: Report, pattern: str) -> list[str]:
    """Return the lines of the kernel's log that match."""
    return [line for line in report.kernel_log or [] if re.search(pattern, line)]
