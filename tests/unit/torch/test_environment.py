"""Which python is run, and which is refused."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.environment import (
    find_interpreter,
    job_variables,
    setting_variables,
)

from .conftest import MakeEnv


def test_a_conda_environment_by_its_symlink(tmp_path: pathlib.Path) -> None:
    prefix = tmp_path / "torch" / "abc123"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    (prefix / "bin" / "python").write_text("")
    (prefix / "bin" / "python").chmod(0o755)
    (tmp_path / "name").symlink_to(prefix)
    found = find_interpreter(str(tmp_path / "name"), None)
    assert found == (str(prefix / "bin" / "python"), str(prefix), "conda")
    assert find_interpreter(None, str(tmp_path / "name" / "bin" / "python")) == found
    variables = job_variables(found, {"PATH": "/usr/bin", "VIRTUAL_ENV": "/other", "LD_LIBRARY_PATH": "/x"})
    assert variables["PATH"] == "%s/bin:/usr/bin" % prefix
    assert variables["CONDA_PREFIX"] == str(prefix)
    assert "VIRTUAL_ENV" not in variables
    assert variables["LD_LIBRARY_PATH"] == "/x"
    assert "PYTHONNOUSERSITE" not in variables


def test_a_python_that_is_in_no_environment(tmp_path: pathlib.Path) -> None:
    python = tmp_path / "python3"
    python.write_text("")
    python.chmod(0o755)
    found = find_interpreter(None, str(python))
    assert found == (str(python), None, "plain")
    assert job_variables(found, {})["PATH"].startswith("%s:" % tmp_path)


def refusal(prefix: pathlib.Path) -> str:
    with pytest.raises(UserError) as caught:
        find_interpreter(str(prefix), None)
    assert str(prefix) in caught.value.expected
    return caught.value.found


def test_what_is_no_environment_is_refused_with_what_it_is(tmp_path: pathlib.Path) -> None:
    assert refusal(tmp_path / "nothing") == "No such file or directory"
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file") == "something that is no folder"
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty") == "a folder that cannot be entered or is not there"
    (tmp_path / "empty" / "bin").mkdir()
    assert refusal(tmp_path / "empty") == "no such file"
    python = tmp_path / "empty" / "bin" / "python"
    python.symlink_to("python3")
    assert refusal(tmp_path / "empty") == "a link to nowhere"
    python.unlink()
    python.mkdir()
    assert refusal(tmp_path / "empty") == "something that is no file"
    python.rmdir()
    python.write_text("")
    assert refusal(tmp_path / "empty") == "a file that may not be executed"


@pytest.mark.parametrize("weak", ["bin", "lib/python3*/site-packages"])
def test_root_runs_nothing_that_others_can_write(make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch, weak: str) -> None:
    prefix = make_env()
    next(prefix.glob(weak)).chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="become_user"):
        find_interpreter(str(prefix), None)


def test_the_settings_of_torch_and_not_what_only_says_where_something_is() -> None:
    settings = {
        "CUDA_FORCE_PTX_JIT": "1",
        "CUDA_MPS_PIPE_DIRECTORY": "/tmp/mps",
        "NCCL_SOCKET_IFNAME": "ib0",
        "NVIDIA_TF32_OVERRIDE": "0",
        "OMP_NUM_THREADS": "4",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
        "TORCH_LOGS": "+dynamo",
    }
    # As an image of NVIDIA's and a module of a site set them.
    others = (
        "CUDA_HOME CUDA_PATH CUDA_VERSION CUDA_VISIBLE_DEVICES CUDNN_ROOT CUDNN_VERSION MKL_ROOT NCCL_HOME NCCL_VERSION"
        " NVIDIA_DRIVER_CAPABILITIES NVIDIA_PRODUCT_NAME NVIDIA_REQUIRE_CUDA NVIDIA_VISIBLE_DEVICES"
        " TORCH_CUDA_ARCH_LIST TORCH_HOME NV_CUDNN_PACKAGE PATH CUDAHOSTCXX OMPI_MCA_btl"
    )
    assert setting_variables({**settings, **dict.fromkeys(others.split(), "x")}) == settings
