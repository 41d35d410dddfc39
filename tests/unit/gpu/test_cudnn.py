"""Which cuDNN has kernels for which GPU: the same on the target, from the generated table, and in the data."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.cudnn import first_without, has_kernels
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load


@pytest.mark.parametrize(
    "version, capability, there",
    [
        ("9.10.2", "7.0", True),
        ("9.10.2.21", "6.1", True),
        ("9.11.0", "7.0", False),
        ("9.14.0", "6.1", False),
        ("9.20.0.48", "5.2", False),
        ("10.0.0", "7.0", False),
        ("8.9.2", "5.0", True),
        ("8.7.0.84", "3.7", True),
        ("8.8.0", "3.7", False),
        ("9.14.0", "7.5", True),
        ("9.28.1", "12.0", True),
        ("7.6.3", "9.0", True),
    ],
)
def test_whether_cudnn_has_kernels(version: str, capability: str, there: bool) -> None:
    assert has_kernels(version, capability) is there


def test_the_first_cudnn_without_a_gpu() -> None:
    assert first_without("7.0") == "9.11" and first_without("7.5") is None


def test_the_table_of_the_target_is_that_of_the_data() -> None:
    ends = load.shipped().first_cudnn_without
    assert len(ends) >= 7
    assert {arch: first_without(arch) for arch in ends} == ends
