# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this process was given of the node's GPUs. Plain data, no I/O. Private to hpc.pytorch.

Each of these leaves torch without a device, or with fewer than the caller expects.
"""

from __future__ import annotations

from ..asked import Asked
from ..report import Report
from . import start
from .reason import Reason

# What Slurm and people write for "none".
NONE = ("", "-1", "NoDevFiles", "none", "void")
_NO_DEVICE = (None, start.NO_DEVICE, start.INVALID_DEVICE, start.NOT_INITIALIZED)


def too_few(report: Report, asked: Asked) -> start.Start | None:
    """A start without a device, or devices but fewer than expected. None when this process has what it should have."""
    begun = start.failed_start(report)
    if begun is not None:
        return begun if begun.number in (*_NO_DEVICE, start.UNKNOWN) else None
    if (
        report.torch
        and report.torch["cuda"]
        and asked.expect_devices
        and 0 < len(report.devices) < asked.expect_devices
    ):
        return start.Start(None, "torch sees %d of %d expected devices" % (len(report.devices), asked.expect_devices))
    return None


def slurm_cgroup(report: Report, asked: Asked) -> Reason | None:
    """The job's cgroup keeps GPUs from this process."""
    few = too_few(report, asked)
    if few is None:
        return None
    kept, files = start.denied(report), start.gpu_files(report)
    given = start.variables(report)
    job = given.get("SLURM_JOB_ID")
    if not kept and not (job and not files and report.files and start.gpus_of_node(report)):
        return None
    if not report.devices and len(kept) < len(files):
        return None
    total = max(len(files), start.gpus_of_node(report) or 0)
    who = "job %s" % job if job else "this process"
    message = "%s was given %d of the node's %d GPUs" % (who, len(files) - len(kept), total)
    if kept:
        message += ", its cgroup bars %s" % ", ".join("/dev/%s (%s)" % (name, files[name]) for name in kept)
    granted = given.get("SLURM_STEP_GPUS") or given.get("SLURM_JOB_GPUS")
    if job:
        message += "; Slurm says it has %s" % ("GPU %s" % granted if granted else "none")
    remedy = "ask for GPUs in the job and in its step (--gres=gpu:N, srun --gres), %s" % (
        "and see how many --gres asked for"
        if job
        else "or run inside a job that has them: a login into a node joins the job's cgroup"
    )
    return Reason("slurm_cgroup", message, remedy)


def cuda_visible_devices(report: Report, asked: Asked) -> Reason | None:
    """The variable hides the devices."""
    few = too_few(report, asked)
    value = start.variables(report).get("CUDA_VISIBLE_DEVICES")
    if few is None or value is None or few.number == start.UNKNOWN:
        return None
    names = [part.strip() for part in value.split(",")]
    count = start.gpus_of_node(report)
    if report.devices:
        if count is None or len(report.devices) >= count or len(names) >= count:
            return None
        how = "names %d of the node's %d GPUs" % (len(names), count)
    elif names[0] in NONE:
        how = "hides every GPU"
    elif value.startswith("MIG-") or start.nvml_devices(report, mig=True):
        return None
    elif names[0].lstrip("-").isdigit():
        if count is None or 0 <= int(names[0]) < count:
            return None
        how = "begins with %s, the node has %d GPUs, counted from 0" % (names[0], count)
    elif any((item["uuid"] or "").startswith(names[0]) for item in start.nvml_devices(report)):
        return None
    else:
        how = "names no GPU of this node"
    message = "CUDA_VISIBLE_DEVICES=%s %s" % (value or "''", how)
    if "SLURM_JOB_ID" in start.variables(report):
        remedy = (
            "ask Slurm for GPUs (--gres=gpu:N), it sets the variable; do not set it in the job's script or ~/.bashrc"
        )
    else:
        remedy = "unset CUDA_VISIBLE_DEVICES, or give it numbers or names that nvidia-smi -L shows"
    return Reason("cuda_visible_devices", message, remedy)


def mig(report: Report, asked: Asked) -> Reason | None:
    """The GPUs are cut up (MIG): without instances there is nothing to use, and a process uses one instance at most."""
    few = too_few(report, asked)
    value = start.variables(report).get("CUDA_VISIBLE_DEVICES", "")
    cut = start.nvml_devices(report, mig=True)
    if few is None or few.number == start.UNKNOWN or not (cut or value.startswith("MIG-")):
        return None
    empty = [item for item in cut if item["instances"] == 0]
    if report.devices:
        message = "MIG is on: a process uses one instance, however many there are (%s)" % few.text
        remedy = "expect one device, or start one process for each instance; nvidia-smi -mig 0 gives whole GPUs"
    elif empty:
        message = "MIG is on for %d GPUs and %d of them have no instance" % (len(cut), len(empty))
        remedy = "make instances (nvidia-smi mig -cgi ... -C), or turn MIG off (nvidia-smi -mig 0)"
    elif value.startswith("MIG-"):
        message = "CUDA_VISIBLE_DEVICES=%s is an instance that torch does not find: %s" % (value, few.text)
        remedy = (
            "take the name that nvidia-smi -L shows now, it changes whenever instances are made; for torch 1.13 and 2.0 set"
            " PYTORCH_NVML_BASED_CUDA_CHECK=0"
        )
    else:
        message = "MIG is on for %d GPUs, and this process has no instance: %s" % (len(cut), few.text)
        remedy = "make instances (nvidia-smi mig -cgi ... -C) and ask for one (--gres=gpu:1g.10gb:1), or turn MIG off"
    return Reason("mig", message, remedy)
