# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments with large real packages, made once per machine and kept in the tests' cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

_TORCH = ("torch==2.13.0", "numpy")
# Has files without CUDA only; a package index may serve gigabytes of it under the same name.
_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Pinned: another release may speak another protocol on a day on which nothing of ours has changed. Server and kernel
# are those of tests/kernels/inside/requirements.txt.
_LAB = ("jupyterlab==4.6.6", "jupyter_server==2.21.1", "ipykernel==7.4.0", "websocket-client==1.9.2")


def torch_venv() -> pathlib.Path:
    """The prefix of one with a real torch for the CPU."""
    return _venv("torch", _TORCH, _CPU_INDEX)


def lab_venv() -> pathlib.Path:
    """The prefix of one with JupyterLab, and with a client for websockets."""
    return _venv("lab", _LAB)


def _venv(name: str, requirements: tuple[str, ...], index: str = "") -> pathlib.Path:
    """:arg index: used if it answers."""
    key = hashlib.sha256(repr((requirements, sys.version_info[:3], platform.machine(), sys.base_prefix)).encode())
    cache = pathlib.Path(os.environ["HPC_TEST_CACHE"])
    prefix = cache / ("test-%s-%s" % (name, key.hexdigest()[:12]))
    made = prefix / "made"
    cache.mkdir(parents=True, exist_ok=True)
    with open(str(prefix) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(prefix, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(prefix)], check=True)
            pip = [str(prefix / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
            chosen = ["--index-url", index] if index and _answers(index) else []
            subprocess.run([*pip, *chosen, *requirements], check=True)
            made.touch()
    return prefix


def _answers(index: str) -> bool:
    try:
        with urllib.request.urlopen(index + "/torch/", timeout=3):
            return True
    except (urllib.error.URLError, OSError):
        return False
