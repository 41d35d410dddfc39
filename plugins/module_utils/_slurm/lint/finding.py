# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the linter of job scripts says. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

# Line, code, message, remedy.
Found = t.Tuple[int, str, str, str]

# What keeps a script from running as meant; the rest are warnings.
ERRORS = (
    "no-shebang",
    "crlf",
    "misspelt-sbatch",
    "dash",
    "misspelt-option",
    "open-quote",
    "bad-value",
    "variable-in-directive",
    "directive-ignored",
)
CODES = ERRORS + (
    "commented-directive",
    "repeated-directive",
    "no-mem",
    "no-time",
    "no-cpus",
    "srun-cpus",
    "ntasks-as-cpus",
    "tasks-without-srun",
    "nodes-without-srun",
    "gpus-twice",
    "output-folder",
    "output-overwritten",
    "fixed-port",
    "bashrc",
    "conda-hook",
    "cuda-visible-devices",
    "no-wait",
    "secret",
)


class Finding(t.NamedTuple):
    """A mistake in a script.

    :arg severity: ``error`` or ``warning``.
    """

    line: int
    code: str
    severity: str
    message: str
    remedy: str
