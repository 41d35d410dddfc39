# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment itself is at fault. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ..asked import Asked
from ..report import DIED, Report, describe_ending
from .import_remedies import crash_site, import_remedy, library_named
from .reason import Reason, last_line


def torch_missing(report: Report, asked: Asked) -> Reason | None:
    """There is no torch in the environment.

    Install it, or name the environment that has it. A folder without code, as a removal may leave it, does not
    count.
    """
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
        return Reason("import_failed", message, import_remedy(text + "\n" + error["text"]))
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
    return Reason("import_failed", message, import_remedy(message))


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
    return Reason("compute_failed", message, import_remedy(how))


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
