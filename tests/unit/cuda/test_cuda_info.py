"""The module: its arguments and its result."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda import info
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda.driver import Machine
from ansible_collections.hpc.pytorch.plugins.modules import cuda_info

NO_GPU = Machine(None, [], [])


@pytest.fixture
def run(capsys, monkeypatch):
    def run_module(machine=NO_GPU, **args):
        monkeypatch.setattr(info, "find_driver", lambda environment, seconds: machine)
        with patch_module_args(args):
            with pytest.raises(SystemExit):
                cuda_info.main()
        return json.loads(capsys.readouterr().out)

    return run_module


@pytest.fixture
def home(tmp_path):
    (tmp_path / "lib64").mkdir()
    (tmp_path / "version.txt").write_text("CUDA Version 10.1.243\n")
    return str(tmp_path)


def test_a_login_node_without_a_gpu(run, home):
    result = run(cuda_home=home, expect_version="10.1")
    assert result["toolkit"] == {
        "home": home,
        "version": "10.1.243",
        "source": "version.txt",
        "nvcc": None,
        "lib_dir": home + "/lib64",
        "conflicts": [],
    }
    assert (result["driver"], result["gpus"], result["max_cuda"], result["changed"]) == (None, [], None, False)


def test_max_cuda_is_the_drivers(run, home):
    machine = Machine({"version": "1", "cuda_version": "12.2", "source": "proc", "loaded": True}, [], ["careful"])
    result = run(machine, cuda_home=home)
    assert result["max_cuda"] == "12.2"
    assert "careful" in str(result["warnings"])


@pytest.mark.parametrize(
    "args",
    [
        {"cuda_home": ""},
        {"cuda_home": "rel"},
        {"expect_version": ""},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": 1e9},
    ],
)
def test_bad_arguments_are_one_clear_line(run, home, args):
    result = run(**dict({"cuda_home": home}, **args))
    assert result["failed"] is True and "\n" not in result["msg"]
    assert set(result) >= {"expected", "found", "remedy"}


def test_another_version_than_declared(run, home):
    result = run(cuda_home=home, expect_version="10.10")
    assert "CUDA 10.10" in result["expected"] and "10.1.243" in result["found"]


def test_a_contradiction_is_a_warning_while_no_version_is_declared(run, home, tmp_path):
    (tmp_path / "version.json").write_text('{"cuda": {"version": "12.2.0"}}')
    result = run(cuda_home=home)
    assert result["toolkit"]["conflicts"] == ["version.json says 12.2.0, version.txt says 10.1.243"]
    assert "12.2.0" in str(result["warnings"])
    assert run(cuda_home=home, expect_version="12.2")["failed"] is True
