# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which torch an env has, and when that is certainly another than the chosen one."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.request import checked_torch
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.torch_version import (
    Torch,
    contradicts,
    installed_torch,
    require_torch,
)

TOP = "lib/python3.11/site-packages"

# As releases have it: 1.0, 1.13, 2.2, 2.13 (for the CPU), a ROCm build, conda-forge's.
OLD = "__version__ = '1.0.0'\ndebug = False\ncuda = '9.0.176'\n"
NEWER = "__version__ = '1.13.1+cu117'\ndebug = False\ncuda = '11.7'\ngit_version = 'x'\nhip = None\n"
TYPED = """from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip']
__version__ = '2.2.2+cu121'
debug = False
cuda: Optional[str] = '12.1'
git_version = '39901f229520a5256505ec7f2ff7c0c2e6a0f2c8'
hip: Optional[str] = None
"""
CPU = TYPED.replace("2.2.2+cu121", "2.13.0+cpu").replace("'12.1'", "None")
ROCM = CPU.replace("+cpu", "+rocm6.0").replace("hip: Optional[str] = None", "hip: Optional[str] = '6.0.32830'")
FORGE = TYPED.replace("2.2.2+cu121", "2.4.1.post300").replace("12.1", "12.0")


def put(prefix: pathlib.Path, text: str | None, info: str = "torch-2.13.0.dist-info") -> str:
    (prefix / TOP / info).mkdir(parents=True)
    if text is not None:
        (prefix / TOP / "torch").mkdir()
        (prefix / TOP / "torch/version.py").write_text(text)
    return str(prefix)


@pytest.mark.parametrize(
    "text, info, expected",
    [
        (OLD, "torch-1.0.0.dist-info", ("1.0.0", "9.0.176")),
        (NEWER, "torch-1.13.1.dist-info", ("1.13.1+cu117", "11.7")),
        (TYPED, "x", ("2.2.2+cu121", "12.1")),
        # What is imported counts, not the metadata.
        (CPU, "torch-2.99.0+cu132.dist-info", ("2.13.0+cpu", None)),
        (ROCM, "x", ("2.13.0+rocm6.0", None)),
        (FORGE, "x", ("2.4.1.post300", "12.0")),
        (None, "torch-2.99.0+cpu.dist-info", ("2.99.0+cpu", None)),
        (None, "torch-2.99.0+cu126.dist-info", ("2.99.0+cu126", "12.6")),
        (None, "torch-2.99.0+xpu.dist-info", ("2.99.0+xpu", None)),
        (None, "torch-2.99.0.dist-info", ("2.99.0", "")),
        ("import os\n__version__ = os.environ['V']\n", "torch-2.99.0.dist-info", ("2.99.0", "")),
        ("__version__ = '" + "9" * 9000 + "'\ncuda = '" + "9" * 9000 + "'\n", "x", ("9" * 9000, "9" * 9000)),
    ],
)
def test_what_torch_is_there(tmp_path, text, info, expected):
    found = installed_torch(put(tmp_path, text, info))
    assert found == Torch(*expected)
    contradicts(found, "2.13.0", "12.6")


def test_no_torch_is_nothing_to_compare(tmp_path):
    (tmp_path / TOP).mkdir(parents=True)
    assert installed_torch(str(tmp_path)) is None
    require_torch(str(tmp_path), "2.13.0", "12.6")


@pytest.mark.parametrize(
    "version, cuda, wanted, other",
    [
        ("2.13.0", "12.9", ("2.13.0", "12.9"), False),
        ("2.13.0+cu129", "12.9", ("2.13", "12"), False),
        ("2.13.0", "12.9", ("", ""), False),
        ("2.13", "12.9", ("2.13.0", "12.9"), False),
        ("2.4.1.post300", "12.0", ("2.4.1", "12"), False),
        ("2.6.0a0+ecf3bae40a", "12.8", ("2.6.0", "12.8"), False),
        ("1.0.0", "9.0.176", ("1.0.0", "9.0"), False),
        ("1.7.1", "10.1", ("1.7.1", "10.1"), False),
        # Not known: no verdict.
        ("2.13.0", "", ("2.13.0", "12.9"), False),
        ("main", "12.9", ("2.13.0", "12.9"), False),
        ("2.13.0", "unreadable", ("2.13.0", "12.9"), False),
        ("2.13.0", None, ("2.13.0", ""), False),
        ("2.13.0", None, ("2.13.0", "12.9"), True),
        ("2.13.0", None, ("2.13.0", "12"), True),
        ("2.13.0", "13.0", ("2.13.0", "12"), True),
        ("2.13.0", "12.6", ("2.13.0", "12.9"), True),
        ("2.13.0", "1.2", ("2.13.0", "12"), True),
        ("2.99.0", "12.9", ("2.13.0", "12.9"), True),
        ("2.1.0", "12.9", ("2.13", "12.9"), True),
        ("2.13.1", "12.9", ("2.13.0", "12.9"), True),
    ],
)
def test_only_a_certain_difference_counts(version, cuda, wanted, other):
    assert contradicts(Torch(version, cuda), *wanted) is other


def test_the_error_names_both(tmp_path):
    with pytest.raises(UserError) as error:
        require_torch(put(tmp_path, CPU), "2.13.0", "12.6")
    assert error.value.expected == "torch 2.13.0 for CUDA 12.6 in %s" % tmp_path
    assert error.value.found == "torch 2.13.0+cpu, a build without CUDA" and "find-links" in error.value.remedy


@pytest.mark.parametrize("value", [None, {}, {"version": "", "cuda": None}])
def test_nothing_may_be_expected(value):
    assert checked_torch(value) is None


def test_an_expected_torch_is_a_version():
    assert checked_torch({"version": "2.13", "cuda": "12"}) == ("2.13", "12")
    assert checked_torch({"version": None, "cuda": "12.6"}) == ("", "12.6")
    with pytest.raises(UserError, match="cuda in expect_torch"):
        checked_torch({"cuda": "cu126"})
