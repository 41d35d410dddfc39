# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a kernel, and what its start script does in a real bash."""

from __future__ import annotations

import io
import json
import pathlib
import subprocess
import typing as t
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.files import Kernel, kernel_files
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.settings import from_text
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.start_script import srun_options, start_script

ENV = {"conda_env": "/envs/torch"}


def files(**given: t.Any) -> dict[str, bytes]:
    wanted = {"name": "torch", "display_name": "Torch", "start": "local", "options": ENV, **given}
    return kernel_files(Kernel(**wanted))


def test_kernel_json_has_nothing_that_jupyter_could_misread() -> None:
    spec = json.loads(files(display_name="{prefix} $HOME é", options={"conda_env": "/a/{prefix}"})["kernel.json"])
    assert spec["argv"] == ["python", "{resource_dir}/launch.pyz", "{connection_file}"]
    assert spec["display_name"] == "{prefix} $HOME é"
    assert spec["interrupt_mode"] == "message"
    assert "env" not in spec


def test_the_launcher_has_all_three_programs_and_the_same_bytes_each_time() -> None:
    first = files()["launch.pyz"]
    assert first == files()["launch.pyz"]
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    for module in ("launcher/launch", "node", "check"):
        assert any(name.endswith("_jupyter/%s.py" % module) for name in names)


@pytest.mark.parametrize(
    ("options", "start", "expected"),
    [({}, "local", False), ({"partition": "titan"}, "slurm", False), ({"gres": "gpu:1"}, "slurm", True)],
)
def test_a_gpu_is_expected_where_one_is_asked_for(options: t.Any, start: str, expected: bool) -> None:
    text = files(options={**ENV, **options}, start=start)["settings.json"].decode()
    assert from_text(text, "here").expect_cuda is expected
    other = files(options={**ENV, **options}, start=start, expect_cuda=not expected)["settings.json"].decode()
    assert from_text(other, "here").expect_cuda is not expected


def test_the_options_of_srun() -> None:
    assert srun_options({"gres": "gpu:1", "exclusive": True, "nodes": "1"}, "jupyter-torch") == (
        "--job-name=jupyter-torch",
        "--nodes=1",
        "--ntasks=1",
        "--gres=gpu:1",
        "--exclusive",
    )
    assert srun_options({"job-name": "mine"}, "jupyter-torch")[0] == "--job-name=mine"


@pytest.mark.parametrize("name", ["array", "output", "error", "export", "requeue", "dependency", "signal", "open_mode"])
def test_an_option_that_is_none_for_a_kernel_is_refused(name: str) -> None:
    values = {"array": "0-1", "requeue": True, "dependency": "singleton", "signal": "B:USR1@60", "open_mode": "append"}
    with pytest.raises(UserError, match="expected no option %s for a kernel" % name):
        start_script({**ENV, name: values.get(name, "x")})


@pytest.mark.parametrize("options", [{"nodes": "2"}, {"ntasks": 2}, {"ntasks_per_node": 4}])
def test_a_kernel_is_one_process(options: dict[str, t.Any]) -> None:
    with pytest.raises(UserError, match="to be 1, as a kernel is one process"):
        start_script({**ENV, **options})


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [("gers", "write gres"), ("cpus-per-task", "write cpus_per_task"), ("kind", "into directives")],
)
def test_an_unknown_option_is_refused(wrong: str, remedy: str) -> None:
    with pytest.raises(UserError, match="found '%s'; remedy: .*%s" % (wrong, remedy)):
        start_script({**ENV, wrong: "x"})


@pytest.mark.parametrize(
    "given", [{"name": "a b"}, {"name": ".."}, {"name": ""}, {"display_name": "a\nb"}, {"options": {}}, {"start": "x"}]
)
def test_a_value_that_a_kernel_cannot_have(given: dict[str, t.Any]) -> None:
    with pytest.raises(UserError):
        files(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"name": None},
        {"display_name": ["PyTorch"]},
        {"cuda_home": ["/opt/cuda"]},
        {"options": {"conda_env": ["torch"]}},
        {"options": {"venv": {"path": "/opt/venv"}}},
    ],
)
def test_a_value_of_another_type(given: dict[str, t.Any]) -> None:
    with pytest.raises(UserError, match="to be text"):
        files(**given)


@pytest.mark.parametrize("home", ["relative", "/a:b", "/a\nb"])
def test_a_toolkit_that_path_cannot_hold(home: str) -> None:
    with pytest.raises(UserError, match="expected cuda_home to be an absolute path"):
        start_script(ENV, cuda_home=home)


@pytest.mark.parametrize("folders", [["lib64"], ["lib"], ["lib", "lib64"]])
def test_cuda_is_set_once_in_a_real_bash(tmp_path: pathlib.Path, folders: list[str]) -> None:
    home = tmp_path / "cuda 'x' $y"
    for folder in folders:
        (home / folder).mkdir(parents=True)
    # In a value of ours $y would be a variable: as a path, it is text behind a backslash.
    given = str(home).replace("$", "\\$")
    text = start_script(ENV, given, cuda_libraries=True).text
    lines = text[text.index("export CUDA_HOME") : text.index("#!/bin/bash")]
    script = "set -eu\n" + lines + lines + 'printf "%s\\n" "$CUDA_HOME" "$PATH" "$LD_LIBRARY_PATH"'
    done = subprocess.run(["bash", "-c", script], env={"PATH": "/bin"}, capture_output=True, text=True, check=True)
    library = home / ("lib64" if "lib64" in folders else "lib")
    assert done.stdout == "%s\n%s/bin:/bin\n%s\n" % (home, home, library)
