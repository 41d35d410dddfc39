# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A library of the environment fails on a GPU that is not at fault. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ...._common.errors import counted
from ...._gpu.cudnn import first_without
from ...asked import Asked
from ...report import Report
from ..kernels import failing, version_of_cudnn
from ..reason import Reason, names_of
from .two_packages import doubled


def cudnn_too_new(report: Report, asked: Asked) -> Reason | None:
    """The environment's cuDNN has no kernels for this GPU any more.

    The GPU multiplies matrices, and convolutions fail: cuDNN 9.11 and newer have no code for GPUs before Turing (7.5),
    such as V100, P100 and GTX 1080 Ti. Nothing is wrong with the GPU. Take a build with an older cuDNN: the filter
    `hpc.pytorch.torch_build` finds it.
    """
    devices = failing(report, "cudnn_too_new")
    if not devices or report.torch is None:
        return None
    capabilities = sorted({str(device["compute_capability"]) for device in devices})
    version = version_of_cudnn((report.cudnn or {}).get("version"))
    end = min(
        (first_without(item) or "" for item in capabilities), key=lambda text: [int(part) for part in text.split(".")]
    )
    cuda = str(report.torch["cuda"] or "").split(".", maxsplit=1)[0]
    remedy = (
        "install torch with cuDNN below %s: a build for a lower CUDA (the filter hpc.pytorch.torch_build names it for"
        " gpus: [%s])" % (end, ", ".join("'%s'" % item for item in capabilities))
    )
    # Those for CUDA 13 begin with 9.12.
    if cuda in ("11", "12"):
        remedy += ", or replace cuDNN alone: pip install 'nvidia-cudnn-cu%s<%s', with conda the package cudnn<%s" % (
            cuda,
            end,
            end,
        )
    return Reason(
        "cudnn_too_new",
        "cuDNN %s has no kernels for compute capability %s (%s), which computes without it: %s"
        % (version, ", ".join(capabilities), names_of(devices), devices[0]["error"]),
        remedy,
    )


def library_failed(report: Report, asked: Asked) -> Reason | None:
    """A CUDA library of the environment fails on a GPU, and nothing says that the GPU is at fault.

    cuDNN, cuBLAS, a compiler of kernels or Python reports the error, and the kernel's log has no Xid of broken
    hardware.
    Install torch again together with its CUDA libraries.
    """
    devices = failing(report, "library_failed")
    if not devices:
        return None
    texts = ["%s: %s" % (names_of([device]), device["error"]) for device in devices]
    total = counted(len(report.devices), "device")
    message = "%d of %s failed by software: %s" % (len(devices), total, "; ".join(texts))
    two = doubled(report, message)
    if two:
        return Reason("library_failed", "%s; %s" % (message, two.found), two.remedy)
    return Reason(
        "library_failed",
        message,
        "install torch again together with its CUDA libraries, in the versions that it requires (python -m pip check);"
        " if the same environment passes on another node with these GPUs, check this node's driver (dmesg for Xid,"
        " nvidia-smi -q)",
    )
