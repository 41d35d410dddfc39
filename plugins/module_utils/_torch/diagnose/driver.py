# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's driver is at fault. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

from ..._common.errors import counted
from ..._common.versions import is_version
from ..._cuda.parse import from_number
from ..._gpu.drivers import least_driver
from ..asked import Asked
from ..report import Report
from . import evidence
from .kernels import failing
from .reason import Reason, names_of
from .remedies.place import place_of


def stub_or_compat_libcuda(report: Report, asked: Asked) -> Reason | None:
    """The driver's library is a stub, of the package cuda-compat, or not of the kernel module's release.

    Errors 34, 803 and 804: the `libcuda.so.1` that was loaded lies in the toolkit's `.../stubs`, in `.../compat`,
    or differs from the kernel module, as after an upgrade without a reboot.
    """
    failure = evidence.start_failure(report)
    if failure is None:
        return None
    path = evidence.libcuda_path(report) or "libcuda.so.1"
    release, kernel = evidence.libcuda_release(report), evidence.kernel_release(report)
    differs = bool(release and kernel and release != kernel)
    vague = failure.number in (None, evidence.UNKNOWN, evidence.NOT_INITIALIZED, 36)
    if failure.number == evidence.STUB or "/stubs/" in path:
        return Reason(
            "stub_or_compat_libcuda",
            "%s is the toolkit's stub: programs are linked with it, and it drives nothing" % path,
            _take_out(report, path) + ", so that the driver's own library is found",
        )
    if (
        "/compat/" in path
        and (vague or failure.number in (evidence.MISMATCH, evidence.NO_COMPAT))
        or failure.number == evidence.NO_COMPAT
    ):
        return Reason(
            "stub_or_compat_libcuda",
            "%s belongs to the package cuda-compat, which this GPU or driver does not support: %s"
            % (path, failure.text),
            _take_out(report, path) + ", and choose a torch whose CUDA the installed driver runs",
        )
    if (
        failure.number == evidence.MISMATCH
        or differs
        and vague
        or evidence.nvml_error(report) == evidence.NVML_MISMATCH
        and vague
    ):
        other = "the kernel module is %s" % kernel if kernel else "the kernel module is of another release"
        return Reason(
            "stub_or_compat_libcuda",
            "%s is not of the kernel module's release (%s): %s" % (path, other, failure.text),
            "take the driver's libraries out of the image, and " + place_of(report).pass_in_gpus
            if place_of(report).container
            else "reboot the node, or reload NVIDIA's modules: the driver was upgraded while another one ran;"
            " in a container, pass in the node's own libraries",
        )
    return None


def _take_out(report: Report, path: str) -> str:
    """Return how to keep the loader from a library: by the variable that names its folder, or by what else may."""
    folder = path.rpartition("/")[0]
    given = evidence.variables(report)
    if folder and folder in [item.rstrip("/") for item in given.get("LD_LIBRARY_PATH", "").split(":")]:
        return "remove %s from LD_LIBRARY_PATH" % folder
    if path and path in given.get("LD_PRELOAD", ""):
        return "unset LD_PRELOAD"
    prefix = report.python["prefix"] if report.python else None
    if prefix and folder.startswith(prefix.rstrip("/") + "/"):
        return "remove the package that has it from the environment (cuda-compat, or the toolkit's development files)"
    return "remove %s from LD_LIBRARY_PATH and /etc/ld.so.conf.d, and run ldconfig" % (folder or "its folder")


def driver_too_old(report: Report, asked: Asked) -> Reason | None:
    """The driver does not run this build's CUDA.

    Error 35, or a kernel in PTX of a newer toolkit. Take the same torch for a lower CUDA: the filter
    `hpc.pytorch.torch_build` finds it.
    """
    failure = evidence.start_failure(report)
    devices = failing(report, "driver_too_old")
    if not devices and (failure is None or failure.number != evidence.OLD_DRIVER):
        return None
    # Error 35 without a version means that there is no driver.
    found = re.search(r"found version (\d+)", failure.text) if failure else None
    number = int(found.group(1)) if found else report.driver and report.driver["cuda"]
    if not number:
        return None
    built = report.torch["cuda"] if report.torch else None
    kernel = evidence.kernel_release(report)
    driver = "the driver%s runs CUDA up to %s" % (" " + kernel if kernel else "", from_number(int(number)))
    message = "%s, torch %s is built for CUDA %s" % (driver, report.torch["version"] if report.torch else "", built)
    if devices:
        message += ": %s reports %s" % (names_of(devices), devices[0]["error"])
    least = least_driver(built) if built and is_version(built) else None
    wanted = "a driver from %s on" % least if least else "a driver that is new enough for CUDA %s" % built
    return Reason(
        "driver_too_old",
        message,
        "take a build of the same torch for a lower CUDA (the filter hpc.pytorch.torch_build finds it), or install %s"
        % wanted,
    )


