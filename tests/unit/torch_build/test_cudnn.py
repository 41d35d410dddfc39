"""A GPU that cuDNN has left behind gets a build whose cuDNN still has kernels for it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.cudnn import has_kernels
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit, load
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.contradictions import contradictions
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.rows import tables as from_rows

TABLES = load.shipped()
PRE_TURING = ["3.7", "5.0", "5.2", "6.0", "6.1", "7.0"]


@pytest.mark.parametrize("gpu", PRE_TURING)
@pytest.mark.parametrize("source", ["wheels", "conda-forge", "pytorch"])
def test_no_choice_brings_a_cudnn_without_kernels(gpu: str, source: str) -> None:
    try:
        got = torch_build([gpu], source=source)
    except AnsibleFilterError as error:
        assert (gpu, source) == ("3.7", "conda-forge"), error
        return
    build = next(build for build in TABLES.builds if build.same == (got["torch"], got["cuda"], got["source"]))
    brought = fit.cudnn_of(build, TABLES)
    assert brought is not None and has_kernels(brought.version, gpu)


def test_a_kepler_gets_the_last_torch_before_cudnn_9() -> None:
    # The wheels for CUDA 11.8 have kernels for 3.7 up to torch 2.7, but their cuDNN has none from torch 2.4 on.
    got = torch_build(["k80"])
    assert (got["torch"], got["cuda"]) == ("2.3.1", "11.8")
    with pytest.raises(AnsibleFilterError, match=r"its cuDNN 9.1.0.70 has no kernels for k80 \(3.7\)") as failure:
        torch_build(["k80"], torch="2.7")
    assert "take torch 2.3.1" in str(failure.value)


@pytest.mark.parametrize("source, torch, cuda", [("wheels", "2.14.1", "12.6"), ("conda-forge", "2.13.0", "12.9")])
def test_volta_keeps_its_newest_build(source: str, torch: str, cuda: str) -> None:
    got = torch_build(["v100"], source=source)
    assert (got["torch"], got["cuda"]) == (torch, cuda)


def test_newer_gpus_are_not_judged_by_it() -> None:
    assert torch_build(["t4"], torch="2.14", cuda="13.0")["torch"] == "2.14.1"


def test_a_build_of_the_site_that_brings_a_newer_cudnn_is_not_chosen_for_volta() -> None:
    rows = {"brings_cudnn": [{"source": ["wheels"], "torch": "2.14", "cuda": ["12.6"], "cudnn": "9.20.0.48"}]}
    assert torch_build(["v100"], source="wheels", rows=rows)["torch"] == "2.13.0"
    assert torch_build(["t4"], source="wheels", cuda="12.6", rows=rows)["torch"] == "2.14.1"


def test_every_build_with_kernels_for_such_a_gpu_says_which_cudnn_it_brings() -> None:
    """Or one could be chosen whose cuDNN has none. Older cuDNNs than 8.5 have them all."""
    unknown = [
        build.name
        for build in TABLES.builds
        if fit.cudnn_of(build, TABLES) is None
        and int(build.torch.split(".", maxsplit=1)[0]) >= 2
        and any(fit.runs_on(build, gpu, TABLES) == fit.KERNELS for gpu in PRE_TURING)
    ]
    assert unknown == []


def test_a_row_about_builds_that_are_not_there_is_a_contradiction() -> None:
    site = from_rows({"brings_cudnn": [{"source": ["wheels"], "torch": "2.14", "cuda": ["12.1"], "cudnn": "9.1"}]})
    assert contradictions(TABLES.extended(site)) == ["cuDNN 9.1 of torch 2.14-2.14: no build for CUDA 12.1"]
