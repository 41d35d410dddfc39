# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first and the second make site of a fresh clone, with a cache of its own (what pip downloaded before is kept)."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from run import Row

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def make_site(clone: pathlib.Path, environment: dict[str, str]) -> tuple[float, str]:
    """Seconds, and what the recap says of changes."""
    begin = time.perf_counter()
    done = subprocess.run(
        ["make", "site"],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - begin
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit("make site failed in a fresh clone, see above")
    return took, ", ".join(re.findall(r"changed=\d+", done.stdout))


def run(rounds: int) -> list[Row]:
    """One clone, whatever the rounds: minutes are long enough to be measured once."""
    del rounds
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-bench-") as folder:
        clone = pathlib.Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        environment = dict(os.environ, XDG_CACHE_HOME=str(pathlib.Path(folder) / "cache"))
        try:
            first, second = make_site(clone, environment), make_site(clone, environment)
        finally:
            # Published environments are read-only folders.
            subprocess.run(["tools/undo.sh"], cwd=clone, check=True)
    return [
        Row("first make site", [first[0]], note=first[1] + "; goal: at most 240 s apart from downloads"),
        Row("second make site", [second[0]], [first[0]], second[1] + "; goal: changed=0"),
    ]