def fabric_manager_802(report: Report, asked: Asked) -> Reason | None:
    """The NVSwitch fabric is not ready.

    Error 802, or NVML reports that the fabric is not set up: machines with NVSwitch need `nvidia-fabricmanager` of
    exactly the driver's release.
    """
    failure = evidence.start_failure(report)
    if failure is None:
        return None
    waiting = evidence.nvml_devices(report, fabric=1) + evidence.nvml_devices(report, fabric=2)
    if failure.number != evidence.NOT_READY and not (
        failure.number in (None, evidence.NOT_INITIALIZED, evidence.UNKNOWN) and waiting
    ):
        return None
    message = "the GPUs' NVSwitch fabric is not ready: %s" % failure.text
    if waiting:
        message += "; NVML reports this of %s" % counted(len(waiting), "GPU")
    kernel = evidence.kernel_release(report)
    return Reason(
        "fabric_manager_802",
        message,
        "start the fabric manager (systemctl enable --now nvidia-fabricmanager%s) of exactly the driver's release%s"
        % (
            ", on the node and not in the container" if place_of(report).container else "",
            kernel and " " + kernel or "",
        ),
    )


def hmm_kaslr(report: Report, asked: Asked) -> Reason | None:
    """The module nvidia-uvm finds no room in the kernel's address space.

    The kernel's log has `uvm_pmm_gpu ... err -34`: set `uvm_disable_hmm=1` for the module nvidia_uvm.
    """
    failure = evidence.start_failure(report)
    if failure is None or failure.number in (evidence.NO_DEVICE, evidence.INVALID_DEVICE, evidence.OLD_DRIVER):
        return None
    lines = evidence.log_lines(report, r"uvm_pmm_gpu.*err -34|request_free_mem_region\(\).*err -34")
    if not lines:
        return None
    return Reason(
        "hmm_kaslr",
        "nvidia-uvm finds no room in the kernel's address space: %s" % lines[-1],
        "write 'options nvidia_uvm uvm_disable_hmm=1' to a file in /etc/modprobe.d and reload nvidia_uvm,"
        " or boot with nokaslr",
    )


def missing_uvm(report: Report, asked: Asked) -> Reason | None:
    """The module nvidia-uvm or its device file is missing.

    Error 999 and `/dev/nvidia-uvm` does not open: run `nvidia-modprobe -u -c=0` as root, at every boot before
    slurmd.
    """
    failure = evidence.start_failure(report)
    error = report.files.get("nvidia-uvm")
    vague = (None, evidence.UNKNOWN, evidence.NOT_INITIALIZED, 304)
    if failure is None or failure.number not in vague or error is None or not evidence.has_kernel_module(report):
        return None
    loaded = bool(report.node and report.node["uvm_module"])
    what = "the module nvidia_uvm is loaded" if loaded else "the module nvidia_uvm is not loaded"
    message = "/dev/nvidia-uvm does not open (%s), %s: %s" % (error, what, failure.text)
    if error == "EACCES":
        remedy = (
            "let the user open /dev/nvidia-uvm: chmod 0666 /dev/nvidia-uvm as root, and NVreg_DeviceFileMode for later"
        )
    elif place_of(report).container:
        remedy = place_of(report).pass_in_gpus + "; /dev/nvidia-uvm has to be there"
    elif error == "EPERM":
        remedy = (
            "allow /dev/nvidia-uvm in the cgroup of this process (Slurm bars only the files that its gres.conf names)"
        )
    else:
        remedy = "as root run nvidia-modprobe -u -c=0, at every boot before slurmd starts; in a container, pass it in"
    return Reason("missing_uvm", message, remedy)
