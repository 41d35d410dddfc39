# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a failed import, by what it says. A new remedy is one row in IMPORT_REMEDIES. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t


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


def import_remedy(text: str) -> str:
    """What to do about a failed import, by what it says."""
    for row in IMPORT_REMEDIES:
        if re.search(row.pattern, text):
            return row.remedy
    return OTHER_IMPORT_REMEDY


def library_named(text: str) -> str | None:
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


def crash_site(output: str) -> str | None:
    """Where Python was when it crashed, from what faulthandler printed."""
    match = re.search(r'most recent call first\):\s*File "([^"]+)", line (\d+)', output)
    return "in %s, line %s" % match.groups() if match else None
