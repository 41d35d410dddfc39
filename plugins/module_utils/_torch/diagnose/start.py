# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why CUDA does not start, read from what torch, libcuda and the node say. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..report import Report
from .reason import first_line

NO_DEVICE, INVALID_DEVICE, STUB, OLD_DRIVER, BUSY = 100, 101, 34, 35, 46
NOT_READY, MISMATCH, NO_COMPAT, UNKNOWN, NOT_INITIALIZED = 802, 803, 804, 999, 3
# Torch's words for the errors that it does not number: c10/cuda/CUDAFunctions.cpp and torch/csrc/cuda/Module.cpp.
_WORDS = (
    ("driver on your system is too old", OLD_DRIVER),
    ("Found no NVIDIA driver", OLD_DRIVER),
    ("No CUDA GPUs are available", NO_DEVICE),
    ("no CUDA-capable device is detected", NO_DEVICE),
    ("CUDA unknown error", UNKNOWN),
    ("unknown error", UNKNOWN),
    ("CUDA driver initialization failed", NOT_INITIALIZED),
    ("busy or unavailable", BUSY),
)


class Start(t.NamedTuple):
    """A CUDA that did not start.

    :arg number: CUDA's error, as far as anybody told.
    :arg text: torch's words.
    """

    number: int | None
    text: str


def failed_start(report: Report) -> Start | None:
    """What a torch that is built for CUDA and sees no device says of that; None for every other torch."""
    if report.torch is None or not report.torch["cuda"] or report.cuda is None or report.cuda["count"]:
        return None
    error = report.cuda["error"]
    said = [error["text"]] if error else [text for text in report.cuda["warnings"] if "CUDA" in text]
    text = said[0] if said else ""
    number = error_number(text)
    if number is None and report.driver is not None:
        number = report.driver["init"] or None
    return Start(number, first_line(text) or "torch gives no reason")


def error_number(text: str) -> int | None:
    """CUDA's number for what torch said. Old torches write ``cuda runtime error (100)``."""
    match = re.search(r"Error (\d+): |cuda runtime error \((\d+)\)", text)
    if match:
        return int(match.group(1) or match.group(2))
    return next((number for words, number in _WORDS if words in text), None)


def gpu_files(report: Report) -> dict[str, str | None]:
    """The device files of GPUs: None for one that opens, else the error's name."""
    return {name: error for name, error in report.files.items() if name[len("nvidia") :].isdigit()}


def denied(report: Report) -> list[str]:
    """The GPUs whose device files are kept from this process, as a job's cgroup does it."""
    in_job = "SLURM_JOB_ID" in variables(report)
    return [name for name, error in gpu_files(report).items() if error == "EPERM" or error and in_job]


def variables(report: Report) -> dict[str, str]:
    """The variables that matter, as the probe had them."""
    return dict(report.node["variables"]) if report.node else {}


def gpus_of_node(report: Report) -> int | None:
    """How many GPUs the node has, whatever this process was given of them; None where nobody says."""
    if report.nvml and report.nvml["devices"]:
        return len(report.nvml["devices"])
    if report.node and report.node["gpus"] is not None:
        return int(report.node["gpus"])
    return len(gpu_files(report)) or None


def nvml_devices(report: Report, **values: t.Any) -> list[dict[str, t.Any]]:
    """The GPUs of which NVML says all of *values*."""
    devices = report.nvml["devices"] if report.nvml else []
    return [item for item in devices if all(item[key] == value for key, value in values.items())]


def has_kernel_module(report: Report) -> bool:
    """Whether the kernel can reach a GPU: NVIDIA's module, its device files in a container, or Windows' under WSL."""
    return report.node is None or bool(report.node["kernel_module"] or report.node["files"])


def libcuda_path(report: Report) -> str:
    """The file of the driver's library that was loaded, or an empty text."""
    return str(report.driver["path"] or "") if report.driver else ""


def libcuda_release(report: Report) -> str | None:
    """The release in that file's name: ``570.86.15`` of ``libcuda.so.570.86.15``."""
    match = re.search(r"\.so\.(\d+\.\d[\d.]*)$", os.path.basename(libcuda_path(report)))
    return match.group(1) if match else None


def log_lines(report: Report, pattern: str) -> list[str]:
    """The lines of the kernel's log that match."""
    return [line for line in report.kernel_log or [] if re.search(pattern, line)]
