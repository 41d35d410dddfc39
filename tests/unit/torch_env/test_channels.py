"""Which kind of build the channels lead to, and the site's own addresses of channels."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.channels import name_of, source_of, with_mirrors


@pytest.mark.parametrize(
    "channel, name",
    [
        ("conda-forge", "conda-forge"),
        ("https://mirror.example.org/conda-forge//", "conda-forge"),
        ("file:///srv/pytorch", "pytorch"),
    ],
)
def test_a_channel_is_known_by_the_last_part_of_its_address(channel, name):
    assert name_of(channel) == name


@pytest.mark.parametrize(
    "source, channels, is_declared, expected",
    [
        ("wheels", ["conda-forge"], False, "wheels"),
        ("", ["conda-forge", "file:///srv/pytorch"], True, "pytorch"),
        ("", ["main", "https://mirror.example.org/conda-forge"], True, "conda-forge"),
        ("", ["https://example.org/own"], True, ""),
        ("", ["conda-forge"], False, ""),
    ],
)
def test_the_source_is_the_one_asked_for_or_a_known_channel(source, channels, is_declared, expected):
    assert source_of(source, channels, is_declared) == expected


def test_a_mirror_stands_for_the_channel_that_a_build_needs():
    given = ["main", "https://mirror.example.org/conda-forge/"]
    assert with_mirrors(["pytorch", "conda-forge"], given) == [
        "pytorch",
        "https://mirror.example.org/conda-forge/",
        "main",
    ]
