"""Environments to test: one with a real torch, and small ones whose torch does what a test needs."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import textwrap
import typing as t

import pytest

from .lab.scene import Scene

# Needs five gigabytes; run on request.
collect_ignore = [] if os.environ.get("HPC_TEST_CUDA_TORCH") else ["test_real_cuda_torch.py"]


@pytest.fixture(scope="session")
def real_torch() -> pathlib.Path:
    """The prefix of a virtual environment with a real torch for the CPU, made once per machine."""
    # pytest's import mode leaves no other way to a helper.
    path = pathlib.Path(__file__).resolve().parents[2] / "real_venv.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return t.cast(pathlib.Path, module.torch_venv())


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
