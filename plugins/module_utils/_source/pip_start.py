# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How pip is started for a Python that need not have it. Private to hpc.pytorch."""

from __future__ import annotations

import importlib.util
import os
import sys


def engines_pip() -> str | None:
    """The folder of the engine's pip, which is not imported; None if this process is not the engine's, or has none."""
    if importlib.util.find_spec("rattler") is None:
        return None
    spec = importlib.util.find_spec("pip")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return places[0] if places else None


def pip_for(python: str, folder: str, owner: str = sys.executable) -> list[str]:
    """The command for *python* with the pip in *folder*, a package that belongs to the Python *owner*.

    With ``--python`` pip starts itself again with this file, which takes half a second.
    """
    runner = os.path.join(folder, "__pip-runner__.py")
    return [python, "-I", runner] if os.path.isfile(runner) else [owner, "-I", "-m", "pip", "--python", python]
