# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that conda_env can use. Private to hpc.pytorch.

This table is the one list of engines: the module's choices are read from it, and ``make generate`` writes it into the
module's documentation and into role torch_env.
"""

from __future__ import annotations

from .base import FoundEngine
from .cli import find as cli
from .rattler import find as rattler

AUTO = "auto"
ENGINES = {kind.name: kind for kind in (rattler.KIND, *cli.KINDS)}
# What "auto" means.
DEFAULT = rattler.KIND.name
CHOICES = [AUTO, *ENGINES]


def find_engine(name: str, executable: str | None) -> FoundEngine:
    """The engine of the options *name* (one of CHOICES) and *executable*; it is not started.

    :raises UserError: root must not execute what was found.
    """
    kind = ENGINES[DEFAULT if name == AUTO else name]
    return FoundEngine(kind, executable, kind.find(executable))
