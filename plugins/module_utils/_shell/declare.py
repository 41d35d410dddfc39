# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings blocks of rc files up to date. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from .._common.errors import UserError
from .._files.paths import require_absolute
from .rcfile import Change, update
from .tail import check_lines


class Options(t.NamedTuple):
    """The options of ``shell_rc``.

    files: path to the wanted lines of each of its blocks; a block without lines is removed.
    """

    files: dict[str, dict[str, list[str]]]

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """The options in a module's parameters.

        :raises UserError: a path is not absolute, a block is given twice, or a line cannot stand alone.
        """
        files: dict[str, dict[str, list[str]]] = {}
        wanted = [params] if params["block"] else params["blocks"]
        for each in wanted:
            given = each["path"] or params["path"]
            require_absolute("path", given)
            path = os.path.normpath(given)
            blocks = files.setdefault(path, {})
            if each["block"] in blocks:
                raise UserError(
                    "blocks to have each block once for a file",
                    "%s twice for %s" % (each["block"], path),
                    "join their lines",
                )
            blocks[each["block"]] = []
            if each["state"] == "present":
                blocks[each["block"]] = each["lines"] or []
                check_lines(blocks[each["block"]])
        return cls(files)


def declare(options: Options, write: bool, with_diff: bool) -> dict[str, t.Any]:
    """Write each file whose blocks differ. Returns the module's result.

    :arg write: False only predicts the change.
    """
    # What is wrong with one file is found before another one is written.
    changes = {path: update(path, blocks, write=False) for path, blocks in options.files.items()}
    if write:
        for path, change in changes.items():
            if change.changed:
                changes[path] = update(path, options.files[path])
    paths = list(changes)
    result: dict[str, t.Any] = {
        "changed": any(change.changed for change in changes.values()),
        "path": paths[0] if paths else None,
        "paths": paths,
    }
    if with_diff:
        diffs = [_diff(path, change) for path, change in changes.items()]
        result["diff"] = diffs[0] if len(diffs) == 1 else diffs
    return result


def _diff(path: str, change: Change) -> dict[str, str]:
    return {
        "before": change.before.decode("utf-8", "backslashreplace"),
        "after": change.after.decode("utf-8", "backslashreplace"),
        "before_header": path,
        "after_header": path,
    }
