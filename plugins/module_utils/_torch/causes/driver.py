# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's driver is at fault. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..asked import Asked
from ..report import Report
from .base import Reason, last_line


def no_driver(report: Report, asked: Asked) -> t.Optional[Reason]:
    """The node has no NVIDIA driver, or no library to reach it by."""
    driver = report.driver
    if driver is None or driver["library"]:
        return None
    if driver["kernel_module"]:
        message = "the kernel has NVIDIA's module but libcuda.so.1 cannot be loaded: %s" % (
            driver["library_error"]["text"]
        )
        remedy = "install the driver's libraries of the same version; in a container, hand in the GPUs (--nv, --gpus)"
    else:
        message = "this node has no NVIDIA driver: no kernel module and no libcuda.so.1"
        remedy = "nothing where no GPU is wanted; otherwise install the NVIDIA driver, or run on a node that has it"
    return Reason("no_driver", message, remedy)


def cuda_unavailable(report: Report, asked: Asked) -> t.Optional[Reason]:
    """A CUDA build with a driver, and yet no CUDA: what torch says is the best there is."""
    built = report.torch is not None and (report.torch["cuda"] or report.torch["hip"])
    if not built or report.cuda is None or report.cuda["count"] or no_driver(report, asked):
        return None
    error = report.cuda["error"]
    said = [error["text"]] if error else report.cuda["warnings"]
    text = last_line(said[0]) if said else "torch gives no reason"
    return Reason(
        "cuda_unavailable",
        "CUDA does not start although torch is built for it and the node has a driver: %s" % text,
        "run nvidia-smi on the node; in a job, ask for a GPU (--gres) and see that CUDA_VISIBLE_DEVICES is not empty",
    )
