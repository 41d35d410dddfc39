# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two forms in which scontrol prints what it knows. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re


def parse_config(text: str) -> dict[str, str]:
    """Lines of ``Name = value``."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def parse_pairs(line: str) -> dict[str, str]:
    """``Name=value Name=value``, where a value may hold spaces and signs of equality: a name starts with a capital."""
    starts = list(re.finditer(r"(?:^|\s)([A-Z][\w:/]*)=", line))
    ends = [match.start() for match in starts[1:]] + [len(line)]
    return {match.group(1): line[match.end() : end].strip() for match, end in zip(starts, ends)}
