# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two forms in which scontrol prints values, and its words for "no value". No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

from ..._common.lines import lines_of

_NOTHING = frozenset(("", "(null)", "N/A", "n/a", "NONE", "None"))


def parse_config(text: str) -> dict[str, str]:
    """Lines of ``Name = value``: ``"ClusterName             = campus"`` gives ``{"ClusterName": "campus"}``."""
    pairs = (line.split("=", 1) for line in lines_of(text) if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def split_pairs(line: str) -> list[tuple[str, str]]:
    """``"JobId=7 JobName=a b=c"`` gives ``[("JobId", "7"), ("JobName", "a b=c")]``: a name starts with a capital."""
    starts = list(re.finditer(r"(?:^|\s)([A-Z][\w:/]*)=", line))
    ends = [match.start() for match in starts[1:]] + [len(line)]
    return [(match.group(1), line[match.end() : end].strip()) for match, end in zip(starts, ends)]


def parse_pairs(line: str) -> dict[str, str]:
    """As split_pairs, by name; the last value of a name counts."""
    return dict(split_pairs(line))


def given(text: str) -> str:
    """*text*, or an empty string for what Slurm prints when there is no value: ``(null)``, ``N/A``, ``None``."""
    return "" if text in _NOTHING else text
