# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something outside the environment comes before what is in it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ...asked import Asked
from ...probe.origin import PYTHONPATH, USER_SITE
from ...report import DIED, Report, describe_ending, is_library_of_torch
from .. import evidence
from ..import_remedies import files_of_crash, library_named
from ..reason import Reason, first_line, last_line


def user_site_shadow(report: Report, asked: Asked) -> Reason | None:
    """Packages from outside the environment come before its own.

    A torch lies in `~/.local` or in a folder of `PYTHONPATH`; or something that torch imports does, it fails with that,
    and without it works: both have been tried. A `.pth` file, `sitecustomize` and `PYTHONHOME` count as well. Set
    `PYTHONNOUSERSITE=1` in job scripts, unset the variable, or remove the package there. Packages from elsewhere that
    work are in `shadowed` of the result. A Python that is not an environment may have its torch in the user's folder.
    """
    return _other_torch(report, asked) or _other_packages(report, asked)


def _other_torch(report: Report, asked: Asked) -> Reason | None:
    python, path = report.python, report.torch_path
    if python is None or not path:
        return None
    real = os.path.normpath(path)
    below = [folder for folder in [python["user_site"], *python["python_path"]] if folder and _is_below(real, folder)]
    # A python that is not an environment may well have its torch in the user's folder alone.
    if not below or report.own_torch is None and asked.prefix is None:
        return None
    message = "torch comes from %s, not from %s" % (os.path.dirname(real), asked.place)
    message += "" if report.own_torch else ", which has none"
    if report.import_failed:
        message += "; and it cannot be imported: %s" % last_line(report.import_failed["error"]["text"])
    by = USER_SITE if below[0] == python["user_site"] else PYTHONPATH
    remedy = _undo(by, below[0], ["torch"])
    if report.own_torch is None:
        remedy += "; and install torch into the environment"
    return Reason("user_site_shadow", message, remedy)


def _other_packages(report: Report, asked: Asked) -> Reason | None:
    if not report.alone:
        return None
    blamed = blamed_packages(report)
    causes: dict[tuple[str, str], list[str]] = {}
    for name, _path, by, folder in blamed:
        causes.setdefault((by, folder), []).append(name)
    parts = ["%s comes from %s, not from %s" % (name, path, asked.place) for name, path, _by, _folder in blamed[:5]]
    variables = sorted(report.python_variables)
    user_site = report.python["user_site"] if report.python else None
    if not parts:
        causes = {(variable, report.python_variables[variable]): [] for variable in variables}
        if user_site or not variables:
            causes[(USER_SITE, user_site or "")] = []
        parts = ["%s=%s is set" % (variable, report.python_variables[variable][:500]) for variable in variables]
        parts += (
            ["the user site%s is in use" % (" " + user_site if user_site else "")] if user_site or not parts else []
        )
    remedies = [_undo(by, folder, names) for (by, folder), names in causes.items()]
    remedies += ["unset LD_LIBRARY_PATH and LD_PRELOAD"] if report.without else []
    return Reason(
        "user_site_shadow",
        "%s; without %s torch works, with %s: %s"
        % (" and ".join(parts), *(["it", "it"] if len(parts) == 1 else ["them", "them"]), what_failed(report)),
        "; and ".join(remedies),
    )


def blamed_packages(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the packages to name, each with its file, and what puts which folder before the environment's own.

    They are the one that raised the error, or those that have one of the environment's own behind them, or all others.
    """
    added = report.python.get("added") or [] if report.python else []
    files = (report.import_failed or report.numpy or {}).get("files") or []
    if report.ending.how == DIED:
        files = files + list(reversed(files_of_crash(report.ending.output)))
    outside = [item["path"] for item in report.outside if item["instead"]]
    bad_numpy = report.numpy["path"] if report.numpy and report.numpy["error"] else None
    for paths in (
        files[-1:],
        [path for path in files if any(_is_below(path, item["folder"]) for item in added)][-1:],
        [bad_numpy] if bad_numpy else [],
        outside,
        [item["path"] for item in report.outside],
    ):
        found = []
        for path in paths:
            place = next((item for item in added if _is_below(path, item["folder"])), None)
            if place:
                name = os.path.relpath(path, place["folder"]).split(os.sep)[0].split(".")[0]
                found.append((name, path, place["by"], place["folder"]))
        if found:
            return found
    return []


def _undo(by: str, folder: str, names: t.Sequence[str]) -> str:
    """Return how to take a folder out of the way: *by* is the user site, a variable, a file, or unknown."""
    if by == USER_SITE:
        packages = " ".join(sorted(set(names)))
        return "set PYTHONNOUSERSITE=1 in job scripts" + (
            ", or remove the package from %s (python -m pip uninstall %s, outside every environment)"
            % (folder, packages)
            if packages
            else ""
        )
    if by == PYTHONPATH:
        return "unset PYTHONPATH for this environment, or remove %s from it" % folder
    if by.startswith("PYTHON"):
        return "unset %s for this environment" % by
    if by:
        return "remove %s, which puts %s before the environment's own packages" % (by, folder)
    return "find what puts %s into sys.path (a .pth file or sitecustomize of the environment), and remove it" % folder


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
    blamed = _named_library(report) or blamed_libraries(report) or sorted(report.library_variables.items())
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
        "do not set %s for torch, which brings its own libraries: unset it in the job, or remove the folders"
        " in ~/.bashrc, profile.d or the modulefile; CUDA_HOME and PATH are enough to compile" % " or ".join(variables),
    )


def _named_library(report: Report) -> list[tuple[str, str]]:
    """Return the library that the error names by its path, with the variable that leads there; empty without one."""
    named = library_named(what_failed(report, whole=True)) or ""
    return [
        (variable, named)
        for variable, value in sorted(report.library_variables.items())
        if any(part == named or part and _is_below(named, part) for part in re.split(r"[:;\s]", value))
    ][:1]


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
    if bad:
        return str(bad[0]["error"])
    if report.all_reduce and report.all_reduce["error"]:
        return str(report.all_reduce["error"]["text"]) if whole else first_line(report.all_reduce["error"]["text"])
    broke = report.broke_at("all-reduce")
    if broke is not None:
        return "the all-reduce: " + describe_ending(broke.ending)
    if report.numpy and report.numpy["error"]:
        return last_line((report.numpy["own_error"] or report.numpy["error"])["text"])
    if report.missing is not None:
        return "there is no torch"
    return "the probe ended at: %s" % report.step


def _is_below(path: str, folder: str) -> bool:
    return os.path.normpath(path).startswith(os.path.normpath(folder) + os.sep)
