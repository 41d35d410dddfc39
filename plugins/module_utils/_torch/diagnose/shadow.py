# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something outside the environment comes before what is in it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..asked import Asked
from ..report import Report, is_library_of_torch
from . import evidence
from .reason import Reason, first_line, last_line


def user_site_shadow(report: Report, asked: Asked) -> Reason | None:
    """A torch in the home directory or in `PYTHONPATH` comes before the environment's.

    It lies in `~/.local` or in a folder of `PYTHONPATH`. Set `PYTHONNOUSERSITE=1` in job scripts, or remove it
    there. A Python that is not an environment may have its torch in the user's folder.
    """
    python, path = report.python, report.torch_path
    if python is None or not path:
        return None
    real = os.path.normpath(path)
    below = [folder for folder in [python["user_site"], *python["python_path"]] if folder and _is_below(real, folder)]
    # A python that is not an environment may well have its torch in the user's folder alone.
    if not below or report.own_torch is None and asked.prefix is None:
        return None
    by_variable = below[0] != python["user_site"]
    message = "torch comes from %s, not from %s" % (os.path.dirname(real), asked.place)
    message += "" if report.own_torch else ", which has none"
    if report.import_failed:
        message += "; and it cannot be imported: %s" % last_line(report.import_failed["error"]["text"])
    if by_variable:
        remedy = "unset PYTHONPATH for this environment, or remove %s from it" % below[0]
    else:
        remedy = (
            "set PYTHONNOUSERSITE=1 in job scripts, or remove the package (python -m pip uninstall torch, outside every"
            " environment)"
        )
    if report.own_torch is None:
        remedy += "; and install torch into the environment"
    return Reason("user_site_shadow", message, remedy)


def ld_library_path_shadow(report: Report, asked: Asked) -> Reason | None:
    """`LD_LIBRARY_PATH` or `LD_PRELOAD` put other CUDA libraries before torch's own, and without them it works.

    The import or a GPU fails with these variables and not without them: both have been tried. The message names the
    libraries. Do not set the variable for torch. Libraries that come from elsewhere and work are in `shadowed` of
    the result.
    """
    failure = evidence.start_failure(report)
    if failure is not None and failure.number in (evidence.STUB, evidence.MISMATCH, evidence.NO_COMPAT):
        return None
    if not report.without:
        return None
    blamed = blamed_libraries(report)
    variables = sorted({variable for variable, _path in blamed})
    message = "%s put%s other libraries before torch's own (%s), and without %s it works; with %s: %s" % (
        " and ".join(variables),
        "" if len(variables) > 1 else "s",
        ", ".join(path for _variable, path in blamed[:5]) + (", ..." if len(blamed) > 5 else ""),
        "them" if len(variables) > 1 else "it",
        "them" if len(variables) > 1 else "it",
        what_failed(report),
    )
    return Reason(
        "ld_library_path_shadow",
        message,
        "do not set %s for torch, which brings its own CUDA libraries: unset it in the job, or remove the folders"
        " in ~/.bashrc, profile.d or the modulefile; CUDA_HOME and PATH are enough to compile" % " or ".join(variables),
    )


def blamed_libraries(report: Report) -> list[tuple[str, str]]:
    """Return the libraries to name: those known to be in use, or those that the error names, or all that come first."""
    pairs = [(variable, path) for variable, path in report.library_path if is_library_of_torch(path)]
    text = what_failed(report, whole=True)
    used = {os.path.dirname(item["path"]) + "/" + item["name"].split(".so")[0] for item in report.shadowed}
    for choose in (
        lambda path: os.path.dirname(os.path.realpath(path)) + "/" + os.path.basename(path).split(".so")[0] in used,
        lambda path: os.path.basename(path).split(".so")[0] in text,
        lambda path: os.path.basename(path)[3:7] in text.lower(),
    ):
        chosen = [pair for pair in pairs if choose(pair[1])]
        if chosen:
            return chosen
    return pairs


def what_failed(report: Report, whole: bool = False) -> str:
    """Return the first error, as torch reports it."""
    error: t.Mapping[str, t.Any] | None = None
    if report.import_failed:
        error = report.import_failed["error"]
    elif report.cpu and not report.cpu["passed"]:
        error = report.cpu["error"]
    elif report.cuda and report.cuda["error"]:
        error = report.cuda["error"]
    if error:
        return str(error["text"]) if whole else first_line(error["text"]) or str(error["type"])
    bad = [device for device in report.devices if not device["passed"] and device["error"]]
    return str(bad[0]["error"]) if bad else "the probe ended at: %s" % report.step


def _is_below(path: str, folder: str) -> bool:
    return os.path.normpath(path).startswith(os.path.normpath(folder) + os.sep)
