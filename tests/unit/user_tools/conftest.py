# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools as a user has them: files that the role writes, run by a Python without Ansible."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import TOOLS, files


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with bin and share/man."""
    root = tmp_path_factory.mktemp("tools")
    for name, content, mode in files(TOOLS, sys.executable):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    return root


class RunTool(t.Protocol):
    """What ``tool`` is."""

    def __call__(
        self, name: str, *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def tool(prefix: pathlib.Path, tmp_path: pathlib.Path) -> RunTool:
    """Runs a tool in a folder of the test's own, without any Slurm: ``tool("sbatch-lint", "train.sh")``."""

    def run(name: str, *arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(prefix / "bin" / name), *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), **environment},
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")
        )

    return run


@pytest.fixture
def command(tmp_path: pathlib.Path) -> t.Callable[[str, str], None]:
    """Puts a command on the tools' PATH: ``command("sbatch", "echo slurm 23.11.4")``."""

    def write(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n%s\n" % script)
        os.chmod(path, 0o755)

    return write
