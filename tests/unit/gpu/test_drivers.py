"""The oldest driver for a CUDA: the same on the target, from the generated table, and in the filter torch_build."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import is_past, least_driver
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit, load


@pytest.mark.parametrize(
    "cuda, driver",
    [
        ("12.6", "525.60.13"),
        ("12.6.3", "525.60.13"),
        ("11.0", "450.36.06"),
        ("11.8", "450.80.02"),
        ("10.1", "418.39"),
        ("99.0", None),
    ],
)
def test_the_oldest_driver(cuda: str, driver: str | None) -> None:
    assert least_driver(cuda) == driver


def test_the_filter_names_the_same_driver_for_every_build() -> None:
    tables = load.shipped()
    assert tables.builds
    for build in tables.builds:
        assert fit.lowest_driver(build, tables) == least_driver(build.cuda), build.name


def test_branches_are_compared_by_their_first_number() -> None:
    assert is_past("590.44.01", "580") and not is_past("580.95.05", "580") and not is_past("99.1", "580")
