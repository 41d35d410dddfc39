# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a Python ran no module: Ansible says no more than that the answer was no JSON. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of

# What older ones print of a module, or of Ansible's own code around it: 3.6, 2.7, Ansible's words, and a version.
_TOO_OLD = re.compile(
    r"future feature annotations is not defined|SyntaxError: invalid syntax|requires a minimum of Python"
    r"|^Python (?:2|3\.[0-7])(?:\.\d+)*$",
    re.MULTILINE,
)
_LONGEST = 500


def broken_python(step: t.Mapping[str, t.Any]) -> tuple[str, str] | None:
    """What is wrong with a Python that ran no module, and what to do; None for every other result.

    Ansible keeps what it printed, and says no more than that it was no JSON.
    """
    line = _printed(step)
    if line is None:
        return None
    if _is_too_old(step):
        return (
            "its Python is older than 3.8, which modules need: %s" % line,
            "set ansible_python_interpreter of the host to a Python 3.8 or newer",
        )
    return (
        "its Python did not run the module: %s" % line,
        "repair that Python, or set ansible_python_interpreter of the host to another one, 3.8 or newer",
    )


def _texts(step: t.Mapping[str, t.Any]) -> list[str]:
    return [str(step.get(key) or "") for key in ("module_stderr", "module_stdout")]


def _is_too_old(step: t.Mapping[str, t.Any]) -> bool:
    return any(_TOO_OLD.search(text) for text in _texts(step))


def _printed(step: t.Mapping[str, t.Any]) -> str | None:
    """The line that says most, of what was printed instead of an answer; None if there was one, or nothing."""
    lines = [line for text in _texts(step) for line in lines_of(text) if line.strip()]
    if not lines or step.get("expected") is not None:
        return None
    # The last line of a traceback; a connection may print more below it.
    errors = [line for line in lines if re.match(r"\w*(?:Error|Exception)\b", line)]
    return one_line((errors or lines)[-1])[:_LONGEST]


def explained(result: dict[str, t.Any], interpreter: str | None, host: str) -> dict[str, t.Any]:
    """*result* of a module with a message that says that the Python is too old, if that is why it did not run.

    Every other failure keeps its message: that of a program such as sudo is no fault of the Python.

    :arg interpreter: the module's first line as Ansible wrote it, such as ``#!/usr/bin/python3``.
    """
    line = _printed(result) if result.get("failed") else None
    if line is None or not _is_too_old(result):
        return result
    path = (interpreter or "").lstrip("#!").strip()
    error = UserError(
        "a Python 3.8 or newer for Ansible's modules on %s" % host,
        "%s, which says %s" % (path or "the one that Ansible chose", line),
        "install one there (on EL8 dnf install python3.12) and set ansible_python_interpreter of the host to it,"
        " such as /usr/bin/python3.12",
    )
    # Ansible would print its own words for it above ours.
    return dict({key: value for key, value in result.items() if key != "exception"}, msg=str(error))
