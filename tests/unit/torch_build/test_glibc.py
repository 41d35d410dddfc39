"""The C library of the nodes limits the choice; without knowledge nothing changes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit, load

TABLES = load.shipped()


def test_el_7_gets_the_last_wheels_that_it_can_install() -> None:
    got = torch_build(["v100"], glibc="2.17")
    assert (got["torch"], got["cuda"], got["source"]) == ("2.6.0", "12.4", "wheels")
    assert got["warnings"] == [] or all("glibc" not in warning for warning in got["warnings"])


def test_of_one_release_cuda_12_6_needs_the_newer_glibc() -> None:
    assert torch_build([], glibc="2.17", torch="2.6")["cuda"] == "12.4"
    assert torch_build([], glibc="2.28", torch="2.6")["cuda"] == "12.6"


@pytest.mark.parametrize("glibc", ["2.28", "2.31", "2.34", "2.39", ["2.39", "2.28"]])
def test_a_glibc_of_today_changes_nothing(glibc: object) -> None:
    assert torch_build(["a100"], glibc=glibc) == torch_build(["a100"])


def test_the_oldest_of_several_counts_as_numbers() -> None:
    with pytest.raises(AnsibleFilterError, match="needs glibc 2.17, which is newer than 2.9"):
        torch_build([], glibc=["2.28", "2.9"])


def test_a_torch_that_is_too_new_for_the_nodes_is_refused_with_what_would_do() -> None:
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(["a100"], torch="2.14", glibc="2.17")
    message = str(failure.value)
    assert "for GPU a100 (8.0), glibc 2.17, torch 2.14; found" in message
    assert "needs glibc 2.28, which is newer than 2.17" in message
    assert "take torch 2.6.0" in message and "take nodes with glibc 2.28 or newer" in message


def test_what_is_unverified_is_said_to_old_nodes_alone() -> None:
    question = {"source": "conda-forge", "torch": "2.5"}
    assert any("runs with glibc 2.17 is unverified" in text for text in torch_build(question, glibc="2.17")["warnings"])
    assert torch_build(question, glibc="2.28") == torch_build(question)


def test_conda_forge_needs_a_newer_one_than_torch_itself_since_cudnn_does() -> None:
    assert torch_build({"source": "conda-forge", "glibc": "2.17"})["torch"] == "2.5.1"


def test_a_glibc_is_text() -> None:
    with pytest.raises(AnsibleFilterError, match="glibc to be text such as .* put quotes around it"):
        torch_build([], glibc=2.17)


def test_every_build_of_the_collection_says_which_glibc_it_needs() -> None:
    assert [build.name for build in TABLES.builds if fit.glibc_of(build, TABLES) is None] == []


def test_a_build_of_the_site_without_a_row_is_not_judged() -> None:
    rows = {
        "releases": [
            {
                "torch": "2.16.0",
                "torchvision": "0.30.0",
                "python": {"min": "3.11", "max": "3.15"},
                "builds": [{"source": "wheels", "cuda": "13.2", "index": "https://example.org/cu132"}],
            }
        ]
    }
    assert torch_build([], rows=rows, glibc="2.17")["torch"] == "2.16.0"
