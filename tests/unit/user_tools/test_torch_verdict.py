# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""torch-verdict at a shell: which Python it tests, what it prints, its exit status, and remedies without Ansible."""

from __future__ import annotations

import ast
import importlib
import json
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.remedies import RULES, for_a_shell
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.shell_python import shell_python
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.verdict_text import as_text

OURS = "ansible_collections/hpc/pytorch/plugins/module_utils/"


@pytest.fixture
def venv(tmp_path: pathlib.Path) -> pathlib.Path:
    """An environment without torch."""
    prefix = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    return prefix


def test_it_tests_the_python_of_the_shell(tool, venv) -> None:
    done = tool("torch-verdict", PATH="/nowhere:%s/bin" % venv, VIRTUAL_ENV=str(venv))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.split("\n")
    assert lines[0] == "failed: torch was not imported"
    assert "python: %s/bin/python3 (" % venv in done.stdout
    assert [line.split(" ")[:2] for line in lines[4:6]] == [["reason:", "torch_missing:"], ["remedy:", "install"]]
    assert "hpc.pytorch" not in done.stdout


def test_a_named_environment_may_be_relative_or_below_the_home(tool, venv) -> None:
    for prefix in ("venv", "~/venv", str(venv)):
        done = tool("torch-verdict", "--prefix", prefix)
        assert done.returncode == 1 and "torch_missing: python %s/bin/python of" % venv in done.stdout
    assert tool("torch-verdict", "--python", "venv/bin/python").returncode == 1


def test_json_has_the_keys_of_torch_info(tool, venv) -> None:
    done = tool("torch-verdict", "--prefix", str(venv), "--expect-gpu", "volta", "--json")
    result = json.loads(done.stdout)
    assert (result["verdict"], result["reasons"][0]["code"]) == ("failed", "torch_missing")
    assert {"summary", "torch", "python", "devices", "nccl", "node", "step", "seconds"} <= set(result)
    assert result["warnings"] == [
        "volta in --expect-gpu says nothing about a GPU, so any GPU is accepted. Give the model, such as h100, or a"
        ' compute capability, such as "8.0"'
    ]
    assert done.stderr == "torch-verdict: note: %s\n" % result["warnings"][0]


@pytest.mark.parametrize(
    "arguments, found",
    [
        (["--prefix", "/nowhere/env"], "expected a python environment at /nowhere/env; found No such file"),
        (["--prefix", "a", "--python", "b"], "expected one of --prefix and --python; found both"),
        (["--prefix", ""], "expected --prefix with a path"),
        (["--expect-gpus", "two"], "invalid int value: 'two'"),
        (["--expect-gpus", "-1"], "expected --expect-gpus to be 0 or more; found -1"),
        (["--expect-gpus", "0", "--expect-cuda"], "expected --expect-cuda and --expect-gpus that agree"),
        (["--expect-gpu", "h100,"], "expected --expect-gpu to be GPU types"),
        (["--timeout", "0"], "expected --timeout to be at least 1 second"),
        (["--device-timeout", "0"], "expected --device-timeout to be at least 1 second"),
        (["train.sh"], "unrecognized arguments: train.sh"),
    ],
)
def test_what_cannot_be_tested_is_one_line(tool, venv, arguments: list[str], found: str) -> None:
    done = tool("torch-verdict", *arguments, PATH="%s/bin" % venv)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert found in done.stderr
    assert "hpc.pytorch" not in done.stderr


# --- the Python of the shell -------------------------------------------------------------------------------------


