# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of codes in docs/job-lint.md, from ``_slurm/lint/finding.py``."""

from __future__ import annotations

import typing as t

PAGE = "docs/job-lint.md"


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The page."""
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import CODES

    rows = ["| code | | what is wrong | what to do |", "|---|---|---|---|"]
    rows += ["| `%s` | %s | %s | %s |" % code for code in CODES]
    return {PAGE: block(current(PAGE), "codes", "\n".join(rows))}
