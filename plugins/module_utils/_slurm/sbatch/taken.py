# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sbatch takes in scripts by others, beyond the values that we write. No I/O. Private to hpc.pytorch.

Each row was tried with the sbatch of Slurm 22.05. tests/unit/slurm/test_lint_taken.py tries it again.
"""

from __future__ import annotations

import re

from .table import Option

# An option that sbatch takes without a value after the equals sign, and then does not use.
EMPTY = frozenset(
    """
    account array chdir comment constraint dependency error exclude exclusive export gpus gpus-per-node gpus-per-task
    gres job-name licenses mail-user nodelist output partition qos reservation wait-all-nodes
    """.split()
)

_TYPE = r"(?!all\b)[A-Za-z0-9_][\w.+-]*"
_HINT = r"(compute_bound|memory_bound|multithread|nomultithread)"
_TAKEN = {
    "dependency": r"\d+(,\d+)*",
    "distribution": r"(\*|block|cyclic):",
    "exclusive": r"exclusive|user|mcs|topo",
    # Any text: names that are not set are not passed on.
    "export": r".*",
    "gpu-bind": r"(closest|none)(,verbose)?",
    # A type alone is one GPU of it.
    "gpus": r"({0}|({0}[:=])?\d+[kmg]?)(,({0}|({0}[:=])?\d+[kmg]?))*,?".format(_TYPE),
    "gres": r"[A-Za-z_][\w.+-]*(:[A-Za-z0-9_][\w.+-]*)?([:=]\d+)?,",
    "hint": _HINT + r"(," + _HINT + r")*",
    "mail-type": r"(none|begin|end|fail|requeue|all|time_limit)(,(begin|end|fail|requeue|all|time_limit))*,",
    # Nothing reads it until there is something to send.
    "mail-user": r".*",
    "nodes": r"\+?[1-9]\d*",
    "open-mode": r"[at].*",
    "partition": r"[A-Za-z0-9_][\w.+@-]*,",
    "signal": r"([BR]+:)?([1-9]\d{0,2}|(sig)?(usr1|usr2|term|int|hup)@)",
    "time": r"-1|\d+-",
}
_TAKEN["gpus-per-node"] = _TAKEN["gpus-per-task"] = _TAKEN["gpus"]


def takes(option: Option, value: str) -> bool:
    """Whether sbatch takes the value, although ``option.valid`` does not: ``takes(GPUS, "a100")`` is True."""
    if not value:
        return option.directive in EMPTY
    pattern = _TAKEN.get(option.directive)
    return pattern is not None and re.fullmatch(pattern, value, re.IGNORECASE | re.ASCII) is not None
