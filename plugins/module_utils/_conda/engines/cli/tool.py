# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands conda, mamba and micromamba: which versions serve. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ...._common.lines import lines_of

# The first version of each that has all we use: sha256 in explicit files; one command line for mamba and micromamba.
OLDEST = {"conda": (24, 9), "mamba": (2, 0), "micromamba": (2, 0)}


class Tool(t.NamedTuple):
    """An installed command. *kind* is a key of OLDEST."""

    kind: str
    executable: str
    version: str


def read_version(output: str, name: str) -> tuple[str, str] | None:
    """Kind and version from the output of ``--version``.

    ``conda 26.7.1`` is ``("conda", "26.7.1")``. mamba and micromamba print the version alone, ``2.8.1``.

    :arg name: the executable's file name, which tells the latter two apart.
    """
    lines = [line.split() for line in lines_of(output) if line.strip()]
    for words in lines:
        if words[0] in OLDEST and len(words) > 1 and words[1][:1].isdigit():
            return words[0], words[1]
    if lines and re.match(r"\d+\.\d+", lines[0][0]):
        return ("micromamba" if name.startswith("micromamba") else "mamba"), lines[0][0]
    return None


def is_too_old(kind: str, version: str) -> bool:
    """Whether that version lacks something that is used here: ``is_too_old("conda", "24.7.1")``."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST[kind]
