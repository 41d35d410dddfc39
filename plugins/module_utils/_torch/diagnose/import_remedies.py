# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedy for a failed import, by its error. A new remedy is one row of IMPORT_REMEDIES. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t


class State(t.NamedTuple):
    """What is known about the environment whose import failed.

    :arg prefix: its folder; empty if unknown.
    :arg conda: whether conda made it; None if unknown.
    :arg variables: the variables that may have put libraries before its own, such as ``LD_LIBRARY_PATH``: those that
        are set, and not those without which it fails as well. None if unknown.
    """

    prefix: str = ""
    conda: bool | None = None
    variables: t.Sequence[str] | None = None

    @property
    def unset(self) -> str:
        """``unset LD_LIBRARY_PATH and LD_PRELOAD``; empty if they are not the cause."""
        known = ("LD_LIBRARY_PATH", "LD_PRELOAD") if self.variables is None else self.variables
        return "unset %s" % " and ".join(known) if known else ""


UNKNOWN = State()


class ImportRemedy(t.NamedTuple):
    """The remedy for an error that matches *pattern*: a text, or a function of the error and the state."""

    pattern: str
    remedy: str | t.Callable[[str, State], str]


def _newer_libstdcxx(text: str, state: State) -> str:
    path = library_named(text) or ""
    if state.prefix and path.startswith(state.prefix.rstrip("/") + "/"):
        return "install the newest libstdcxx-ng into the environment: its own %s is too old" % path
    own = "install libstdcxx-ng into the environment, so that the node's own is not used"
    if state.conda is False:
        own = (
            "install an older torch or use a newer node: this one's libstdc++ is older than the build requires; or take"
        )
        own += " an environment of conda, with libstdcxx-ng"
    if state.unset:
        return "an old libstdc++ is loaded first: %s; if that is not enough, %s" % (state.unset, own)
    return own


def _own_cuda_library(_text: str, state: State) -> str:
    again = (
        "install torch again together with its CUDA libraries: one is missing, or of another version than torch needs"
    )
    if not state.unset:
        return again
    return "%s, which may put another CUDA's library before torch's own; if that is not enough, %s" % (
        state.unset,
        again,
    )


def _other_import_remedy(_text: str, state: State) -> str:
    repair = "repair the environment (hpc.pytorch.conda_env with verify: true), or create it again"
    return "%s; %s, which may put other libraries before its own" % (repair, state.unset) if state.unset else repair


# The first row that matches counts. Collected from the projects' issue trackers.
IMPORT_REMEDIES = (
    ImportRemedy(
        r"GLIBC_[\d.]+' not found",
        "this node's C library is older than the build requires: install an older torch, or one from conda-forge,"
        " or run on a newer node",
    ),
    ImportRemedy(r"(GLIBCXX|CXXABI)_[\d.]+' not found", _newer_libstdcxx),
    # pytorch/pytorch#123097
    ImportRemedy(
        r"iJIT_|libmkl|mkl_",
        "pin 'mkl<2024.1' in the environment: this torch is older than that library",
    ),
    ImportRemedy(
        r"lib(cudnn|cublas|cublasLt|cudart|cufft|cupti|curand|cusolver|cusparse|nccl|nvJitLink|nvrtc)\w*[.\-]"
        r"|undefined symbol: _*(cudnn|cublas|cufft|cusparse|cusolver|nccl|nvJitLink)",
        _own_cuda_library,
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
        r"No module named '(torch|numpy)\.",
        "install the package that is named again (pip install --force-reinstall, or hpc.pytorch.conda_env with"
        " verify: true): a part of it is missing",
    ),
    ImportRemedy(r"No module named", "install the module that is named into the same environment"),
    ImportRemedy(
        r"numpy",
        "install numpy again, in a version for this torch (numpy<2 for torch before 2.3): the one that is there does"
        " not work with it",
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
OTHER_IMPORT_REMEDY = ImportRemedy("", _other_import_remedy)


def import_remedy(text: str, state: State = UNKNOWN) -> str:
    """Return the remedy for a failed import, by its error."""
    row = next((row for row in IMPORT_REMEDIES if re.search(row.pattern, text)), OTHER_IMPORT_REMEDY)
    return row.remedy if isinstance(row.remedy, str) else row.remedy(text, state)


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


def files_of_crash(output: str) -> list[str]:
    """Return the files in which Python crashed, the nearest first, from faulthandler's output."""
    _before, _found, trace = output.partition("most recent call first):")
    return re.findall(r'File "([^"]+)", line \d+', trace)
