# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times torch_info next to a bare import of torch that calls is_available, with the same Python."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from run import Row, paired

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
BARE = "import torch; torch.cuda.is_available()"
COMMAND = """
import json, sys
sys.path.insert(0, %r)
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import run_probe
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
asked = Asked(python=sys.argv[1])
print(json.dumps(result(run_probe(None, asked.python, 120), asked)))
""" % str(CHECKOUT / ".collections")


def python_with_torch(folder: pathlib.Path) -> str:
    """Return BENCH_TORCH_PYTHON, or the Python of a new virtual environment with the torch that the tests use."""
    given = os.environ.get("BENCH_TORCH_PYTHON")
    if given:
        return given
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "torch==2.13.0", "numpy"], check=True)
    return str(folder / "bin" / "python")


def run(rounds: int) -> list[Row]:
    """Run one more pair than asked for, as the first one warms the file cache."""
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-bench-") as folder:
        python = python_with_torch(pathlib.Path(folder) / "torch")
        # As jobs and torch_info run it: no bytecode is written.
        quiet = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")

        def bare() -> None:
            subprocess.run([python, "-c", BARE], cwd="/", env=quiet, check=True)

        def check() -> None:
            done = subprocess.run([sys.executable, "-c", COMMAND, python], check=True, capture_output=True, text=True)
            if '"step": "end"' not in done.stdout:
                raise SystemExit("expected a probe that comes to its end; found %s" % done.stdout)

        bare_times, check_times = (times[1:] for times in paired(bare, check, rounds + 1))
    return [
        Row("import torch; is_available()", bare_times),
        Row("torch_info", check_times, bare_times, "goal: at most 2"),
    ]
