# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a job exports, in order. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, shown
from ..sbatch.options import pairs
from .shell import word


def line(name: str, value: str) -> str:
    """Render the line that sets a variable: ``line("A", "$B x")`` is ``export A="$B x"``."""
    return "export %s=%s" % (name, word(value))


def read(given: t.Any) -> list[tuple[str, str]]:
    """Read the option ``exports``: ``{"A": 1}`` and ``["A=1"]`` are ``[("A", "1")]``.

    :raises UserError: a variable that bash cannot set, or a variable twice.
    """
    found: list[tuple[str, str]] = []
    for name, value in pairs("exports", given):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise UserError(
                "exports to have names of letters, digits and _", shown(name), "give exports: {NAME: value}"
            )
        if name in ("UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"):
            raise UserError("exports to hold variables that can be set", name, "leave it out")
        if name in (other for other, _value in found):
            raise UserError("exports to hold each variable once", "%s twice" % name, "leave one of them out")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not _encodable(str(value)):
            raise UserError("%s in exports to be text or a number" % name, shown(value), "put the value in quotes")
        found.append((name, str(value)))
    return found


def _encodable(value: str) -> bool:
    # An environment cannot hold NUL, and a lone surrogate is not a character.
    return "\0" not in value and not re.search("[\ud800-\udfff]", value)
