# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the files and the commands' output of NVIDIA. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import csv
import json
import re
import typing as t

from .._common.lines import lines_of
from .._common.versions import is_version

# The columns that nvidia-smi is asked for.
SMI_FIELDS = ("index", "name", "uuid", "memory.total", "driver_version", "compute_cap")


def from_version_json(text: str) -> str | None:
    """Return the toolkit's version in version.json (from CUDA 11 on): ``{"cuda": {"version": "11.4.2"}}``."""
    try:
        version = json.loads(text)["cuda"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) and is_version(version) else None


def from_version_txt(text: str) -> str | None:
    """Return the toolkit's version in version.txt (up to CUDA 10.2): ``10.1.243`` of ``CUDA Version 10.1.243``."""
    return _first(r"CUDA Version (\d+\.\d+(?:\.\d+)*)", text)


def from_nvcc(text: str) -> str | None:
    """Return the compiler's version in ``nvcc --version``: ``10.1.243`` of ``... release 10.1, V10.1.243``.

    Its first two numbers are those of the toolkit.
    """
    return _first(r"release \d+\.\d+, V(\d+\.\d+(?:\.\d+)*)", text) or _first(r"release (\d+\.\d+)\b", text)


def from_header(text: str) -> str | None:
    """Return the release in include/cuda_runtime_api.h: ``13.0`` of ``#define CUDART_VERSION 13000``."""
    number = _first(r"^#define\s+CUDART_VERSION\s+(\d+)", text)
    return from_number(int(number)) if number else None


def from_number(number: int) -> str:
    """Return a version that CUDA writes as one number: ``from_number(12020)`` is ``"12.2"``."""
    return "%d.%d" % (number // 1000, number % 1000 // 10)


def top_of_dryrun(text: str) -> str | None:
    """Return nvcc's folder in the output of ``nvcc --dryrun``: ``/opt/cuda/bin/..`` of ``#$ TOP=/opt/cuda/bin/..``."""
    return _first(r"^#\$ TOP=(/\S.*?)\s*$", text)


def kernel_module(text: str) -> str | None:
    """Return the driver's version in /proc/driver/nvidia/version, of the closed or the open kernel module.

    ``535.104.05`` of ``NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 ...``.
    """
    return _first(r"^NVRM version:.*?Kernel Module\D*?(?:for \S+\s+)?(\d+\.\d+(?:\.\d+)*)", text)


def smi_cuda(text: str) -> str | None:
    """Return the driver's newest CUDA in the head of nvidia-smi's table: ``12.2`` of ``... CUDA Version: 12.2``."""
    return _first(r"CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)", text)


def smi_gpus(text: str, fields: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Return the GPUs in the rows of ``nvidia-smi --query-gpu=... --format=csv,noheader,nounits``.

    ``0, NVIDIA TITAN V, GPU-7c4a, 12288, 535.104.05, 7.0`` is one GPU; values that nvidia-smi does not know are None.
    """
    gpus = []
    for row in csv.reader(lines_of(text), skipinitialspace=True):
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
