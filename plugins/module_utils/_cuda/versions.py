# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version numbers out of what NVIDIA's files and commands say. Plain text in, plain data out.
Private to hpc.pytorch.
"""

from __future__ import annotations

import csv
import json
import re
import typing as t

_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


def is_version(text: str) -> bool:
    """Whether *text* is numbers with dots."""
    return bool(_VERSION.fullmatch(text))


def matches(declared: str, found: str) -> bool:
    """Whether *found* is what was declared: 10.1 admits 10.1.243, and 10.10 does not admit 10.1."""
    wanted = _numbers(declared)
    return _numbers(found)[: len(wanted)] == wanted


def same_release(one: str, other: str) -> bool:
    """Whether both are of one major.minor. The third number counts differently in different files of one toolkit."""
    return _numbers(one)[:2] == _numbers(other)[:2]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def from_version_json(text: str) -> str | None:
    """The toolkit's version in version.json (CUDA 11 and later)."""
    try:
        version = json.loads(text)["cuda"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) and is_version(version) else None


def from_version_txt(text: str) -> str | None:
    """The toolkit's version in version.txt (up to CUDA 10.2): ``CUDA Version 10.1.243``."""
    return _first(r"CUDA Version (\d+\.\d+(?:\.\d+)*)", text)


def from_nvcc(text: str) -> str | None:
    """The compiler's version in ``nvcc --version``; its first two numbers are the toolkit's."""
    return _first(r"release \d+\.\d+, V(\d+\.\d+(?:\.\d+)*)", text) or _first(r"release (\d+\.\d+)\b", text)


def from_header(text: str) -> str | None:
    """major.minor in include/cuda_runtime_api.h (``#define CUDART_VERSION 13000``)."""
    number = _first(r"^#define\s+CUDART_VERSION\s+(\d+)", text)
    return from_number(int(number)) if number else None


def from_number(number: int) -> str:
    """CUDA's own way to write a version as one number: 12020 is 12.2."""
    return "%d.%d" % (number // 1000, number % 1000 // 10)


def top_of_dryrun(text: str) -> str | None:
    """Where nvcc's tree is, in the output of ``nvcc --dryrun``."""
    return _first(r"^#\$ TOP=(/\S.*?)\s*$", text)


def kernel_module(text: str) -> str | None:
    """The driver's version in /proc/driver/nvidia/version, of the closed and the open kernel module."""
    return _first(r"^NVRM version:.*?Kernel Module\D*?(?:for \S+\s+)?(\d+\.\d+(?:\.\d+)*)", text)


def smi_cuda(text: str) -> str | None:
    """The newest CUDA that the driver brings, in the head of nvidia-smi's table."""
    return _first(r"CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)", text)


SMI_FIELDS = ("index", "name", "uuid", "memory.total", "driver_version", "compute_cap")


def smi_gpus(text: str, fields: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """The rows of ``nvidia-smi --query-gpu=... --format=csv,noheader,nounits``; what it does not know is None."""
    gpus = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(row) != len(fields) or not row[0].strip().isdigit():
            continue
        values = {field: _known(value) for field, value in zip(fields, row)}
        memory = values.get("memory.total")
        capability = values.get("compute_cap")
        gpus.append(
            {
                "index": int(row[0]),
                "name": values.get("name"),
                "uuid": values.get("uuid"),
                "memory_mb": int(memory) if memory and memory.isdigit() else None,
                "compute_capability": capability if capability and is_version(capability) else None,
                "driver_version": values.get("driver_version"),
            }
        )
    return gpus


def _known(value: str) -> str | None:
    value = value.strip()
    return None if not value or value.startswith("[") or value in ("N/A", "ERR!") else value


def _first(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE | re.ASCII)
    return match.group(1) if match else None
