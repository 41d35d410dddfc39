"""Parsing NVIDIA's files and commands. The texts are as the real ones print them."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda import parse

NVCC_10 = """\
nvcc: NVIDIA (R) Cuda compiler driver
Copyright (c) 2005-2019 NVIDIA Corporation
Built on Sun_Jul_28_19:07:16_PDT_2019
Cuda compilation tools, release 10.1, V10.1.243
"""
OPEN_MODULE = """\
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)  Sun Jul 27 2025
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
CLOSED_MODULE = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023
GCC version:  gcc version 11.4.0
"""


def test_version_json():
    assert (
        parse.from_version_json('{"cuda": {"name": "CUDA SDK", "version": "11.4.2"}, "cuda_nvcc": {"version": "1"}}')
        == "11.4.2"
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"cuda": "11"}', '{"cuda": {"version": 11}}', '{"cuda": {"version": "x"}}', "[" * 100000],
)
def test_version_json_that_is_broken(text):
    assert parse.from_version_json(text) is None


def test_version_txt():
    assert parse.from_version_txt("CUDA Version 10.1.243\n") == "10.1.243"
    assert parse.from_version_txt("CUDA Version\n") is None


def test_nvcc():
    assert parse.from_nvcc(NVCC_10) == "10.1.243"
    assert parse.from_nvcc("Cuda compilation tools, release 7.5") == "7.5"
    assert parse.from_nvcc("nvcc fatal") is None


def test_numbers():
    assert parse.from_number(12020) == "12.2"
    assert parse.from_number(13050) == "13.5"
    assert parse.from_header("#ifndef X\n#define CUDART_VERSION  10010\n") == "10.1"


def test_kernel_modules():
    assert parse.kernel_module(OPEN_MODULE) == "580.65.06"
    assert parse.kernel_module(CLOSED_MODULE) == "535.104.05"
    assert parse.kernel_module("") is None


@pytest.mark.parametrize(
    "head,version",
    [
        ("| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2     |", "12.2"),
        ("| NVIDIA-SMI 590.44.01    KMD Version: 590.44.01    CUDA UMD Version: 13.1     |", "13.1"),
        ("| NVIDIA-SMI 410.48                 Driver Version: 410.48                    |", None),
        ("| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: N/A      |", None),
    ],
)
def test_head_of_nvidia_smi(head, version):
    assert parse.smi_cuda(head) == version


def test_gpus_of_nvidia_smi():
    text = (
        "0, NVIDIA TITAN V, GPU-7c4a, 12288, 535.104.05, 7.0\n"
        "1, Tesla K80, GPU-2, [N/A], 535.104.05, [Not Supported]\n"
        "No devices were found\n"
    )
    assert parse.smi_gpus(text, parse.SMI_FIELDS) == [
        {
            "index": 0,
            "name": "NVIDIA TITAN V",
            "uuid": "GPU-7c4a",
            "memory_mb": 12288,
            "compute_capability": "7.0",
            "driver_version": "535.104.05",
        },
        {
            "index": 1,
            "name": "Tesla K80",
            "uuid": "GPU-2",
            "memory_mb": None,
            "compute_capability": None,
            "driver_version": "535.104.05",
        },
    ]


def test_dryrun():
    assert parse.top_of_dryrun("#$ _HERE_=/x\n#$ TOP=/usr/local/cuda 13/bin/..\n") == "/usr/local/cuda 13/bin/.."
    assert parse.top_of_dryrun("nvcc fatal") is None
