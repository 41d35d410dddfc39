# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that says whether a node's files stand: the function of the module, and silence about all else."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.hpc.pytorch.plugins.module_utils._common.bundle import make_script
from ansible_collections.hpc.pytorch.plugins.module_utils._node.declare import declare
from ansible_collections.hpc.pytorch.plugins.module_utils._node.request import ARGUMENTS, Options


@pytest.fixture(scope="module")
def program() -> str:
    return make_script("_node.program")


@pytest.fixture
def wanted(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """The checked options of a file that is there and one that is to be absent; a toolkit."""
    home = tmp_path / "cuda"
    (home / "bin").mkdir(parents=True)
    (home / "version.json").write_text('{"cuda": {"version": "13.0.0"}}')
    given = {
        "files": [
            {"path": str(tmp_path / "a.sh"), "content": "echo \u4f60 \U0001f600 '\"\\\n", "mode": "0644"},
            {"path": str(tmp_path / "b.sh"), "state": "absent", "begins_with": ["# Ours"]},
        ],
        "toolkit": {"home": str(home)},
    }
    params: dict[str, t.Any] = ArgumentSpecValidator(ARGUMENTS["argument_spec"]).validate(given).validated_parameters
    return params


def ask(program: str, params: t.Mapping[str, t.Any], with_diff: bool = False) -> subprocess.CompletedProcess[str]:
    """As the action does: over the standard input of a Python that imports nothing else."""
    question = "%smain(%s, %r)\n" % (program, ascii(dict(params)), with_diff)
    return subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=question, capture_output=True, text=True, check=False
    )


def make(params: t.Mapping[str, t.Any], write: bool, with_diff: bool = False) -> dict[str, t.Any]:
    return declare(Options.of(params), write, with_diff, os.environ, lambda text: None)


@pytest.mark.parametrize("with_diff", [False, True])
def test_where_all_stands_it_gives_the_result_of_the_module(program, wanted, with_diff):
    make(wanted, write=True)
    answer = ask(program, wanted, with_diff)
    assert answer.returncode == 0 and answer.stderr == ""
    assert json.loads(answer.stdout) == make(wanted, True, with_diff) and not json.loads(answer.stdout)["changed"]


def change_content(folder: pathlib.Path) -> None:
    (folder / "a.sh").write_text("echo\n")


def change_mode(folder: pathlib.Path) -> None:
    (folder / "a.sh").chmod(0o600)


def remove(folder: pathlib.Path) -> None:
    (folder / "a.sh").unlink()


def bring_back_an_old_file(folder: pathlib.Path) -> None:
    (folder / "b.sh").write_text("# Ours\n")


def remove_the_toolkit(folder: pathlib.Path) -> None:
    (folder / "cuda/version.json").unlink()


def contradict_the_toolkit(folder: pathlib.Path) -> None:
    (folder / "cuda/version.txt").write_text("CUDA Version 12.4.1\n")


@pytest.mark.parametrize(
    "drift",
    [
        change_content,
        change_mode,
        remove,
        bring_back_an_old_file,
        remove_the_toolkit,
        contradict_the_toolkit,
    ],
)
def test_of_anything_else_it_says_nothing_and_changes_nothing(program, wanted, tmp_path, drift):
    make(wanted, write=True)
    assert ask(program, wanted).returncode == 0
    drift(tmp_path)
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    answer = ask(program, wanted)
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", "")
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_it_needs_nothing_but_the_standard_library(program, wanted, tmp_path, monkeypatch):
    make(wanted, write=True)
    # What a person may have set, or left in the current folder, is not run.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("json", "ansible", "typing"):
        (tmp_path / (name + ".py")).write_text("raise SystemExit(3)\n")
    assert ask(program, wanted).returncode == 0
    assert "import ansible." not in program and "from ansible." not in program
