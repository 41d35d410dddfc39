"""A torch that was built for numpy 1 is installed with numpy 1."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build


@pytest.mark.parametrize("source", ["wheels", "pytorch"])
@pytest.mark.parametrize(
    "torch, python, needed",
    [
        ("2.2.2", "3.11", True),
        ("2.1.2", "3.11", True),
        ("2.0.1", "3.9", True),
        ("1.13.1", "3.10", True),
        ("1.8.1", "3.9", True),
        # Below Python 3.9 there is no numpy 2.
        ("2.2.2", "3.8", False),
        ("1.8.1", "3.8", False),
        ("2.3.0", "3.11", False),
        ("2.5.1", "3.12", False),
    ],
)
def test_numpy_below_2_where_torch_was_built_for_numpy_1(source: str, torch: str, python: str, needed: bool) -> None:
    got = torch_build({"torch": torch, "python": python, "source": source})
    assert ("numpy<2" in got["packages"]) is needed
    assert len(got["packages"]) == len(set(got["packages"])) and ("binaries" in got["evidence"]) is needed


def test_the_python_that_is_chosen_decides() -> None:
    got = torch_build({"torch": "2.2", "source": "wheels"})
    assert (got["python"], "numpy<2" in got["packages"]) == ("3.11", True)


@pytest.mark.parametrize("torch", ["2.4", "2.13"])
def test_conda_forge_says_itself_which_numpy_it_was_built_for(torch: str) -> None:
    got = torch_build({"torch": torch, "source": "conda-forge"})
    assert not any("numpy" in spec for spec in got["packages"] + got["pip"])


def test_today_needs_no_limit() -> None:
    got = torch_build([])
    assert not any("numpy" in spec for spec in got["packages"] + got["pip"])


def test_a_need_that_the_row_has_already_is_not_repeated() -> None:
    rows = {
        "releases": [
            {
                "torch": "2.2.2",
                "builds": [{"source": "wheels", "cuda": "12.2", "index": "https://h/cu122", "needs": ["numpy<2"]}],
            }
        ]
    }
    got = torch_build({"torch": "2.2.2", "cuda": "12.2", "python": "3.11"}, rows=rows)
    assert got["packages"].count("numpy<2") == 1
