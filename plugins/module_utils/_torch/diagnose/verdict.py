# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict and the result of torch_info, from a report and the expectations. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError, counted, one_line, some
from ..._cuda.parse import from_number
from ..._gpu.expected import is_slice, unknown
from ..._gpu.names import words_of
from ..asked import SLURM, Asked
from ..report import FINISHED, Report, describe_ending
from .evidence import kernel_release
from .kernels import version_of_cudnn
from .reason import Reason
from .stages import FAILING, find_reasons

OK = "ok"
CPU_ONLY = "cpu_only"
FAILED = "failed"


def require_sense(asked: Asked) -> None:
    """Refuse expectations that nothing can meet.

    :raises UserError: expect_devices is negative or contradicts expect_cuda, or an item of expect_gpu is empty.
    """
    for item in asked.expect_gpu:
        if not words_of(item):
            raise UserError(
                "expect_gpu to be GPU types or compute capabilities", repr(item), "name them as in h100, titan-v or 7.0"
            )
    count = asked.expect_devices
    if count is None:
        return
    if count < 0:
        raise UserError("expect_devices to be 0 or more", str(count), "leave expect_devices out to expect nothing")
    if asked.expect_cuda is not None and asked.expect_cuda != (count > 0):
        raise UserError(
            "expect_cuda and expect_devices that agree",
            "expect_cuda %s with expect_devices %d" % (str(asked.expect_cuda).lower(), count),
            "leave expect_cuda out, expect_devices is enough",
        )


def no_expectations(asked: t.Iterable[Asked]) -> list[str]:
    """Return a warning if expect_gpu has names that say nothing about a GPU; the same one for every node."""
    names = dict.fromkeys(name for each in asked for name in unknown(each.expect_gpu))
    if not names:
        return []
    return [
        one_line(
            "%s in expect_gpu says nothing about a GPU, so any GPU is accepted. Give the model, such as h100, or a"
            ' compute capability, such as "8.0": in the inventory, hpc_gpu_type, or gpu_types of hpc.pytorch.slurm'
            % some(list(names))
        )
    ]


def decide(report: Report, asked: Asked, reasons: t.Sequence[Reason] = ()) -> str:
    """Return ``ok``, ``cpu_only`` or ``failed``."""
    computes = report.cpu is not None and report.cpu["passed"]
    if not computes or report.ending.how != FINISHED:
        return FAILED
    if unmet(report, asked) or not all(device["passed"] for device in report.devices):
        return FAILED
    if any(reason.code in FAILING and not _is_slurms(reason, asked) for reason in reasons):
        return FAILED
    return OK if report.devices else CPU_ONLY


def unmet(report: Report, asked: Asked) -> str | None:
    """Return the expectation about devices that the report does not meet, or None."""
    found = len(report.devices)
    if asked.expect_devices is not None:
        if found != asked.expect_devices and not _is_all_there(report, asked):
            return "expected %s, found %d" % (counted(asked.expect_devices, "device"), found)
    elif asked.expect_cuda is True and not found:
        return "expected a CUDA device, found none"
    elif asked.expect_cuda is False and found:
        return "expected no CUDA device, found %d" % found
    return None


def _is_all_there(report: Report, asked: Asked) -> bool:
    """Whether no GPU is missing although Slurm states another number: there are more, or one slice is seen of many."""
    if asked.expect_from != SLURM or not report.devices:
        return False
    more = len(report.devices) > (asked.expect_devices or 0)
    return more or all(is_slice(device["name"] or "") for device in report.devices)


def _is_slurms(reason: Reason, asked: Asked) -> bool:
    """Whether a reason is only that Slurm calls the GPUs by another name."""
    return reason.code == "device_type_mismatch" and asked.expect_from == SLURM


def summarize(verdict: str, report: Report, asked: Asked, reasons: t.Sequence[Reason]) -> str:
    """Return the verdict and its reasons on one line."""
    parts = []
    if report.torch is not None:
        cuda, hip = report.torch["cuda"], report.torch["hip"]
        built = " for CUDA %s" % cuda if cuda else " for ROCm %s" % hip if hip else ""
        parts.append("torch %s%s" % (report.torch["version"], built))
    if report.devices:
        passed = sum(1 for device in report.devices if device["passed"])
        parts.append("%d of %s passed" % (passed, counted(len(report.devices), "device")))
    missed = unmet(report, asked)
    if verdict == FAILED and missed and report.cuda is not None:
        parts.append(missed)
    parts.extend("%s - %s" % (reason.code, reason.message) for reason in reasons)
    return one_line("%s: %s" % (verdict, "; ".join(parts)))


def result(report: Report, asked: Asked) -> dict[str, t.Any]:
    """Return the result of the module."""
    torch = report.torch or {}
    python = report.python or {}
    reasons = find_reasons(report, asked)
    verdict = decide(report, asked, reasons)
    path = torch.get("path") or (report.torch_path or "").rpartition("/")[0] or None
    return {
        "verdict": verdict,
        "summary": summarize(verdict, report, asked, reasons),
        "reasons": [reason._asdict() for reason in reasons],
        "torch": {
            "version": torch.get("version"),
            "cuda": torch.get("cuda"),
            "hip": torch.get("hip"),
            "git": torch.get("git"),
            "path": path,
            "cudnn": version_of_cudnn((report.cudnn or {}).get("version")),
            "archs": (report.cuda or {}).get("archs") or [],
        },
        "python": {name: python.get(name) for name in ("version", "executable", "prefix", "user_site")},
        "cuda_available": bool(report.cuda and report.cuda["available"]),
        "devices": [
            {key: value for key, value in device.items() if key not in ("state", "error_type")}
            for device in report.devices
        ],
        "nccl": nccl(report),
        "shadowed": report.shadowed + [dict(item) for item in report.outside if item["instead"]],
        "node": node(report),
        "step": report.step,
        "seconds": round(report.ending.seconds, 3),
        "output": report.ending.output if verdict == FAILED else "",
    }


def nccl(report: Report) -> dict[str, t.Any]:
    """Return what is known about NCCL; ``all_reduce`` is None without two devices to try it with."""
    tried = report.all_reduce or {}
    broke = report.broke_at("all-reduce")
    error = tried.get("error")
    text = describe_ending(broke.ending) if broke else (error["text"] or error["type"]) if error else None
    return {
        "version": (report.nccl or {}).get("version"),
        "all_reduce": False if broke else tried.get("passed"),
        "devices": tried.get("devices") or [],
        "error": one_line(text) if text else None,
        "seconds": tried.get("seconds"),
    }


def node(report: Report) -> dict[str, t.Any]:
    """Return what is known about the node; None or empty for what was not checked."""
    found = report.node or {}
    driver = report.driver or {}
    return {
        "hostname": found.get("hostname"),
        "driver": kernel_release(report),
        "cuda": from_number(driver["cuda"]) if driver.get("cuda") else None,
        "libcuda": driver.get("path"),
        "gpus": found.get("gpus"),
        "variables": found.get("variables") or {},
        "libraries": [path for _variable, path in report.library_path],
        "kernel_log": report.kernel_log or [],
    }
