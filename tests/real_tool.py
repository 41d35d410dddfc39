# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real conda, mamba or micromamba that tests, faults and benches use on request, named in HPC_TEST_CONDA."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import typing as t

VARIABLE = "HPC_TEST_CONDA"


class RealTool(t.NamedTuple):
    """A command. *kind* is the engine of conda_env; *name* has the version, and conda's solver if one is chosen."""

    kind: str
    executable: str
    name: str


def real_tool() -> RealTool | None:
    """The command that is named, or None."""
    executable = os.environ.get(VARIABLE)
    if not executable:
        return None
    output = subprocess.run([executable, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    # conda prints its name; mamba 2 and micromamba 2 print their version alone.
    named = re.match(r"(conda|mamba|micromamba) ", output)
    file_name = pathlib.Path(executable).name
    kind = named.group(1) if named else "micromamba" if "micromamba" in file_name else "mamba"
    solver = os.environ.get("CONDA_SOLVER") if kind == "conda" else None
    name = "%s %s%s" % (kind, output.split()[-1], " (solver %s)" % solver if solver else "")
    return RealTool(kind, executable, name)
