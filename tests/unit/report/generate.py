# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a cluster's check as torch_info returns them, the same for the same numbers: every cause, every verdict.

As a program it writes an inventory with the results as variables: ``generate.py NODES FILE``.
"""

from __future__ import annotations

import json
import pathlib
import random
import sys
import typing as t

# Code, message, remedy; as long as those of a real result, and as different from node to node.
CAUSES: tuple[tuple[str, str, str], ...] = (
    ("cpu_only_build", "torch 2.13.0 is built without CUDA", "ask for a CUDA build by name (pytorch=2.13.0=*cuda*)"),
    ("no_driver", "this node has no NVIDIA driver: no kernel module and no libcuda.so.1", "install the NVIDIA driver"),
    (
        "driver_too_old",
        "driver 450.51.06 cannot run CUDA 12.6, which wants 525.60.13",
        "choose a build for CUDA 11.8, or a newer driver",
    ),
    (
        "ld_library_path_shadow",
        "/opt/pkgs/cuda/lib64/libcudnn.so.8 is loaded before torch's own",
        "unset LD_LIBRARY_PATH in the job",
    ),
    (
        "stub_or_compat_libcuda",
        "libcuda.so.1 comes from /usr/local/cuda/lib64/stubs",
        "take that folder out of LD_LIBRARY_PATH",
    ),
    ("cuda_visible_devices", "CUDA_VISIBLE_DEVICES is NoDevFiles", "ask for a GPU (--gres=gpu:1)"),
    (
        "slurm_cgroup",
        "2 of 8 devices may be opened in this job",
        "ask for all of the node's GPUs (--gres, --exclusive)",
    ),
    ("missing_uvm", "there is no /dev/nvidia-uvm", "as root: nvidia-modprobe -u -c=0, after boot and before slurmd"),
    (
        "hmm_kaslr",
        "the kernel's log has uvm_pmm_gpu.c: request_free_mem_region() err -34",
        "options nvidia_uvm uvm_disable_hmm=1",
    ),
    (
        "fabric_manager_802",
        "error 802: system not yet initialized",
        "start nvidia-fabricmanager, of the driver's very version",
    ),
    ("mig", "MIG is on and has no instance", "make instances with nvidia-smi mig, or turn MIG off"),
    (
        "arch_mismatch",
        "torch has no kernels for Tesla V100 (7.0)",
        "take the wheels for CUDA 12.6, which still carry 7.0",
    ),
    ("exclusive_or_busy", "error 46: all CUDA-capable devices are busy or unavailable", "end what holds the device"),
    (
        "torch_missing",
        "python /opt/app/envs/torch/bin/python3.12 has no torch",
        "install torch with the role hpc.pytorch.torch_env",
    ),
    ("import_failed", "import torch failed with ImportError: undefined symbol: iJIT_NotifyEvent", "pin 'mkl<2024.1'"),
    (
        "probe_timeout",
        "the probe did not come back within 120 s; it hung at: device {gpu}: matmul",
        "look at the node's driver (dmesg for Xid)",
    ),
    (
        "device_count_mismatch",
        "torch sees {gpu} devices, expected 8",
        "compare nvidia-smi -L with what the job asked for",
    ),
    ("user_site_shadow", "torch comes from ~/.local/lib/python3.12/site-packages", "set PYTHONNOUSERSITE=1 in the job"),
    (
        "compute_failed",
        "torch 2.13.0 does not multiply two matrices on the CPU: died by SIGILL",
        "take a torch for older processors",
    ),
    ("cuda_unavailable", "CUDA does not start: CUDA unknown error", "run nvidia-smi on the node"),
    (
        "device_failed",
        "1 of 8 devices failed: device {gpu}: matmul: uncorrectable ECC error",
        "take the device out of service",
    ),
    ("device_type_mismatch", "device {gpu} is a Tesla V100, expected a100", "correct hpc_gpu_type, or the node"),
)


XID = "NVRM: Xid (PCI:0000:3b:00): 79, pid=4711, name=python, GPU has fallen off the bus."
TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/app/envs/torch/lib/python3.12/site-packages/torch/cuda/__init__.py", line 372, in _lazy_init
    torch._C._cuda_init()
RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment
"""


class Kind(t.NamedTuple):
    """A partition's hardware."""

    partition: str
    device: str
    capability: str
    memory: int
    count: int
    gpu_type: str


