"""Environments to test: one with a real torch, and small ones whose torch does what a test needs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import textwrap
import typing as t
import urllib.error
import urllib.request

import pytest

from .lab.scene import Scene

REQUIREMENTS = ("torch==2.13.0", "numpy")
# Has files without CUDA only; a package index may serve gigabytes of it under the same name.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Needs five gigabytes; run on request.
collect_ignore = [] if os.environ.get("HPC_TEST_CUDA_TORCH") else ["test_real_cuda_torch.py"]
KEY = hashlib.sha256(repr((REQUIREMENTS, sys.version_info[:3], platform.machine(), sys.base_prefix)).encode())


@pytest.fixture(scope="session")
def real_torch() -> pathlib.Path:
    """The prefix of a virtual environment with a real torch for the CPU, made once per machine."""
    cache = pathlib.Path(os.environ["HPC_TEST_CACHE"])
    prefix = cache / ("test-torch-" + KEY.hexdigest()[:12])
    made = prefix / "made"
    cache.mkdir(parents=True, exist_ok=True)
    with open(str(prefix) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(prefix, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(prefix)], check=True)
            pip = [str(prefix / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
            index = ["--index-url", CPU_INDEX] if _answers(CPU_INDEX) else []
            subprocess.run([*pip, *index, *REQUIREMENTS], check=True)
            made.touch()
    return prefix


def _answers(index: str) -> bool:
    try:
        with urllib.request.urlopen(index + "/torch/", timeout=3):
            return True
    except (urllib.error.URLError, OSError):
        return False


class MakeEnv(t.Protocol):
    """What ``make_env`` is."""

    def __call__(self, torch: str | None = None, name: str = "env", **files: str) -> pathlib.Path: ...


@pytest.fixture
def make_env(tmp_path: pathlib.Path) -> MakeEnv:
    """Make a virtual environment; *torch* is the code of its package torch, *files* that of other modules."""

    def make(torch: str | None = None, name: str = "env", **files: str) -> pathlib.Path:
        prefix = tmp_path / name
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
        packages = site_packages(prefix)
        if torch is not None:
            (packages / "torch").mkdir()
            (packages / "torch" / "__init__.py").write_text(textwrap.dedent(torch), encoding="utf-8")
        for module, code in files.items():
            (packages / (module + ".py")).write_text(textwrap.dedent(code), encoding="utf-8")
        return prefix

    return make


def site_packages(prefix: pathlib.Path) -> pathlib.Path:
    """Where the environment's packages lie."""
    return next(prefix.glob("lib/python3*/site-packages"))


@pytest.fixture
def scene(tmp_path: pathlib.Path) -> Scene:
    """A node of the lab, empty so far."""
    return Scene(tmp_path / "node")
