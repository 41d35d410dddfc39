# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines for pip, which may hold passwords, are in a private file that a later run removes if this one is killed."""

from __future__ import annotations

import os
import pathlib
import signal
import stat
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply import interpreter

CALL = """
import sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.interpreter import pip_install
try:
    pip_install(sys.argv[2], ["--find-links https://user:pa55word@host/wheels", "tool==1.0"], False)
except UserError as error:
    print(error.found)
"""
COLLECTIONS = str(pathlib.Path(__file__).resolve().parents[4] / ".collections")


@pytest.fixture
def pip(tmp_path: pathlib.Path) -> t.Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs pip_install in a process of its own; *script* is the env's interpreter."""
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/conda-meta").mkdir()
    (tmp_path / "tmp").mkdir()

    def call(script: str) -> subprocess.CompletedProcess[str]:
        python = tmp_path / "env/bin/python"
        python.write_text("#!/bin/sh\nfor last; do :; done\n%s\n" % script)
        python.chmod(0o755)
        return subprocess.run(
            [sys.executable, "-c", CALL, COLLECTIONS, str(tmp_path / "env")],
            env=dict(os.environ, TMPDIR=str(tmp_path / "tmp")),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_killed_run_leaves_no_line_that_the_next_run_does_not_remove(pip, tmp_path):
    assert pip("kill -9 $PPID").returncode == -signal.SIGKILL
    (left,) = files(tmp_path / "tmp")
    assert "pa55word" in left.read_text() and stat.S_IMODE(left.parent.stat().st_mode) == 0o700
    done = pip("cat $last")
    assert done.returncode == 0, done.stderr
    assert not files(tmp_path / "tmp")


def test_an_error_of_pip_names_no_temporary_file(pip):
    done = pip('echo "ERROR: Could not find a version (from -r $last (line 2))" >&2; exit 1')
    assert done.stdout == "ERROR: Could not find a version (from pip (line 2))\n", done.stderr


@pytest.mark.parametrize(
    ("own", "engines", "command"),
    [
        (True, "/engine/pip", ["PYTHON", "-I", "-m", "pip"]),
        (True, None, ["PYTHON", "-I", "-m", "pip"]),
        (False, "/engine/pip", [sys.executable, "-I", "-m", "pip", "--python", "PYTHON"]),
        # pip then says that there is none.
        (False, None, ["PYTHON", "-I", "-m", "pip"]),
    ],
)
def test_whose_pip_works(tmp_path, monkeypatch, own, engines, command):
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(interpreter, "has_distribution", lambda prefix, name: own and name == "pip")
    monkeypatch.setattr(interpreter, "engines_pip", lambda: engines)
    assert interpreter._pip_command(str(tmp_path)) == [each.replace("PYTHON", str(python)) for each in command]
