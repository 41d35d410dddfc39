# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one block of an rc file up to date. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from .._files.paths import require_absolute
from .rcfile import update
from .tail import check_lines


class Options(t.NamedTuple):
    """The options of ``shell_rc``. Without ``lines`` the block is removed."""

    path: str
    block: str
    lines: list[str]

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """The options in a module's parameters.

        :raises UserError: the path is not absolute, or a line cannot stand alone.
        """
        require_absolute("path", params["path"])
        lines: list[str] = []
        if params["state"] == "present":
            lines = params["lines"]
            check_lines(lines)
        return cls(os.path.normpath(params["path"]), params["block"], lines)


def declare(options: Options, write: bool, with_diff: bool) -> dict[str, t.Any]:
    """Write the block if it differs. Returns the module's result.

    :arg write: False only predicts the change.
    """
    change = update(options.path, {options.block: options.lines}, write=write)
    result: dict[str, t.Any] = {"changed": change.changed, "path": options.path}
    if with_diff:
        result["diff"] = {
            "before": change.before.decode("utf-8", "backslashreplace"),
            "after": change.after.decode("utf-8", "backslashreplace"),
            "before_header": options.path,
            "after_header": options.path,
        }
    return result
