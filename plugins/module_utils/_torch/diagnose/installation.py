# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment itself is at fault. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ..._common.versions import is_version, key
from ..asked import Asked
from ..report import DIED, Report, describe_ending
from .import_remedies import State, crash_site, import_remedy, library_named
from .reason import Reason, last_line
from .software.two_packages import doubled

# The first torch for numpy 2: https://github.com/pytorch/pytorch/issues/132179, and 107302.
_FOR_NUMPY_2 = "2.3"


def torch_missing(report: Report, asked: Asked) -> Reason | None:
    """There is no torch in the environment.

    Install it, or name the environment that has it. A folder without code, as a removal may leave it, does not
    count.
    """
    if report.missing is None or report.alone:
        return None
    python = report.python["executable"] if report.python else asked.python
    message = "python %s of %s has no torch" % (python, asked.place)
    if report.missing.get("leftover"):
        message += ", only a folder without code at %s" % report.missing["leftover"]
    remedy = (
        "install torch into that environment with the role hpc.pytorch.torch_env, or name the environment that has it"
    )
    return Reason("torch_missing", message, remedy)


def import_failed(report: Report, asked: Asked) -> Reason | None:
    """`import torch` raises or crashes, or Python itself does not start.

    The remedy depends on what the error names: an old C library, `mkl`, a missing package.
    """
    if report.exec_failed is not None:
        message = "%s does not run: %s" % (report.exec_failed["path"], report.exec_failed["error"])
        return Reason("import_failed", message, "create the environment again: its python is not one for this node")
    if report.import_failed is not None:
        error = report.import_failed["error"]
        line = last_line(error["text"])
        text = "%s: %s" % (error["type"], line) if line else error["type"]
        message = "import torch failed in %s with %s" % (asked.place, text)
        library = library_named(error["text"])
        if library and library not in line:
            message += " (%s)" % library
        two = doubled(report, error["text"])
        if two:
            return Reason("import_failed", "%s; %s" % (message, two.found), two.remedy)
        return Reason("import_failed", message, import_remedy(text + "\n" + error["text"], state_of(report, asked)))
    if report.ending.how != DIED or report.torch is not None or report.missing is not None:
        return None
    text = describe_ending(report.ending)
    if report.ending.odd:
        message = "the python of %s %s" % (asked.place, text)
        return Reason("import_failed", message, "create the environment again, or name another one")
    message = "the python of %s %s at: %s" % (asked.place, text, report.step)
    where = crash_site(report.ending.output) or last_line(report.ending.output)
    if where:
        message += " (%s)" % where
    return Reason("import_failed", message, import_remedy(message, state_of(report, asked)))


def state_of(report: Report, asked: Asked) -> State:
    """Return what is known about the environment. A variable without which it fails as well is not the cause."""
    python = report.python or {}
    variables = [] if report.without is False else sorted(report.library_variables)
    return State(python.get("prefix") or asked.prefix or "", python.get("conda"), variables)


def compute_failed(report: Report, asked: Asked) -> Reason | None:
    """Torch does not compute on the CPU, or computes wrong results.

    It can be imported but does not multiply two matrices.
    """
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
    return Reason("compute_failed", message, import_remedy(how, state_of(report, asked)))


def numpy_mismatch(report: Report, asked: Asked) -> Reason | None:
    """Torch cannot use the numpy of its environment.

    `tensor.numpy()` or `torch.from_numpy` raises, so data loaders and most programs fail although torch computes. Torch
    before 2.3 is built for numpy 1 and does not see numpy 2. An environment without numpy is fine.
    """
    broke = report.broke_at("numpy")
    if report.alone or not report.has_bad_numpy() or report.torch is None:
        return None
    found = report.numpy or {}
    error, own = found.get("error"), found.get("own_error")
    # Such a build is meant to be so.
    if error and "without NumPy support" in error["text"]:
        return None
    version, torch = found.get("version"), report.torch["version"] or ""
    if broke:
        how = describe_ending(broke.ending)
    else:
        shown = own or error or {}
        how = last_line(shown["text"]) or shown["type"]
    message = "torch %s cannot use numpy%s of %s: %s" % (torch, " " + version if version else "", asked.place, how)
    if _is_from(version, "2") and _is_from(torch, _FOR_NUMPY_2) is False:
        message += "; torch before 2.3 is built for numpy 1"
        remedy = "install numpy below 2 into the environment (pip install 'numpy<2', or the package numpy<2), or torch"
        remedy += " 2.3 or newer"
    elif own or broke:
        remedy = (
            "install numpy again (pip install --force-reinstall numpy, or conda_env with verify: true): it fails by"
        )
        remedy += " itself (python -c 'import numpy')"
    else:
        remedy = "install another numpy: the newest below 2 (pip install 'numpy<2'), or a newer torch"
    return Reason("numpy_mismatch", message, remedy)


def _is_from(version: str | None, least: str) -> bool | None:
    """Return whether *version*, with or without a local part, is at least *least*; None if that cannot be said."""
    plain = (version or "").split("+")[0]
    return key(plain) >= key(least) if is_version(plain) else None


def cpu_only_build(report: Report, asked: Asked) -> Reason | None:
    """Torch is built without CUDA.

    Pin the build (`pytorch=2.13.*=*cuda*`), and set the option `cuda` of `conda_env` if the node that installs has
    no GPU.
    """
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
