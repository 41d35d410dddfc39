# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real conda, mamba and micromamba that tests, faults and benches use on request.

``HPC_TEST_CONDA`` names one, or several with ``:`` between them. A solver of conda may follow, as in
``/opt/conda/bin/conda@classic``; otherwise ``CONDA_SOLVER`` chooses it.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import typing as t

VARIABLE = "HPC_TEST_CONDA"
_SOLVER = "CONDA_SOLVER"


class RealTool(t.NamedTuple):
    """A command. *kind* is the engine of conda_env; *name* has the version, and conda's solver if one is chosen."""

    kind: str
    executable: str
    name: str
    solver: str = ""

    def environment(self) -> dict[str, str]:
        """The variable that chooses the solver."""
        return {_SOLVER: self.solver} if self.solver else {}


def real_tools() -> list[RealTool]:
    """The commands that are named."""
    return [real_tool(name) for name in os.environ.get(VARIABLE, "").split(":") if name]


def real_tool(name: str) -> RealTool:
    """The command *name*, with its solver if one follows."""
    executable, _unused, solver = name.partition("@")
    output = subprocess.run([executable, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    # conda prints its name; mamba 2 and micromamba 2 print their version alone.
    named = re.match(r"(conda|mamba|micromamba) ", output)
    file_name = pathlib.Path(executable).name
    kind = named.group(1) if named else "micromamba" if "micromamba" in file_name else "mamba"
    chosen = (solver or os.environ.get(_SOLVER, "")) if kind == "conda" else ""
    name = "%s %s%s" % (kind, output.split()[-1], " (solver %s)" % chosen if chosen else "")
    return RealTool(kind, executable, name, chosen)
