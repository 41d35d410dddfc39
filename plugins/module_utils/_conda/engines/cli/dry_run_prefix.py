# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prefix that holds records but no packages, for a dry run. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import typing as t

from ...._common.versions import major_minor
from ...env.records import package_of
from .output import Record
from .stand_ins import lay_stand_in

PINNED = "conda-meta/pinned"
HISTORY = "conda-meta/history"


def make_dry_run_prefix(
    folder: str, records: t.Collection[Record], prefix: str | None, requested: t.Iterable[str] = ()
) -> str:
    """Make a prefix in *folder* that holds *records* and no packages, with the pins of the env at *prefix*.

    :arg requested: names of packages. Those among the *records* are in the history as once requested, since conda's
        classic solver takes the newest of what was not, even if the installed one satisfies.
    """
    made = os.path.join(folder, "prefix")
    os.makedirs(os.path.join(made, "conda-meta"))
    held = {str(record["name"]) for record in records}
    written(os.path.join(made, HISTORY), _history([name for name in requested if name in held]))
    lay_stand_in(made, held)
    if prefix:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(os.path.join(prefix, PINNED), os.path.join(made, PINNED))
    for record in records:
        name = "%s-%s-%s.json" % package_of(record)[:3]
        record = {"build_number": 0, "depends": [], "files": [], **record}
        written(os.path.join(made, "conda-meta", name), json.dumps(record))
    return made


def _history(requested: t.Sequence[str]) -> str:
    # Names alone: a version would be a condition.
    specs = "# update specs: %s\n" % json.dumps(list(requested)) if requested else ""
    return "==> 2000-01-01 00:00:00 <==\n# cmd: hpc.pytorch.conda_env\n" + specs if specs else ""


def to_relink(before: t.Mapping[str, Record], after: t.Mapping[str, Record]) -> set[str]:
    """Names of noarch Python packages that must be linked again, because Python's minor version changes."""
    minor = [major_minor(str(records["python"]["version"])) for records in (before, after) if "python" in records]
    if len(minor) < 2 or minor[0] == minor[1]:
        return set()
    return {name for name in after if name in before and before[name].get("noarch") == "python"}


def written(path: str, text: str) -> str:
    """Write *text* to *path*; return *path*."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path
