# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of what a job has written. Reads files, writes nothing. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ..model.job import Part

# However long the lines are.
_BYTES = 64 * 1024


def tail_of(path: str, lines: int) -> list[str]:
    """The last lines of a file; none where there is no file, or something that reading would wait for."""
    if not path or lines < 1:
        return []
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        return []
    with os.fdopen(handle, "rb") as stream:
        begin = max(0, status.st_size - _BYTES)
        stream.seek(begin)
        text = stream.read(_BYTES).decode("utf-8", "replace")
    found = text.splitlines()
    # The first one may be half a line.
    return (found[1:] if begin and len(found) > 1 else found)[-lines:]


def output_path(path: str, part: Part, job: str) -> str:
    """Where a part's output is: newer versions of Slurm show the pattern that it was asked for, older ones the file."""
    if "%" not in path or os.path.lexists(path):
        return path
    values = {
        "j": part.number or job,
        "A": job,
        "a": part.name.lstrip("+"),
        "x": part.job_name,
        "N": part.nodes.partition(",")[0],
        "n": "0",
        "t": "0",
        "s": "batch",
        "%": "%",
    }

    def value(match: t.Match[str]) -> str:
        return values.get(match.group(2), match.group()).rjust(int(match.group(1) or 0), "0")

    return re.sub(r"%(\d*)([jAaxNnts%])", value, path)