def python_at(folder: pathlib.Path, *names: str) -> str:
    """An executable file of each name; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
        (folder / name).chmod(0o755)
    return str(folder)


def test_the_first_folder_on_path_decides_and_python3_in_it(tmp_path) -> None:
    first = python_at(tmp_path / "first/bin", "python")
    second = python_at(tmp_path / "second/bin", "python", "python3")
    assert shell_python({"PATH": "%s:%s" % (first, second)}).path == first + "/python"
    assert shell_python({"PATH": "%s:%s" % (second, first)}).path == second + "/python3"


def test_what_a_shell_would_not_run_is_passed_over(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    python_at(tmp_path, "python3")
    (tmp_path / "folder/python3").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/python3").touch(0o644)
    good = python_at(tmp_path / "good/bin", "python3")
    path = ":".join(["", ".", str(tmp_path / "folder"), str(tmp_path / "plain"), good])
    assert shell_python({"PATH": path}).path == good + "/python3"
    with pytest.raises(UserError, match="python3 or python on PATH"):
        shell_python({"PATH": str(tmp_path / "plain")})
    with pytest.raises(UserError, match="name it with --prefix"):
        shell_python({})


def test_an_active_environment_that_something_precedes_is_named(tmp_path) -> None:
    module = python_at(tmp_path / "module/bin", "python3")
    conda = python_at(tmp_path / "conda/bin", "python3")
    venv = python_at(tmp_path / "venv/bin", "python3")
    hidden = shell_python({"PATH": "%s:%s" % (module, conda), "CONDA_PREFIX": str(tmp_path / "conda")})
    assert hidden.path == module + "/python3"
    assert "CONDA_PREFIX is %s" % (tmp_path / "conda") in hidden.note
    # A venv that was activated within a conda environment leaves CONDA_PREFIX as it was.
    both = {"CONDA_PREFIX": str(tmp_path / "conda"), "VIRTUAL_ENV": str(tmp_path / "venv")}
    assert shell_python({"PATH": "%s:%s" % (venv, conda), **both}).note == ""
    # The site's name of an environment leads to its version.
    (tmp_path / "name").symlink_to("conda")
    assert shell_python({"PATH": conda, "CONDA_PREFIX": str(tmp_path / "name")}).note == ""
    assert shell_python({"PATH": module, "CONDA_PREFIX": ""}).note == ""


# --- the text ----------------------------------------------------------------------------------------------------


def result(**changes: t.Any) -> dict[str, t.Any]:
    whole: dict[str, t.Any] = {
        "verdict": "ok",
        "torch": {"version": "2.13.0+cu126", "cuda": "12.6", "hip": None},
        "python": {"executable": "/envs/torch/bin/python", "version": "3.11.7"},
        "devices": [
            {"index": 0, "name": "NVIDIA TITAN V", "compute_capability": "7.0", "passed": True, "error": None},
            {"index": 1, "name": "NVIDIA TITAN V", "compute_capability": "7.0", "passed": False, "error": "a\nb"},
        ],
        "nccl": {"all_reduce": True, "error": None},
        "node": {"hostname": "titan01"},
        "reasons": [],
    }
    return {**whole, **changes}


def test_a_verdict_in_a_job() -> None:
    assert as_text(result(), "4711").split("\n") == [
        "ok: torch 2.13.0+cu126, built for CUDA 12.6",
        "node: titan01, in job 4711",
        "python: /envs/torch/bin/python (3.11.7)",
        "GPU 0: NVIDIA TITAN V, compute capability 7.0: passed",
        "GPU 1: NVIDIA TITAN V, compute capability 7.0: failed: a b",
        "all-reduce: passed",
        "",
    ]


def test_a_login_node_without_a_gpu_is_told_how_to_get_one() -> None:
    nothing = {"devices": [], "nccl": {"all_reduce": None}, "verdict": "cpu_only"}
    reason = {"code": "no_driver", "message": "this node has no NVIDIA driver", "remedy": "nothing if no GPU is wanted"}
    lines = as_text(result(reasons=[reason], **nothing), "").split("\n")
    assert lines[1] == "node: titan01, not in a Slurm job"
    assert lines[3:] == [
        "GPU: none that torch can use",
        "reason: no_driver: this node has no NVIDIA driver",
        "remedy: nothing if no GPU is wanted",
        "hint: to test a GPU, run this in a job that has one: srun --gres=gpu:1 torch-verdict --expect-cuda",
        "",
    ]
    # In a job, and with a torch that uses no GPU, it would not help.
    cpu = {"version": "2.13.0+cpu", "cuda": None, "hip": None}
    assert "hint" not in as_text(result(**nothing), "4711") + as_text(result(torch=cpu, **nothing), "")


# --- remedies ----------------------------------------------------------------------------------------------------


def sources() -> dict[str, str]:
    """The text of each module of torch_info, without the modules that only submit."""
    root = pathlib.Path(
        importlib.import_module("ansible_collections.hpc.pytorch.plugins.module_utils._torch").__path__[0]
    )
    paths = [*root.rglob("*.py"), root.parent / "_files/trust.py", root.parent / "_files/paths.py"]
    return {
        str(path): path.read_text(encoding="utf-8")
        for path in paths
        if "fleet" not in path.parts and path.name != "node_result.py"
    }


def texts() -> list[str]:
    """Every text in those modules that is no docstring."""
    found = []
    for source in sources().values():
        tree = ast.parse(source)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        ]
    return found


FOR_ANSIBLE = re.compile(
    r"hpc[._]|conda_env|become|playbook_|inventory|the task\b|\bexpect_\w+ |this collection|\bmodule_"
)


def test_no_text_of_the_diagnosis_needs_ansible() -> None:
    # A whole sentence; the names of options alone are keys.
    sentences = [text for text in texts() if " " in text.strip()]
    assert len([text for text in sentences if FOR_ANSIBLE.search(text)]) > 10, "this finds nothing any more"
    left = [for_a_shell(text) for text in sentences]
    assert [text for text in left if FOR_ANSIBLE.search(text) and "{" not in text] == []


@pytest.mark.parametrize("pattern", [pattern for pattern, _instead in RULES])
def test_each_rule_has_a_text_that_it_changes(pattern: str) -> None:
    made = [text.replace("[%s]", "['7.0']") % () if "%" not in text else text for text in texts()]
    with_option = ["expected timeout to be at least 1 second", "device_timeout to be at least 1 second"]
    assert any(re.search(pattern, text) for text in [*made, *with_option])


def test_what_is_not_ansibles_stays() -> None:
    remedy = "nothing if no GPU is wanted; otherwise load the kernel module (modprobe nvidia), and if that fails, \\1"
    assert for_a_shell(remedy) == remedy
