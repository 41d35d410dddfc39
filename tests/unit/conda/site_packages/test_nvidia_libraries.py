# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two distributions with the same library of NVIDIA: refused if one is torch's, named with what needs the other."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.nvidia_libraries import (
    require_no_second_nccl,
    require_one_of_each,
)

NCCL = "nvidia/nccl/lib/libnccl.so.2"


def put(prefix: pathlib.Path, name: str, *files: str, requires: t.Sequence[str] = ()) -> None:
    folder = prefix / "lib/python3.11/site-packages" / (name.replace("-", "_") + "-1.0.dist-info")
    folder.mkdir(parents=True)
    (folder / "RECORD").write_text("".join("%s,,\n" % path for path in files))
    lines = ["Name: " + name, "Version: 1.0"] + ["Requires-Dist: " + each for each in requires]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")


@pytest.fixture
def env(tmp_path: pathlib.Path) -> pathlib.Path:
    put(tmp_path, "torch", "torch/version.py", requires=["nvidia-nccl-cu12==2.20.5; platform_system == 'Linux'"])
    put(tmp_path, "nvidia-nccl-cu12", "nvidia/__init__.py", "nvidia/nccl/include/nccl.h", NCCL)
    return tmp_path


def test_one_of_each_is_right(env):
    put(env, "nvidia-cudnn-cu12", "nvidia/__init__.py", "nvidia/cudnn/lib/libcudnn.so.9")
    # Of another CUDA, with files of its own.
    put(env, "nvidia-cublas-cu11", "nvidia/__init__.py", "nvidia/cublas/lib/libcublas.so.11")
    put(env, "nvidia-cublas-cu12", "nvidia/__init__.py", "nvidia/cublas/lib/libcublas.so.12")
    require_one_of_each(str(env))
    require_no_second_nccl(str(env), [("nvidia-nccl-cu12", "2.21"), ("nvidia_cublas_cu13", "1"), ("six", "1")])


def test_another_nccl_over_torchs_is_refused(env):
    put(env, "nvidia-nccl-cu11", "nvidia/__init__.py", NCCL)
    put(env, "oldai", requires=["nvidia-nccl-cu11"])
    with pytest.raises(UserError) as error:
        require_one_of_each(str(env))
    assert NCCL + " of nvidia-nccl-cu12" in error.value.expected
    assert error.value.found.startswith("nvidia-nccl-cu11 1.0, which oldai needs")


def test_it_is_refused_before_it_comes(env):
    with pytest.raises(UserError) as error:
        require_no_second_nccl(str(env), [("oldai", "1.0"), ("nvidia_nccl_cu11", "2.21.5")])
    assert "nvidia-nccl-cu11 2.21.5" in error.value.found
    # With the torch that needs it.
    require_no_second_nccl(str(env), [("torch", "2.0"), ("nvidia-nccl-cu11", "2.14.3")])


def test_what_torch_does_not_need_is_no_concern(tmp_path):
    """conda's torch has its libraries elsewhere."""
    put(tmp_path, "torch", requires=["filelock"])
    for cuda in ("11", "12"):
        put(tmp_path, "nvidia-nccl-cu" + cuda, NCCL)
    require_one_of_each(str(tmp_path))
    require_no_second_nccl(str(tmp_path), [("nvidia-nccl-cu11", "2.21.5")])
