# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""There are devices, but not as they should be. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ..._common.errors import counted
from ..._gpu.expected import fits
from ..asked import Asked
from ..report import DIED, Report, describe_ending
from . import evidence
from .kernels import failing, is_hardware
from .reason import Reason, first_line, names_of
from .software.two_packages import doubled


def arch_mismatch(report: Report, asked: Asked) -> Reason | None:
    """Torch has no code for this GPU's architecture.

    Error 209, or the GPU's capability is not in the build's list. The filter `hpc.pytorch.torch_build` names the
    newest build that has it.
    """
    devices = failing(report, "arch_mismatch")
    if not devices or report.torch is None:
        return None
    capabilities = sorted({str(device["compute_capability"]) for device in devices})
    archs = report.cuda["archs"] if report.cuda else []
    message = "torch %s has no code for compute capability %s (%s)" % (
        report.torch["version"],
        ", ".join(capabilities),
        names_of(devices),
    )
    if archs:
        message += ", only for %s" % " ".join(archs)
    return Reason(
        "arch_mismatch",
        "%s: %s" % (message, devices[0]["error"]),
        "install a build for these GPUs: the filter hpc.pytorch.torch_build names the newest one for gpus: [%s]"
        % ", ".join("'%s'" % item for item in capabilities),
    )


def exclusive_or_busy(report: Report, asked: Asked) -> Reason | None:
    """Another process has the GPU or its memory, or no process may use it.

    Error 46, or a GPU's memory is full: another process has it, or its compute mode is exclusive or prohibited.
    """
    failure = evidence.start_failure(report)
    devices = failing(report, "exclusive_or_busy")
    if not devices and (failure is None or failure.number != evidence.BUSY):
        return None
    if devices:
        message = "%s: %s" % (names_of(devices), devices[0]["error"])
    else:
        message = failure.text if failure else ""
    exclusive, prohibited = evidence.nvml_devices(report, compute_mode=3), evidence.nvml_devices(report, compute_mode=2)
    busy = [item for item in evidence.nvml_devices(report) if item["processes"]]
    remedy = "check what runs there (nvidia-smi): another job, or processes that a job left behind"
    if prohibited:
        message += "; %s set to prohibited" % ("1 GPU is" if len(prohibited) == 1 else "%d GPUs are" % len(prohibited))
        remedy = "allow processes on the GPU: nvidia-smi -c DEFAULT"
    elif exclusive:
        message += "; %s one process at a time (Exclusive_Process)" % (
            "1 GPU takes" if len(exclusive) == 1 else "%d GPUs take" % len(exclusive)
        )
    if busy:
        number = sum(item["processes"] for item in busy)
        message += "; %s on GPU %s" % (
            "1 process runs" if number == 1 else "%d processes run" % number,
            ", ".join(str(item["index"]) for item in busy),
        )
    return Reason("exclusive_or_busy", message, remedy)


def device_failed(report: Report, asked: Asked) -> Reason | None:
    """A GPU does not compute, computes wrong results, or crashed the probe.

    The message has the kernel log's last Xid. Only with an error or an Xid of broken hardware, or a wrong result, is
    the GPU to be taken out of service.
    """
    bad = failing(report, "device_failed")
    if bad:
        texts = ["device %d (%s): %s" % (item["index"], item["name"], item["error"]) for item in bad]
        message = "%d of %s failed: %s" % (len(bad), counted(len(report.devices), "device"), "; ".join(texts))
    elif report.ending.how == DIED and report.cpu is not None and report.cpu["passed"]:
        message = "the probe %s at: %s" % (describe_ending(report.ending), report.step)
    else:
        return None
    log = evidence.log_lines(report, "NVRM: Xid|fallen off")
    if log:
        message += "; the kernel's log: %s" % log[-1]
    if any(is_hardware(report, device["error"]) for device in bad or [{"error": ""}]):
        remedy = "check the node's driver (dmesg for Xid, nvidia-smi -q) and take the device or the node out of service"
    else:
        remedy = (
            "run the check again, and run it on another node with these GPUs: if it fails there too, install torch"
            " again; if only this node fails, check its driver (dmesg for Xid, nvidia-smi -q) and reboot it"
        )
    return Reason("device_failed", message, remedy)


