# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a job's output, from the pattern that Slurm shows. Lists a folder. Private to hpc.pytorch.

https://slurm.schedmd.com/sbatch.html#SECTION_FILENAME-PATTERN has the patterns.
"""

from __future__ import annotations

import os
import pwd
import re
import typing as t

from ...._common.errors import UserError
from ...._common.lines import whole
from ...model.hostlist import unfold
from ...model.job.part import Part

_PATTERN = re.compile(r"%(\d*)([%AaJjNnstubx])")
# Only these are filled up with zeros.
_NUMBERS = "AaJjnt"
# Stands for a value that is not known here, until the folder is searched. No path has it.
_ANY = "\0"
# A name with more unknown values than these is not searched for.
_MOST = 3


def output_path(path: str, part: Part, job: str, owner: int | None = None) -> str:
    """The file of a part's output. Newer releases of Slurm show a pattern, older ones the file.

    ``/home/alice/%x-%A_%a.out`` becomes ``/home/alice/train-7_3.out``. What is not known, as the number of a step in
    ``%J``, is searched for in the folder. Without such a file the pattern stays.

    :arg owner: the number of the user who owns the job; None for the caller's own job, -1 if it is not known.
    """
    if os.path.lexists(path):
        return path
    if "\\" in path:
        # Slurm takes the rest of the name as it is.
        return path.replace("\\", "")
    if "%" not in path or "\0" in path:
        return path
    values = _values(part, job, owner)

    def value(match: t.Match[str]) -> str:
        found = values[match.group(2)]
        if not found:
            return _ANY
        width = min(10, whole(match.group(1)) or 0) if match.group(2) in _NUMBERS else 0
        return found.rjust(width, "0")

    filled = _PATTERN.sub(value, path)
    return (_searched(filled) or path) if _ANY in filled else filled


def _values(part: Part, job: str, owner: int | None) -> dict[str, str]:
    """The values for the batch script; an empty one is not known."""
    index = whole(part.name)
    return {
        "j": part.number or job,
        "J": "",
        "A": job.partition("_")[0].partition("+")[0],
        "a": "" if index is None else str(index),
        "b": "" if index is None else str(index % 10),
        "x": part.job_name,
        "N": _first_host(part.nodes) if part.nodes else "",
        "n": "0",
        "t": "0",
        "s": "batch",
        "u": _user(owner),
        "%": "%",
    }


def _first_host(nodes: str) -> str:
    """The short name of the node that runs the script."""
    try:
        first = next(iter(unfold(nodes)), "")
    except UserError:
        return ""
    return first.partition(".")[0]


def _user(owner: int | None) -> str:
    try:
        return pwd.getpwuid(os.geteuid() if owner is None else owner).pw_name
    except (KeyError, OverflowError):
        return ""


def _searched(filled: str) -> str:
    """The newest file of such a name; empty without one."""
    folder, name = os.path.split(filled)
    name = re.sub("\0+", "\0", name)
    if _ANY in folder or name.count(_ANY) > _MOST:
        return ""
    wanted = re.compile(".*".join(re.escape(text) for text in name.split(_ANY)), re.DOTALL)
    try:
        found = [entry for entry in os.scandir(folder or ".") if wanted.fullmatch(entry.name)]
        newest = max(found, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime, default=None)
    except OSError:
        return ""
    return "" if newest is None else newest.path
