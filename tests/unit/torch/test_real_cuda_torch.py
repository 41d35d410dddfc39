"""torch_info and a real CUDA build of torch on the nodes of the lab. Five gigabytes, so it runs on request only:

    python3 -m venv /tmp/cuda-torch && /tmp/cuda-torch/bin/pip install torch==2.14.1 numpy
    HPC_TEST_CUDA_TORCH=/tmp/cuda-torch/bin/python make unit ARGS='-k real_cuda_torch'

The machine must have no GPU: the scenes bring the driver. Without the variable, conftest.py leaves this file out.
"""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import run_probe

from .lab.scene import Scene

PYTHON = os.environ["HPC_TEST_CUDA_TORCH"]
# The build of CUDA 13 knows sm_75 and newer: capability 70 is too old for it, 90 is not.
OLD, FITTING = 70, 90


class Node(t.NamedTuple):
    """One failed node, and its first reason.

    :arg make: lays out the node.
    :arg variables: of the process.
    :arg said: a part of the first reason's message.
    """

    code: str
    make: t.Callable[[Scene], t.Any]
    variables: dict[str, str] = {}
    expect_devices: int | None = None
    said: str = ""
    timeout: int = 120


def driver(errors: dict[str, int] | None = None, **settings: t.Any) -> t.Callable[[Scene], None]:
    """A node whose kernel module, device nodes and library are there."""

    def make(scene: Scene) -> None:
        scene.kernel_module()
        scene.devices()
        scene.libcuda(errors=errors, **settings)

    return make


def without_uvm(scene: Scene) -> None:
    scene.kernel_module(uvm=False)
    scene.devices(uvm=False)
    scene.libcuda(errors={"cuInit": 999})


def shut_out(scene: Scene) -> None:
    scene.kernel_module()
    scene.devices(open_for_me=0, closed=2)
    scene.libcuda(errors={"cuInit": 100})


def mig_without_instances(scene: Scene) -> None:
    driver({"cuInit": 100})(scene)
    scene.nvml(mig=1, instances=0)
    scene.nvidia_smi({"mig.mode.current": "Enabled"})


def without_hmm(scene: Scene) -> None:
    driver({"cuInit": 999})(scene)
    scene.kernel_log("nvidia-uvm: uvm_pmm_gpu.c:3264 devmem_alloc_pagemap[pid:1] request_free_mem_region() err -34")


def fabric(scene: Scene) -> None:
    driver({"cuInit": 802})(scene)
    scene.nvml(fabric=2)
    scene.nvidia_smi({"fabric.state": "In Progress"})


def stub(scene: Scene) -> None:
    driver()(scene)
    scene._library_folders.clear()
    scene.stub_libcuda()


def compat(scene: Scene) -> None:
    driver()(scene)
    scene._library_folders.clear()
    scene.compat_libcuda()


def devices(errors: dict[str, int] | None = None, **settings: t.Any) -> t.Callable[[Scene], None]:
    """A node with GPUs that torch sees."""

    def make(scene: Scene) -> None:
        driver()(scene)
        scene.runtime(errors=errors, **settings)

    return make


def exclusive(scene: Scene) -> None:
    devices({"cudaMalloc": 46}, capability=FITTING, compute_mode=3)(scene)
    scene.nvml(compute_mode=3, processes=1)
    scene.nvidia_smi({"compute_mode": "Exclusive_Process"})


NODES = {
    "no driver": Node("no_driver", lambda scene: None),
    "kernel module without library": Node("no_driver", lambda scene: scene.kernel_module()),
    "driver of CUDA 11.4": Node("driver_too_old", driver(version=11040), said="11.4"),
    "driver of CUDA 12.8": Node("driver_too_old", driver(version=12080), said="12.8"),
    "stub": Node("stub_or_compat_libcuda", stub, said="stubs"),
    "compat on a GPU it does not support": Node("stub_or_compat_libcuda", compat, said="compat"),
    "library and kernel module differ": Node("stub_or_compat_libcuda", driver({"cuInit": 803}, release="570.124.06")),
    "CUDA_VISIBLE_DEVICES empty": Node("cuda_visible_devices", driver({"cuInit": 100}), {"CUDA_VISIBLE_DEVICES": ""}),
    "CUDA_VISIBLE_DEVICES -1": Node("cuda_visible_devices", driver({"cuInit": 100}), {"CUDA_VISIBLE_DEVICES": "-1"}),
    "CUDA_VISIBLE_DEVICES of Slurm": Node(
        "cuda_visible_devices", driver({"cuInit": 100}), {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}
    ),
    "CUDA_VISIBLE_DEVICES too high": Node(
        "cuda_visible_devices", driver({"cuInit": 100}), {"CUDA_VISIBLE_DEVICES": "7"}
    ),
    "job without a GPU": Node("slurm_cgroup", shut_out, {"SLURM_JOB_ID": "1"}),
    "no nvidia-uvm": Node("missing_uvm", without_uvm),
    "HMM and KASLR": Node("hmm_kaslr", without_hmm),
    "fabric manager": Node("fabric_manager_802", fabric),
    "MIG without instances": Node("mig", mig_without_instances),
    "MIG instance that is not there": Node(
        "mig", mig_without_instances, {"CUDA_VISIBLE_DEVICES": "MIG-11111111-2222-3333-4444-555555555555"}
    ),
    "GPU too old for the build": Node("arch_mismatch", devices(capability=OLD), said="7.0"),
    "GPU in use": Node("exclusive_or_busy", exclusive),
    "GPU in use, at the start": Node("exclusive_or_busy", driver({"cuInit": 46})),
    "driver hangs": Node("probe_timeout", driver(hang="cuInit"), timeout=30, said="start CUDA"),
    "driver hangs when it is loaded": Node("probe_timeout", driver(hang="load"), timeout=30, said="import torch"),
    "driver crashes": Node("device_failed", driver(crash="cuInit"), said="start CUDA"),
    "fewer devices": Node("device_count_mismatch", devices(capability=FITTING, kernel=0), expect_devices=2),
    "other cuDNN": Node(
        "ld_library_path_shadow", lambda scene: scene.shadow("libcudnn.so.9", preload=True), said="libcudnn"
    ),
    "other NCCL": Node(
        "ld_library_path_shadow", lambda scene: scene.shadow("libnccl.so.2", preload=True), said="libnccl"
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_torch_info_names_the_cause(name: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    node = NODES[name]
    node.make(scene)
    for variable in list(os.environ):
        monkeypatch.delenv(variable)
    for variable, value in {**scene.environment(), **node.variables}.items():
        monkeypatch.setenv(variable, value)
    asked = Asked(python=PYTHON, expect_cuda=True, expect_devices=node.expect_devices)
    answer = result(run_probe(None, PYTHON, node.timeout, root=str(scene.root)), asked)
    assert answer["verdict"] == "failed"
    codes = [reason["code"] for reason in answer["reasons"]]
    assert node.code in codes, answer["reasons"]
    reason = answer["reasons"][codes.index(node.code)]
    assert node.said in reason["message"], reason
