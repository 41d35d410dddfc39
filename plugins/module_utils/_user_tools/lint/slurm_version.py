# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks sbatch for the version of the cluster's Slurm. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re

from ..._common.process import run_limited
from ..._files.environment import roots_own
from ..._slurm.sbatch.version import parse

# sbatch prints it without asking the controller.
_SECONDS = 5
# "slurm 23.11.4"; Debian's says slurm-wlm, and a candidate for a release ends in -rc1.
_VERSION = re.compile(r"^slurm\S* (\d{2}\.\d{1,2}(?:\.\d+)*)", re.MULTILINE)


def installed_version() -> tuple[int, ...] | None:
    """The version that ``sbatch --version`` prints; None if there is no sbatch on PATH, or if it does not answer."""
    done = run_limited(["sbatch", "--version"], _SECONDS, roots_own(os.environ))
    found = _VERSION.search(done.stdout) if done.rc == 0 else None
    return parse(found.group(1)) if found else None
