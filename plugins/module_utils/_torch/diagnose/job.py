# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job or a variable gives this process too few of the node's GPUs. No I/O. Private to hpc.pytorch.

Each of these causes leaves torch without a device, or with fewer than the caller expects.
"""

from __future__ import annotations

import re

from ..._common.errors import counted
from ..asked import Asked
from ..report import Report
from . import evidence
from .reason import Reason
from .remedies.place import Place, place_of

# What Slurm and people write for no GPU.
NONE = ("", "-1", "NoDevFiles", "none", "void")
# A GPU, or what is meant to be one; int() takes other digits too, such as a superscript.
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_NO_DEVICE = (None, evidence.NO_DEVICE, evidence.INVALID_DEVICE, evidence.NOT_INITIALIZED)


def too_few(report: Report, asked: Asked) -> evidence.Failure | None:
    """Return why there is no device, or fewer than expected; None if this process has what it should have."""
    failure = evidence.start_failure(report)
    if failure is not None:
        return failure if failure.number in (*_NO_DEVICE, evidence.UNKNOWN) else None
    if (
        report.torch
        and report.torch["cuda"]
        and asked.expect_devices
        and 0 < len(report.devices) < asked.expect_devices
    ):
        return evidence.Failure(
            None, "torch sees %d of %d expected devices" % (len(report.devices), asked.expect_devices)
        )
    return None


def slurm_cgroup(report: Report, asked: Asked) -> Reason | None:
    """The job was given no GPU, or fewer than there are.

    The job's cgroup bars device files (`EPERM`), or none of them opens in a job. Ask for GPUs with `--gres`.
    """
    few = too_few(report, asked)
    if few is None:
        return None
    barred, files = evidence.denied_files(report), evidence.gpu_files(report)
    given = evidence.variables(report)
    job = given.get("SLURM_JOB_ID")
    if not barred and not (job and not files and report.files and evidence.gpus_of_node(report)):
        return None
    if not report.devices and len(barred) < len(files):
        return None
    total = max(len(files), evidence.gpus_of_node(report) or 0)
    receiver = "job %s" % job if job else "this process"
    message = "%s was given %d of the node's %s" % (receiver, len(files) - len(barred), counted(total, "GPU"))
    if barred:
        message += ", its cgroup bars %s" % ", ".join("/dev/%s (%s)" % (name, files[name]) for name in barred)
    granted = given.get("SLURM_STEP_GPUS") or given.get("SLURM_JOB_GPUS")
    if job:
        message += "; Slurm reports that it has %s" % ("GPU %s" % granted if granted else "none")
    return Reason("slurm_cgroup", message, _ask_for_gpus(place_of(report)))


def _ask_for_gpus(place: Place) -> str:
    """Return how to get GPUs where this process runs: only Slurm has --gres."""
    if place.job:
        return (
            "ask for GPUs in the job and in its step (--gres=gpu:N, srun --gres), and check how many --gres asked for"
        )
    if place.slurm:
        return "run inside a job that has GPUs (--gres=gpu:N): a login into a node joins the job's cgroup"
    container = (
        "a running container loses its GPUs after systemctl daemon-reload; %s, by their names (--device) or by CDI,"
        " which keeps them" % place.pass_in_gpus.replace("start the container", "start it again")
    )
    if place.container:
        return container
    return "in a container: %s; in a login into a node of Slurm: run inside a job that has GPUs" % container


def cuda_visible_devices(report: Report, asked: Asked) -> Reason | None:
    """The variable `CUDA_VISIBLE_DEVICES` hides GPUs.

    Error 100 or 101, and the variable is empty, `-1`, `NoDevFiles`, names a GPU that is not there, or names one twice;
    or there are fewer GPUs than expected, and the variable names fewer.
    """
    few = too_few(report, asked)
    value = evidence.variables(report).get("CUDA_VISIBLE_DEVICES")
    if few is None or value is None or few.number == evidence.UNKNOWN:
        return None
    names = [part.strip() for part in value.split(",")]
    count = evidence.gpus_of_node(report)
    if report.devices:
        if count is None or len(report.devices) >= count or len(names) >= count:
            return None
        how = "names %d of the node's %s" % (len(names), counted(count, "GPU"))
    elif names[0] in NONE:
        how = "hides every GPU"
    elif value.startswith("MIG-") or evidence.nvml_devices(report, mig=True):
        return None
    elif _named_twice(names, count):
        how = "names %s twice, with which CUDA shows no GPU" % _named_twice(names, count)
    elif _NUMBER.fullmatch(names[0]):
        if count is None or 0 <= int(names[0]) < count:
            return None
        how = "begins with %s, the node has %s, counted from 0" % (names[0], counted(count, "GPU"))
    elif any((item["uuid"] or "").startswith(names[0]) for item in evidence.nvml_devices(report)):
        return None
    else:
        how = "names no GPU of this node"
    message = "CUDA_VISIBLE_DEVICES=%s %s" % (value or "''", how)
    if "SLURM_JOB_ID" in evidence.variables(report):
        remedy = (
            "ask Slurm for GPUs (--gres=gpu:N), which sets the variable; do not set it in the job's script or ~/.bashrc"
        )
    else:
        remedy = "unset CUDA_VISIBLE_DEVICES, or give it numbers or names that nvidia-smi -L shows"
    return Reason("cuda_visible_devices", message, remedy)


def _named_twice(names: list[str], count: int | None) -> str | None:
    """Return a GPU that is there twice. CUDA reads the names up to the first one that is no GPU.

    :arg count: of the node's GPUs; None if unknown.
    """
    before: set[str] = set()
    for name in names:
        number = int(name) if _NUMBER.fullmatch(name) else None
        if name in NONE or number is not None and not 0 <= number < (count or number + 1):
            return None
        # For CUDA, 00 is 0.
        gpu = name if number is None else str(number)
        if gpu in before:
            return name
        before.add(gpu)
    return None


def mig(report: Report, asked: Asked) -> Reason | None:
    """The GPUs are divided into instances (MIG).

    There is no instance, or not the one in `CUDA_VISIBLE_DEVICES`. A process uses one instance at most, so more
    than one device cannot be expected.
    """
    few = too_few(report, asked)
    value = evidence.variables(report).get("CUDA_VISIBLE_DEVICES", "")
    divided = evidence.nvml_devices(report, mig=True)
    if few is None or few.number == evidence.UNKNOWN or not (divided or value.startswith("MIG-")):
        return None
    empty = [item for item in divided if item["instances"] == 0]
    there = sum(item["instances"] or 0 for item in divided)
    job = place_of(report).job
    if report.devices:
        message = "MIG is on: a process uses one instance at most (%s)" % few.text
        remedy = "expect one device, or start one process for each instance; nvidia-smi -mig 0 gives whole GPUs"
    elif empty and not there:
        message = "MIG is on for %s, of which %d without an instance" % (counted(len(divided), "GPU"), len(empty))
        remedy = "create instances (nvidia-smi mig -cgi ... -C), or turn MIG off (nvidia-smi -mig 0)"
    elif value.startswith("MIG-"):
        message = "CUDA_VISIBLE_DEVICES=%s is an instance that torch does not find: %s" % (value, few.text)
        remedy = (
            "use the name that nvidia-smi -L shows now, since it changes with the instances; for torch 1.13 and 2.0"
            " set PYTORCH_NVML_BASED_CUDA_CHECK=0"
        )
    elif there:
        message = "MIG is on for %s with %s, and CUDA_VISIBLE_DEVICES names none of them: %s" % (
            counted(len(divided), "GPU"),
            counted(there, "instance"),
            few.text,
        )
        remedy = (
            "ask Slurm for an instance (--gres=gpu:1g.10gb:1, as its GRES are called); with AutoDetect=nvml in"
            " gres.conf it sets CUDA_VISIBLE_DEVICES=MIG-..., the instance's UUID as nvidia-smi -L shows it"
            if job
            else "set CUDA_VISIBLE_DEVICES=MIG-..., the UUID of an instance as nvidia-smi -L shows it; Slurm does so"
            " with AutoDetect=nvml in gres.conf"
        )
    else:
        message = "MIG is on for %s, and this process has no instance: %s" % (counted(len(divided), "GPU"), few.text)
        remedy = "create instances (nvidia-smi mig -cgi ... -C) and ask for one (--gres=gpu:1g.10gb:1), or turn MIG off"
    return Reason("mig", message, remedy)
