# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why torch or its CUDA does not work: one function a cause. Plain data, no I/O. Private to hpc.pytorch.

A new cause is one function here and its place in DETECTORS; a new remedy for a failed import is one row in
IMPORT_REMEDIES.
"""

from __future__ import annotations

import re
import typing as t

from .._host.errors import one_line
from .report import DIED, TIMEOUT, Report, describe_ending


class Asked(t.NamedTuple):
    """What the caller wants to know.

    :arg expect_cuda: whether there has to be a usable GPU; None for no opinion.
    :arg expect_devices: how many usable GPUs there have to be; None for no opinion.
    """

    prefix: t.Optional[str] = None
    python: t.Optional[str] = None
    expect_cuda: t.Optional[bool] = None
    expect_devices: t.Optional[int] = None

    @property
    def place(self) -> str:
        """What was looked at, for a sentence."""
        return str(self.prefix if self.prefix is not None else self.python)


class Reason(t.NamedTuple):
    """One cause, each part on one line."""

    code: str
    message: str
    remedy: str


class ImportRemedy(t.NamedTuple):
    """What to do when the text of a failed import matches."""

    pattern: str
    remedy: str


# The first that matches counts. Sources: facts collected from the projects' issue trackers, named where there is one.
IMPORT_REMEDIES = (
    ImportRemedy(
        r"GLIBC_[\d.]+' not found",
        "this node's C library is older than the build wants: take an older torch, or one from conda-forge, or run"
        " on a newer node",
    ),
    ImportRemedy(
        r"(GLIBCXX|CXXABI)_[\d.]+' not found",
        "an old libstdc++ is loaded first: unset LD_LIBRARY_PATH and LD_PRELOAD, and install libstdcxx-ng into the"
        " environment",
    ),
    # pytorch/pytorch#123097
    ImportRemedy(
        r"iJIT_|libmkl|mkl_",
        "pin 'mkl<2024.1' in the environment: this torch is older than that library",
    ),
    ImportRemedy(
        r"lib(cudnn|cublas|cublasLt|cudart|cufft|cupti|curand|cusolver|cusparse|nccl|nvJitLink|nvrtc)\w*[.\-]",
        "unset LD_LIBRARY_PATH, which puts another CUDA's library before torch's own; without one, reinstall torch",
    ),
    ImportRemedy(
        r"libcuda\.so",
        "install the NVIDIA driver on this node, or take a build of torch that is imported without one",
    ),
    ImportRemedy(
        r"cannot allocate memory in static TLS block",
        "set LD_PRELOAD to the library that is named, or take a newer build of it",
    ),
    ImportRemedy(
        r"failed to map segment|Operation not permitted",
        "the environment's file system is mounted noexec, or ulimit -v is too small: move the one or raise the other",
    ),
    ImportRemedy(r"Cannot allocate memory|MemoryError", "raise the memory limit (ulimit -v, --mem)"),
    ImportRemedy(
        r"No module named|numpy",
        "install the module that is named into the same environment",
    ),
    ImportRemedy(
        r"SIGILL", "take a torch built for older processors, or a newer node: it uses instructions this one lacks"
    ),
    ImportRemedy(r"SIGKILL", "give the task more memory: the kernel or the batch system killed the import"),
    ImportRemedy(
        r"cannot open shared object file",
        "install the package that brings the library into the environment, or repair the environment with"
        " hpc.pytorch.conda_env and verify: true",
    ),
)
OTHER_IMPORT_REMEDY = (
    "repair the environment (hpc.pytorch.conda_env with verify: true), or make it anew; unset LD_LIBRARY_PATH and"
    " PYTHONPATH if they name another torch"
)


def find_reasons(report: Report, asked: Asked) -> list[Reason]:
    """Every cause that the report shows, the nearest one first."""
    found = (detect(report, asked) for detect in DETECTORS)
    return [Reason(item.code, one_line(item.message), one_line(item.remedy)) for item in found if item is not None]


def probe_timeout(report: Report, asked: Asked) -> t.Optional[Reason]:
    """The probe did not come back."""
    if report.ending.how != TIMEOUT:
        return None
    message = "the probe of %s %s; it hung at: %s" % (asked.place, describe_ending(report.ending), report.step)
    if report.cpu is not None:
        remedy = (
            "look at the node's driver (dmesg for Xid, nvidia-smi) and take the node out of service;"
            " raise timeout if it is only slow"
        )
    else:
        remedy = "look at the file system of %s (a dead mount?); raise timeout if it is only slow" % asked.place
    return Reason("probe_timeout", message, remedy)


def torch_missing(report: Report, asked: Asked) -> t.Optional[Reason]:
    """There is nothing to import."""
    if report.missing is None:
        return None
    python = report.python["executable"] if report.python else asked.python
    message = "python %s of %s has no torch" % (python, asked.place)
    if report.missing.get("leftover"):
        message += ", only a folder without code at %s" % report.missing["leftover"]
    remedy = (
        "install torch into that environment with the role hpc.pytorch.torch_env, or name the environment that has it"
    )
    return Reason("torch_missing", message, remedy)


def import_failed(report: Report, asked: Asked) -> t.Optional[Reason]:
    """The import raised or killed the interpreter, or the interpreter did not even start."""
    if report.exec_failed is not None:
        message = "%s does not run: %s" % (report.exec_failed["path"], report.exec_failed["error"])
        return Reason("import_failed", message, "make the environment anew: its python is not one for this node")
    if report.import_failed is not None:
        error = report.import_failed["error"]
        line = last_line(error["text"])
        text = "%s: %s" % (error["type"], line) if line else error["type"]
        message = "import torch failed in %s with %s" % (asked.place, text)
        library = library_named(error["text"])
        if library and library not in line:
            message += " (%s)" % library
        return Reason("import_failed", message, import_remedy(text + "\n" + error["text"]))
    if report.ending.how != DIED or report.torch is not None or report.missing is not None:
        return None
    text = describe_ending(report.ending)
    message = "the python of %s %s at: %s" % (asked.place, text, report.step)
    where = crash_site(report.ending.output) or last_line(report.ending.output)
    if where:
        message += " (%s)" % where
    return Reason("import_failed", message, import_remedy(message))


def compute_failed(report: Report, asked: Asked) -> t.Optional[Reason]:
    """torch is imported but does not compute on the CPU."""
    if report.torch is None:
        return None
    if report.cpu is not None and not report.cpu["passed"]:
        error = report.cpu["error"]
        how = "%s: %s" % (error["type"], last_line(error["text"]))
    elif report.cpu is None and report.ending.how == DIED:
        how = describe_ending(report.ending)
    else:
        return None
    message = "torch %s does not multiply two matrices on the CPU: %s" % (report.torch["version"], how)
    return Reason("compute_failed", message, import_remedy(how))


def cpu_only_build(report: Report, asked: Asked) -> t.Optional[Reason]:
    """torch was built without CUDA."""
    if report.torch is None or report.torch["cuda"] or report.torch["hip"]:
        return None
    version = report.torch["version"] or ""
    return Reason(
        "cpu_only_build",
        "torch %s is built without CUDA" % version,
        "where a GPU is wanted, ask for a CUDA build by name (pytorch=%s=*cuda*, or the wheels of a CUDA version)"
        " and set the option cuda of hpc.pytorch.conda_env when the node that installs has no GPU"
        % version.split("+")[0],
    )


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


def device_failed(report: Report, asked: Asked) -> t.Optional[Reason]:
    """A device did not do its sums, or CUDA took the interpreter with it."""
    bad = [device for device in report.devices if not device["passed"]]
    if bad and report.ending.how != TIMEOUT:
        texts = ["device %d (%s): %s" % (item["index"], item["name"], item["error"]) for item in bad]
        message = "%d of %d devices failed: %s" % (len(bad), len(report.devices), "; ".join(texts))
    elif not bad and report.ending.how == DIED and report.cpu is not None and report.cpu["passed"]:
        message = "the probe %s at: %s" % (describe_ending(report.ending), report.step)
    else:
        return None
    remedy = "look at the node's driver (dmesg for Xid, nvidia-smi -q) and take the device or the node out of service"
    return Reason("device_failed", message, remedy)


def device_count_mismatch(report: Report, asked: Asked) -> t.Optional[Reason]:
    """Devices there are, but not as many as expected. Where there is none, the cause of that is the reason."""
    found = len(report.devices)
    if not found:
        return None
    if asked.expect_devices is not None and found != asked.expect_devices:
        wanted = str(asked.expect_devices)
    elif asked.expect_cuda is False:
        wanted = "none"
    else:
        return None
    return Reason(
        "device_count_mismatch",
        "torch sees %d devices, expected %s" % (found, wanted),
        "compare nvidia-smi -L, what the job asked for (--gres, CUDA_VISIBLE_DEVICES) and the expectation",
    )


DETECTORS: tuple[t.Callable[[Report, Asked], t.Optional[Reason]], ...] = (
    probe_timeout,
    torch_missing,
    import_failed,
    compute_failed,
    cpu_only_build,
    no_driver,
    cuda_unavailable,
    device_failed,
    device_count_mismatch,
)


def library_named(text: str) -> t.Optional[str]:
    """The library or module that a failed import blames."""
    for pattern in (
        r"No module named '([^']+)'",
        r"((?:/[^\s:]*/)?lib[\w.+\-]+\.so[\w.]*): (?:cannot open|undefined symbol|version|failed|cannot allocate)",
        r"([^\s:]+\.so[\w.]*):",
        r"(lib[\w+\-]+\.so[\w.]*)",
    ):
        match = re.search(pattern, text)
        if match:
            return match.group(1)
    return None


def import_remedy(text: str) -> str:
    """What to do about a failed import, by what it says."""
    for row in IMPORT_REMEDIES:
        if re.search(row.pattern, text):
            return row.remedy
    return OTHER_IMPORT_REMEDY


def last_line(text: str) -> str:
    """The last line with something on it, not too long."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def crash_site(output: str) -> t.Optional[str]:
    """Where Python was when it crashed, from what faulthandler printed."""
    match = re.search(r'most recent call first\):\s*File "([^"]+)", line (\d+)', output)
    return "in %s, line %s" % match.groups() if match else None
