# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's driver is at fault. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

from ..._common.versions import is_version
from ..._cuda import versions
from ..._gpu.drivers import least_driver
from ..asked import Asked
from ..report import Report
from . import start
from .kernels import failing
from .reason import Reason, names_of

# Errors that say by themselves that a driver is there.
_DRIVER_ANSWERED = (start.NOT_READY, start.MISMATCH, start.NO_COMPAT, start.BUSY)


def no_driver(report: Report, asked: Asked) -> Reason | None:
    """The node has no NVIDIA driver, or no library to reach it by."""
    if report.driver is None or report.cuda is not None and report.cuda["count"]:
        return None
    there = start.has_kernel_module(report)
    if not report.driver["library"] and there:
        text = report.driver["library_error"]["text"]
        message = "the kernel has NVIDIA's module but libcuda.so.1 cannot be loaded: %s" % text
        remedy = "install the driver's libraries of the same version; in a container, hand in the GPUs (--nv, --gpus)"
        return Reason("no_driver", message, remedy)
    begun = start.failed_start(report)
    if there or report.driver["library"] and (begun is None or begun.number in _DRIVER_ANSWERED):
        return None
    message = "this node has no NVIDIA driver: no kernel module"
    if report.driver["library"]:
        message += ", only the library %s" % (start.libcuda_path(report) or "libcuda.so.1")
    else:
        message += " and no libcuda.so.1"
    remedy = "nothing where no GPU is wanted; otherwise install the NVIDIA driver, or run on a node that has it"
    return Reason("no_driver", message, remedy)


def stub_or_compat_libcuda(report: Report, asked: Asked) -> Reason | None:
    """The driver's library is not the one that belongs to the kernel module."""
    begun = start.failed_start(report)
    if begun is None:
        return None
    path = start.libcuda_path(report) or "libcuda.so.1"
    release, kernel = start.libcuda_release(report), kernel_release(report)
    differs = bool(release and kernel and release != kernel)
    vague = begun.number in (None, start.UNKNOWN, start.NOT_INITIALIZED, 36)
    if begun.number == start.STUB or "/stubs/" in path:
        return Reason(
            "stub_or_compat_libcuda",
            "%s is the toolkit's stub, which programs are linked with and which drives nothing" % path,
            "take that folder (.../stubs) out of LD_LIBRARY_PATH, so that the driver's own library is found",
        )
    if (
        "/compat/" in path
        and (vague or begun.number in (start.MISMATCH, start.NO_COMPAT))
        or begun.number == start.NO_COMPAT
    ):
        return Reason(
            "stub_or_compat_libcuda",
            "%s belongs to the package cuda-compat, which this GPU or driver does not take: %s" % (path, begun.text),
            "take its folder out of LD_LIBRARY_PATH, and choose a torch whose CUDA the installed driver runs",
        )
    if begun.number == start.MISMATCH or differs and vague or start_of_nvml(report) == 18 and vague:
        other = "the kernel module is %s" % kernel if kernel else "the kernel module is of another release"
        return Reason(
            "stub_or_compat_libcuda",
            "%s is not of the kernel module's release (%s): %s" % (path, other, begun.text),
            "reboot the node, or reload NVIDIA's modules: the driver was upgraded under a running one; in a container, hand"
            " in the node's own libraries",
        )
    return None


def driver_too_old(report: Report, asked: Asked) -> Reason | None:
    """The driver does not run programs of this build's CUDA."""
    begun = start.failed_start(report)
    devices = failing(report, "driver_too_old")
    if not devices and (begun is None or begun.number != start.OLD_DRIVER):
        return None
    # An error 35 without a version is a driver that is not there.
    found = re.search(r"found version (\d+)", begun.text) if begun else None
    number = int(found.group(1)) if found else report.driver and report.driver["cuda"]
    if not number:
        return None
    built = report.torch["cuda"] if report.torch else None
    kernel = kernel_release(report)
    driver = "the driver%s runs CUDA up to %s" % (" " + kernel if kernel else "", versions.from_number(int(number)))
    message = "%s, torch %s is built for CUDA %s" % (driver, report.torch["version"] if report.torch else "", built)
    if devices:
        message += ": %s said %s" % (names_of(devices), devices[0]["error"])
    least = least_driver(built) if built and is_version(built) else None
    wanted = "a driver from %s on" % least if least else "a driver that is new enough for CUDA %s" % built
    return Reason(
        "driver_too_old",
        message,
        "take a build of the same torch for a lower CUDA (the filter hpc.pytorch.torch_build finds it), or install %s"
        % wanted,
    )


