# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUDA does not start, and no nearer cause is known. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ...asked import Asked
from ...report import Report
from .. import evidence
from ..evidence import Failure
from ..reason import Reason
from ..remedies.place import place_of

# A GPU's file that is there and whose GPU is not: the kernel module has given it up.
_GONE = ("EIO", "ENXIO", "ENODEV")


def cuda_unavailable(report: Report, asked: Asked) -> Reason | None:
    """CUDA does not start and none of the above is why.

    The message has torch's error and the kernel log's last one. A torch built for ROCm counts as well: AMD's GPUs are
    not a platform of this collection.
    """
    built = report.torch is not None and (report.torch["cuda"] or report.torch["hip"])
    if not built or report.cuda is None or report.cuda["count"]:
        return None
    error = report.cuda["error"]
    failure = evidence.start_failure(report) or Failure(None, error["text"] if error else "torch gives no reason")
    if report.torch and report.torch["hip"]:
        return _rocm(report, failure)
    closed = {name: error for name, error in report.files.items() if error and name != "nvidia-uvm"}
    starts = report.driver is not None and report.driver["init"] == 0
    if starts:
        message = "torch does not use a GPU although the driver starts without it: %s" % failure.text
    else:
        message = "CUDA does not start although torch is built for it and the node has a driver: %s" % failure.text
    remedy = _remedy(report, failure, closed, starts)
    if closed:
        message += "; cannot be opened: %s" % ", ".join("/dev/%s (%s)" % item for item in sorted(closed.items()))
    log = evidence.log_lines(report, r"NVRM: Xid|NVRM: .*(fail|error)|fallen off")
    if log:
        message += "; the kernel's log: %s" % log[-1]
    elif report.kernel_log is None and not starts:
        remedy += "; an administrator should read the kernel's log (journalctl -k -g 'NVRM|uvm')"
    return Reason("cuda_unavailable", message, remedy)


def _remedy(report: Report, failure: Failure, closed: t.Mapping[str, str], starts: bool) -> str:
    place = place_of(report)
    if any(error == "EACCES" for error in closed.values()):
        return "let the user open the device files: the group that owns them, or NVreg_DeviceFileMode"
    if any(error in _GONE for error in closed.values()):
        return "reboot the node: the kernel module has lost the GPU; if it is lost again, take the GPU out of service"
    if failure.number == evidence.UNKNOWN and place.container:
        return (
            "%s again; if that fails too, reload nvidia_uvm on the node (needed after a suspend)" % place.pass_in_gpus
        )
    if failure.number == evidence.UNKNOWN:
        return "reload the module: modprobe -r nvidia_uvm && modprobe nvidia_uvm (needed after a suspend), or reboot"
    if failure.number == evidence.NO_MEMORY:
        return "raise the limit of address space (ulimit -v unlimited): CUDA reserves far more of it than memory"
    if failure.number in (evidence.NO_DEVICE, evidence.INVALID_DEVICE):
        return "compare CUDA_VISIBLE_DEVICES with nvidia-smi -L: the driver shows this process no GPU"
    if starts and failure.number is None:
        return "install torch again together with its CUDA libraries: the node's driver works"
    return "run nvidia-smi on the node"


def _rocm(report: Report, failure: Failure) -> Reason:
    torch, kfd = report.torch or {}, place_of(report).kfd
    message = "torch %s is built for ROCm %s, AMD's GPUs, and finds none: %s" % (
        torch.get("version"),
        re.sub(r"^(\d+\.\d+).*", r"\1", str(torch.get("hip"))),
        failure.text,
    )
    if kfd is None:
        message += "; there is no /dev/kfd"
        amd = "for AMD's, run on a node that has them and their kernel driver"
    elif kfd:
        message += "; /dev/kfd does not open (%s)" % kfd
        amd = "for AMD's, let the user open /dev/kfd and /dev/dri/renderD* (the groups render and video)"
    else:
        amd = "for AMD's, run rocminfo on the node"
    return Reason(
        "cuda_unavailable",
        message,
        "ROCm is not a platform of this collection; for NVIDIA's GPUs, install a build for CUDA (the role"
        " hpc.pytorch.torch_env); " + amd,
    )