KINDS = (
    Kind("titan", "NVIDIA TITAN V", "7.0", 12 * 2**30, 4, "titan-v"),
    Kind("tesla", "Tesla V100-SXM2-32GB", "7.0", 32 * 2**30, 8, "v100"),
    Kind("a100", "NVIDIA A100-SXM4-80GB", "8.0", 80 * 2**30, 8, "a100"),
    Kind("h100", "NVIDIA H100 80GB HBM3", "9.0", 80 * 2**30, 8, "h100"),
)


def make_result(verdict: str, kind: Kind | None, seed: object, cause: int = 0) -> dict[str, t.Any]:
    """One node's fact torch_check_result."""
    chance = random.Random(repr(seed))
    count = kind.count if kind is not None and verdict == "ok" else 0
    devices = [
        {
            "index": index,
            "name": kind.device,
            "compute_capability": kind.capability,
            "memory": kind.memory,
            "passed": True,
            "error": None,
            "seconds": round(chance.uniform(0.8, 2.5), 3),
        }
        for index in range(count)
        if kind is not None
    ]
    reasons = []
    if verdict in ("failed", "cpu_only"):
        code, message, remedy = CAUSES[cause % len(CAUSES)]
        reasons = [{"code": code, "message": message.format(gpu=chance.randrange(8)), "remedy": remedy}]
        if code == "device_failed" and kind is not None:
            devices = make_result("ok", kind, seed)["devices"]
            devices[-1].update(passed=False, error="matmul: uncorrectable ECC error", seconds=None)
    elif verdict == "unreachable":
        reasons = [{"code": "node_unreachable", "message": "Connection timed out", "remedy": "see that the node is up"}]
    answered = verdict not in ("unreachable", "not_checked")
    has_torch = answered and not any(reason["code"] in ("torch_missing", "import_failed") for reason in reasons)
    built = None if not has_torch or any(reason["code"] == "cpu_only_build" for reason in reasons) else "12.6"
    return {
        "verdict": verdict,
        "summary": "%s: %s" % (verdict, reasons[0]["code"] if reasons else "torch computes"),
        "reasons": reasons,
        "torch": {"version": "2.13.0" if has_torch else None, "cuda": built, "hip": None, "git": None, "path": None},
        "python": {"version": "3.12.4" if answered else None, "prefix": "/opt/app/envs/torch" if answered else None},
        "driver": "580.65.06" if answered and kind is not None else None,
        "cuda_available": bool(devices),
        "devices": devices,
        "node": {"kernel_log": [XID] if verdict == "failed" and kind is not None else []},
        "step": "end",
        "seconds": round(chance.uniform(4, 20), 3) if answered else None,
        "output": TRACEBACK if verdict == "failed" else "",
    }


def make_cluster(count: int) -> dict[str, dict[str, t.Any]]:
    """Node name to its variables; two login nodes, the rest in four partitions, about one node of fourteen failed."""
    hosts: dict[str, dict[str, t.Any]] = {}
    for number in range(1, min(2, count - 1) + 1):
        hosts["login%02d" % number] = {"groups": ["login"], "torch_check_result": make_result("cpu_only", None, number)}
    rest = count - len(hosts)
    cause = 0
    for place in range(rest):
        kind = KINDS[place * len(KINDS) // rest]
        verdict = (
            "failed"
            if place % 20 == 7
            else "unreachable"
            if place % 71 == 5
            else "not_checked"
            if place % 307 == 11
            else "ok"
        )
        hosts["%s-%04d" % (kind.partition, place + 1)] = {
            "groups": [kind.partition],
            "hpc_gpu_count": kind.count,
            "hpc_gpu_type": kind.gpu_type,
            "torch_check_result": make_result(verdict, kind, place, cause),
        }
        cause += verdict == "failed"
    return hosts


def make_inventory(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """An inventory as Ansible reads it, the results as variables of the hosts."""
    members: dict[str, dict[str, t.Any]] = {}
    for name, variables in hosts.items():
        for group in variables["groups"]:
            members.setdefault(group, {})[name] = None
    partitions = {name: {"hosts": names} for name, names in members.items() if name != "login"}
    children: dict[str, t.Any] = {"compute": {"children": partitions}}
    if "login" in members:
        children["login"] = {"hosts": members["login"]}
    own = {
        name: {key: value for key, value in variables.items() if key != "groups"} for name, variables in hosts.items()
    }
    return {"all": {"hosts": own, "children": children}}


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(json.dumps(make_inventory(make_cluster(int(sys.argv[1])))), encoding="utf-8")