def fabric_manager_802(report: Report, asked: Asked) -> Reason | None:
    """The NVSwitch fabric is not set up."""
    begun = start.failed_start(report)
    if begun is None:
        return None
    waiting = start.nvml_devices(report, fabric=1) + start.nvml_devices(report, fabric=2)
    if begun.number != start.NOT_READY and not (
        begun.number in (None, start.NOT_INITIALIZED, start.UNKNOWN) and waiting
    ):
        return None
    message = "the GPUs' NVSwitch fabric is not ready: %s" % begun.text
    if waiting:
        message += "; NVML says so of %d GPUs" % len(waiting)
    kernel = kernel_release(report)
    return Reason(
        "fabric_manager_802",
        message,
        "start the fabric manager (systemctl enable --now nvidia-fabricmanager), exactly of the driver's release%s"
        % (" " + kernel if kernel else ""),
    )


def hmm_kaslr(report: Report, asked: Asked) -> Reason | None:
    """The kernel's address space leaves nvidia-uvm no room for its HMM."""
    begun = start.failed_start(report)
    if begun is None or begun.number in (start.NO_DEVICE, start.INVALID_DEVICE, start.OLD_DRIVER):
        return None
    lines = start.log_lines(report, r"uvm_pmm_gpu.*err -34|request_free_mem_region\(\).*err -34")
    if not lines:
        return None
    return Reason(
        "hmm_kaslr",
        "nvidia-uvm finds no room in the kernel's address space: %s" % lines[-1],
        "write 'options nvidia_uvm uvm_disable_hmm=1' to a file in /etc/modprobe.d and reload nvidia_uvm, or boot with nokaslr",
    )


def missing_uvm(report: Report, asked: Asked) -> Reason | None:
    """nvidia-uvm, without which CUDA does not start, is not loaded or has no device file."""
    begun = start.failed_start(report)
    error = report.files.get("nvidia-uvm")
    vague = (None, start.UNKNOWN, start.NOT_INITIALIZED, 304)
    if begun is None or begun.number not in vague or error is None or not start.has_kernel_module(report):
        return None
    loaded = bool(report.node and report.node["uvm_module"])
    what = "the module nvidia_uvm is loaded" if loaded else "the module nvidia_uvm is not loaded"
    message = "/dev/nvidia-uvm does not open (%s), %s: %s" % (error, what, begun.text)
    return Reason(
        "missing_uvm",
        message,
        "as root run nvidia-modprobe -u -c=0, at every boot before slurmd starts; in a container, hand it in",
    )


def cuda_unavailable(report: Report, asked: Asked) -> Reason | None:
    """A CUDA build with a driver, and yet no CUDA: what torch says is the best there is."""
    built = report.torch is not None and (report.torch["cuda"] or report.torch["hip"])
    if not built or report.cuda is None or report.cuda["count"]:
        return None
    begun = start.failed_start(report)
    if begun is None:
        error = report.cuda["error"]
        begun = start.Start(None, error["text"] if error else "torch gives no reason")
    message = "CUDA does not start although torch is built for it and the node has a driver: %s" % begun.text
    closed = {name: error for name, error in report.files.items() if error and name != "nvidia-uvm"}
    if closed:
        message += "; not to be opened: %s" % ", ".join("/dev/%s (%s)" % item for item in sorted(closed.items()))
    remedy = "run nvidia-smi on the node"
    if any(error == "EACCES" for error in closed.values()):
        remedy = "let the user open the device files: the group that owns them, or NVreg_DeviceFileMode"
    elif begun.number == start.UNKNOWN:
        remedy = "reload the module: modprobe -r nvidia_uvm && modprobe nvidia_uvm (needed after a suspend), or reboot the node"
    log = start.log_lines(report, r"NVRM: Xid|NVRM: .*(fail|error)|fallen off")
    if log:
        message += "; the kernel's log: %s" % log[-1]
    elif report.kernel_log is None:
        remedy += "; an administrator should read the kernel's log (journalctl -k -g 'NVRM|uvm')"
    return Reason("cuda_unavailable", message, remedy)


def kernel_release(report: Report) -> str | None:
    """The driver's release, as the kernel module says it."""
    text = report.node["kernel_version"] if report.node else None
    return versions.kernel_module(text) if text else None


def start_of_nvml(report: Report) -> int | None:
    """The error of NVML's start; 18 is its word for a library and a kernel module that differ."""
    return report.nvml["code"] if report.nvml else None
