# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real JupyterLab, and an environment of another conda with a real torch."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest

HOOK = "export HOOKED=yes\necho a hook prints\ncat\n"


def packages(prefix: pathlib.Path) -> pathlib.Path:
    """Its site-packages."""
    return next(prefix.glob("lib/python3.*/site-packages"))


@pytest.fixture(scope="session")
def venvs(load_module: t.Any) -> t.Any:
    """The environments that are made once per machine."""
    return load_module("tests/real_venv.py")


@pytest.fixture(scope="session")
def notebook(load_module: t.Any, venvs: t.Any) -> t.Any:
    """The helper that starts a server and its kernels."""
    # It talks by websocket. Last, so that all else comes from the tests' own environment.
    sys.path.append(str(packages(venvs.lab_venv())))
    return load_module("tests/kernels/inside/notebook.py")


@pytest.fixture
def env(tmp_path: pathlib.Path, venvs: t.Any) -> pathlib.Path:
    """A version of a conda environment, below the name that leads to it: torch, ipykernel, a hook of its activation."""
    version = tmp_path / "envs/.torch/1"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(version)], check=True)
    (version / "conda-meta").mkdir()
    (version / "conda-meta/history").touch()
    (version / "etc/conda/activate.d").mkdir(parents=True)
    (version / "etc/conda/activate.d/hook.sh").write_text(HOOK)
    folders = [str(packages(prefix)) for prefix in (venvs.torch_venv(), venvs.lab_venv())]
    (packages(version) / "more.pth").write_text("\n".join(folders) + "\n")
    name = tmp_path / "envs/torch"
    name.symlink_to(".torch/1")
    return name


@pytest.fixture
def lab(tmp_path: pathlib.Path, notebook: t.Any, venvs: t.Any) -> t.Iterator[t.Any]:
    """A JupyterLab that finds the kernels below ``tmp_path/jupyter``; nothing of them may be left when it has ended."""
    home = tmp_path / "home"
    home.mkdir()
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    variables = {"JUPYTER_PATH": str(tmp_path / "jupyter/share/jupyter"), "TMPDIR": str(scratch)}
    python = str(venvs.lab_venv() / "bin/python")
    with notebook.server(python, home, variables, "jupyterlab") as server:
        yield server
    assert processes(tmp_path) == []
    assert [path.name for path in scratch.iterdir() if path.name.startswith("hpk-")] == []


def processes(folder: pathlib.Path) -> list[str]:
    """The command lines in which *folder* is."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(words.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found
