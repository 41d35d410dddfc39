# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of torch_info as lines for a person. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._common.errors import one_line
from .._torch.diagnose.verdict import CPU_ONLY


def as_text(result: t.Mapping[str, t.Any], job: str) -> str:
    """The verdict, the Python, each GPU, and each reason with its remedy.

    :arg result: as torch_info returns it.
    :arg job: the number of the Slurm job; empty outside of one.
    """
    lines = ["%s: %s" % (result["verdict"], _torch(result["torch"]))]
    host = result["node"]["hostname"]
    if host:
        lines.append("node: %s, %s" % (host, "in job %s" % job if job else "not in a Slurm job"))
    python = result["python"]
    if python["executable"]:
        lines.append("python: %s (%s)" % (python["executable"], python["version"]))
    lines += [_device(device) for device in result["devices"]]
    if not result["devices"]:
        lines.append("GPU: none that torch can use")
    if result["nccl"]["all_reduce"] is not None:
        lines.append("all-reduce: %s" % ("passed" if result["nccl"]["all_reduce"] else result["nccl"]["error"]))
    for reason in result["reasons"]:
        lines += ["reason: %s: %s" % (reason["code"], reason["message"]), "remedy: %s" % reason["remedy"]]
    if result["verdict"] == CPU_ONLY and result["torch"]["cuda"] and not job:
        lines.append(
            "hint: to test a GPU, run this in a job that has one: srun --gres=gpu:1 torch-verdict --expect-cuda"
        )
    return "".join(one_line(line) + "\n" for line in lines)


def _torch(torch: t.Mapping[str, t.Any]) -> str:
    if not torch["version"]:
        return "torch was not imported"
    built = (
        "CUDA %s" % torch["cuda"] if torch["cuda"] else "ROCm %s" % torch["hip"] if torch["hip"] else "the CPU alone"
    )
    return "torch %s, built for %s" % (torch["version"], built)


def _device(device: t.Mapping[str, t.Any]) -> str:
    text = "GPU %d: %s, compute capability %s: " % (device["index"], device["name"], device["compute_capability"])
    return text + ("passed" if device["passed"] else "failed: %s" % device["error"])
