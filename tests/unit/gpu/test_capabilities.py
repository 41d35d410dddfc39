"""The one rule of architectures."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.capabilities import (
    build_runs,
    is_capability,
    kernel_runs,
    ptx_runs,
)


@pytest.mark.parametrize(
    "archs, capability, yes",
    [
        ("sm_70 sm_75", "7.0", True),
        ("sm_75 sm_80", "7.0", False),
        ("sm_80", "8.6", True),
        ("sm_86", "8.0", False),
        ("sm_75 compute_75", "9.0", True),
        ("sm_90a", "9.0", True),
        ("sm_100f", "10.3", True),
        ("sm_100a", "10.3", False),
        ("compute_100f", "12.0", False),
        ("sm_120", "12.0", True),
        ("compute_120", "9.0", False),
        ("gfx90a", "9.0", None),
        ("gfx90a sm_80", "9.0", False),
        ("", "9.0", None),
    ],
)
def test_whether_a_build_has_code_for_a_gpu(archs: str, capability: str, yes: bool | None) -> None:
    assert build_runs(archs.split(), capability) is yes


def test_numbers_are_compared_and_not_texts() -> None:
    assert not kernel_runs("1.0", "10.0") and kernel_runs("10.0", "10.3")
    assert ptx_runs("9.0", "10.0") and not ptx_runs("10.0", "9.0")


@pytest.mark.parametrize("value", [7.0, "7", "a100", "7.0\n", "v7.0", "123.0", "7.05", None, "٧.٠"])
def test_what_is_not_a_capability(value: object) -> None:
    assert not is_capability(value)