def nccl_failed(report: Report, asked: Asked) -> Reason | None:
    """The GPUs compute one by one but not together.

    Adding up numbers over all GPUs by NCCL fails, hangs or gives a wrong result; or there are several GPUs and
    torch has no NCCL.
    """
    passed = [device for device in report.devices if device["passed"]]
    broke = report.broke_at("all-reduce")
    if report.nccl is not None and report.nccl["version"] is None and len(passed) > 1:
        return Reason(
            "nccl_failed",
            "this torch has no NCCL, which several GPUs need to work together",
            "install a build with NCCL: PyTorch's own, or conda-forge's",
        )
    if broke is not None:
        how = describe_ending(broke.ending)
    elif report.all_reduce is not None and not report.all_reduce["passed"]:
        error = report.all_reduce["error"]
        how = first_line(error["text"]) or error["type"]
    else:
        return None
    version = report.nccl["version"] if report.nccl else None
    message = "the all-reduce over %s with NCCL %s: %s" % (names_of(passed), version, how)
    two = doubled(report, "nccl")
    if two:
        return Reason("nccl_failed", "%s; %s" % (message, two.found), two.remedy)
    return Reason(
        "nccl_failed",
        message,
        "debug it with NCCL_DEBUG=INFO; try NCCL_P2P_DISABLE=1 (IOMMU or ACS in the way of peer to peer) and check that"
        " /dev/shm has room",
    )


def device_type_mismatch(report: Report, asked: Asked) -> Reason | None:
    """A GPU is certainly not what `expect_gpu` says.

    Neither its model nor its compute capability is one of those expected: `rtx-6000` is not an RTX 6000 Ada. Memory
    counts only if the GPU's name states it: `a100-40gb` is not an A100-SXM4-80GB. The memory of a slice (MIG) does not
    count, and neither does a name that says nothing about the GPU, such as `ampere`. What only Slurm's configuration
    says (`expect_from: slurm`) fails no node.
    """
    known = [device for device in report.devices if device["name"]]
    wrong = [device for device in known if not fits(asked.expect_gpu, device["name"], device["compute_capability"])]
    if not asked.expect_gpu or not wrong:
        return None
    texts = ["device %d is %s (%s)" % (item["index"], item["name"], item["compute_capability"]) for item in wrong]
    return Reason(
        "device_type_mismatch",
        "%s; expected %s" % (", ".join(texts), " or ".join(asked.expect_gpu)),
        "correct the GPU type in the inventory (hpc_gpu_type), or what the job asks for (--gres=gpu:TYPE:N)",
    )


def device_count_mismatch(report: Report, asked: Asked) -> Reason | None:
    """There are GPUs but not as many as expected.

    If the job or a variable is the cause, that comes first in `reasons`. If there is no GPU at all, another code
    says why. More GPUs than Slurm's configuration says (`expect_from: slurm`) fail no node.
    """
    found = len(report.devices)
    if not found:
        return None
    if asked.expect_devices is not None and found != asked.expect_devices:
        wanted = str(asked.expect_devices)
    elif asked.expect_cuda is False:
        wanted = "none"
    else:
        return None
    message = "torch sees %s, expected %s" % (counted(found, "device"), wanted)
    count, granted = evidence.gpus_of_node(report), evidence.variables(report).get("SLURM_GPUS_ON_NODE")
    if count is not None:
        message += "; the node has %d" % count
    if granted:
        message += "; Slurm gave the job %s" % granted
    remedy = "compare nvidia-smi -L, what the job asked for (--gres, CUDA_VISIBLE_DEVICES) and the expectation"
    return Reason("device_count_mismatch", message, remedy)
