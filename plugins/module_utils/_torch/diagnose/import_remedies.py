# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedy for a failed import, by its error. A new remedy is one row of IMPORT_REMEDIES. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t


class ImportRemedy(t.NamedTuple):
    """The remedy for an error that matches *pattern*."""

    pattern: str
    remedy: str


# The first row that matches counts. Collected from the projects' issue trackers.
IMPORT_REMEDIES = (
    ImportRemedy(
        r"GLIBC_[\d.]+' not found",
        "this node's C library is older than the build requires: install an older torch, or one from conda-forge,"
        " or run on a newer node",
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
        "install the NVIDIA driver on this node, or a build of torch that can be imported without one",
    ),
    ImportRemedy(
        r"cannot allocate memory in static TLS block",
        "set LD_PRELOAD to the library that is named, or install a newer build of it",
    ),
    ImportRemedy(
        r"failed to map segment|Operation not permitted",
        "the environment's file system is mounted noexec, or ulimit -v is too small: move the environment"
        " or raise the limit",
    ),
    ImportRemedy(r"Cannot allocate memory|MemoryError", "raise the memory limit (ulimit -v, --mem)"),
    ImportRemedy(
        r"No module named|numpy",
        "install the module that is named into the same environment",
    ),
    ImportRemedy(
        r"SIGILL",
        "install a torch built for older processors, or use a newer node: this one lacks instructions that torch uses",
    ),
    ImportRemedy(r"SIGKILL", "give the task more memory: the kernel or the batch system killed the import"),
    ImportRemedy(
        r"cannot open shared object file",
        "install the package that brings the library into the environment, or repair the environment with"
        " hpc.pytorch.conda_env and verify: true",
    ),
)
OTHER_IMPORT_REMEDY = (
    "repair the environment (hpc.pytorch.conda_env with verify: true), or create it again; unset LD_LIBRARY_PATH and"
    " PYTHONPATH if they name another torch"
)


def import_remedy(text: str) -> str:
    """Return the remedy for a failed import, by its error."""
    for row in IMPORT_REMEDIES:
        if re.search(row.pattern, text):
            return row.remedy
    return OTHER_IMPORT_REMEDY


def library_named(text: str) -> str | None:
    """Return the library or module that the error of an import names: ``libcudnn.so.9`` or ``numpy``."""
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
    """Return where Python crashed, from faulthandler's output: ``in /e/a.py, line 7``."""
    match = re.search(r'most recent call first\):\s*File "([^"]+)", line (\d+)', output)
    return "in %s, line %s" % match.groups() if match else None
