"""Nodes with 64-bit ARM processors get builds of their own, and GPUs that only they have are not taken for others'."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit, load
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.contradictions import contradictions, duplicates

ARM = "linux-aarch64"
TABLES = load.shipped(ARM)


def refused(*arguments: object, **keywords: object) -> str:
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(*arguments, **keywords)
    return str(failure.value)


# --- data -------------------------------------------------------------------------------------------------------------


def test_the_data_of_the_platform_does_not_contradict_itself() -> None:
    assert duplicates(TABLES) + contradictions(TABLES) == []


def test_every_build_has_its_architectures_and_its_glibc() -> None:
    assert {build.platform for build in TABLES.builds} == {ARM}
    assert [build.name for build in TABLES.builds if fit.architectures(build, TABLES) is None] == []
    assert [build.name for build in TABLES.builds if fit.glibc_of(build, TABLES) is None] == []


@pytest.mark.parametrize("file", sorted((load.FOLDER / ARM).glob("*.yml")), ids=lambda file: file.stem)
def test_every_row_has_a_source_that_its_file_describes(file: pathlib.Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    known = {source["id"] for source in content["sources"]}
    rows = content.get("rows", []) + content.get("glibc", [])
    rows += [build for release in content.get("releases", []) for build in release["builds"]]
    assert rows and [row for row in rows if row["evidence"] not in known] == []


def test_the_platforms_share_gpus_and_drivers_but_no_build() -> None:
    other = load.shipped()
    assert (TABLES.gpus, TABLES.toolkits, TABLES.families) == (other.gpus, other.toolkits, other.families)
    assert {build.platform for build in other.builds} == {"linux-64"}


# --- answers ----------------------------------------------------------------------------------------------------------


def test_gh200_gets_wheels_with_cuda() -> None:
    got = torch_build(["gh200"], platform=ARM, driver="550.54.15")
    assert (got["torch"], got["cuda"], got["source"]) == ("2.14.1", "12.6", "wheels")
    assert got["pip"][0] == "torch==2.14.1+cu126"
    assert got["pip_options"] == ["--extra-index-url https://download.pytorch.org/whl/cu126"]
    assert not any("hosts" in warning for warning in got["warnings"])


@pytest.mark.parametrize(
    "torch, cuda, pip",
    [
        ("2.15.0", "13.2", ["torch===2.15.0", "torchvision===0.29.2"]),
        ("2.14.1", "13.0", ["torch==2.14.1+cu130", "torchvision==0.29.1+cu130"]),
        ("2.8.0", "12.9", ["torch==2.8.0+cu129", "torchvision==0.23.0", "torchaudio==2.8.0"]),
        ("2.6.0", "12.6", ["torch==2.6.0+cu126", "torchvision==0.21.0", "torchaudio==2.6.0"]),
    ],
)
def test_wheels_of_every_time(torch: str, cuda: str, pip: list[str]) -> None:
    got = torch_build(["9.0"], platform=ARM, source="wheels", torch=torch, cuda=cuda)
    assert got["pip"] == pip
    # Before torch 2.11, torchvision for aarch64 has no CUDA and no local tag.
    assert any("built without CUDA" in warning for warning in got["warnings"]) is (torch in ("2.8.0", "2.6.0"))


def test_on_the_package_index_cuda_builds_begin_with_2_11() -> None:
    """Older aarch64 wheels there are for the CPU, so only PyTorch's own indexes are named."""
    for build in TABLES.builds:
        if build.index == "pypi":
            assert build.torch == "2.15.0"
        elif build.source == "wheels":
            assert build.index == "https://download.pytorch.org/whl/%s" % build.local


def test_conda_forge_has_builds_for_it() -> None:
    got = torch_build(["gh200"], platform=ARM, source="conda-forge", torch="2.13", driver="550.54.15")
    assert got["packages"] == [
        "python=3.13",
        "pytorch-gpu=2.13.0",
        "cuda-version=12.9",
        "torchvision=0.28.*",
    ]
    assert "source to be" not in refused([], platform=ARM, source="pytorch")


@pytest.mark.parametrize("gpu, cuda", [("gb200", "13.2"), ("11.0", "13.2"), ("12.1", "13.2"), ("gb300", "13.2")])
def test_grace_blackwell_and_thor(gpu: str, cuda: str) -> None:
    assert torch_build([gpu], platform=ARM)["cuda"] == cuda


def test_wheels_for_arm_have_no_kernels_for_what_they_left_out() -> None:
    assert torch_build(["t4g"], platform=ARM)["source"] == "conda-forge"
    assert "no kernels for t4g (7.5)" in refused(["t4g"], platform=ARM, source="wheels")
    assert "no kernels for a100 (8.0)" in refused(["a100"], platform=ARM, source="wheels", torch="2.8")


@pytest.mark.parametrize("capability", ["5.3", "6.2", "7.2", "8.7"])
def test_jetson_modules_before_thor_are_refused(capability: str) -> None:
    message = refused([capability], platform=ARM)
    assert "does not run on %s: Jetson modules before Thor need NVIDIA's own builds" % capability in message


def test_a_message_names_the_platform() -> None:
    message = refused(["gh200"], platform=ARM, torch="2.5", source="wheels")
    assert "for GPU gh200 (9.0), source wheels, torch 2.5, platform linux-aarch64" in message
    assert "found none among %d" % len(TABLES.builds) in message


def test_glibc_limits_these_builds_too() -> None:
    assert torch_build(["a100"], platform=ARM, glibc="2.26")["torch"] == "2.5.1"


# --- GPUs of the wrong host -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gpu",
    ["gh200", "NVIDIA GH200 480GB", "nvidia_gh200_480gb", "gb200", "gb300", "gb10", "Thor", "12.1", "11.0", "t4g"],
)
def test_a_gpu_that_no_x86_host_has_warns(gpu: str) -> None:
    warnings = torch_build([gpu])["warnings"]
    said = [text for text in warnings if "only linux-aarch64 hosts have %s" % gpu in text]
    assert len(said) == 1 and said[0].endswith("for such hosts give platform linux-aarch64 (torch_env_platform)")
    # Carried out, the remedy makes the warning go away.
    assert not any("hosts have" in text for text in torch_build([gpu], platform=ARM)["warnings"])


@pytest.mark.parametrize("gpu", ["8.7", "7.2", "Jetson AGX Orin", "jetson-nano"])
def test_a_jetson_module_is_not_told_to_take_another_platform(gpu: str) -> None:
    warnings = torch_build([gpu])["warnings"]
    assert any("Jetson modules before Thor need NVIDIA's own builds" in text for text in warnings)
    assert not any("give platform" in text for text in warnings)


@pytest.mark.parametrize("gpus", [["h100"], ["h200", "b200"], ["b300"], ["rtx-5090"], ["a100"], ["9.0"], ["t4"]])
def test_gpus_of_x86_hosts_do_not_warn(gpus: list[str]) -> None:
    assert not any("hosts have" in text for text in torch_build(gpus)["warnings"])


def test_of_several_names_only_those_of_such_hosts_are_named() -> None:
    assert any("hosts have gh200 (9.0), and" in text for text in torch_build(["h100", "gh200"])["warnings"])


# --- a site's rows ----------------------------------------------------------------------------------------------------


def test_a_sites_rows_are_for_the_platform_that_they_name() -> None:
    release = {
        "torch": "2.16.0",
        "torchvision": "0.30.0",
        "python": {"min": "3.11", "max": "3.15"},
        "builds": [
            {"source": "wheels", "cuda": "13.2", "index": "https://h/x86/cu132", "kernels": ["9.0"]},
            {"source": "wheels", "cuda": "13.0", "index": "https://h/arm/cu130", "kernels": ["9.0"], "platform": ARM},
        ],
    }
    rows = {"releases": [release]}
    assert torch_build(["9.0"], rows=rows)["index"] == "https://h/x86/cu132"
    got = torch_build(["9.0"], rows=rows, platform=ARM)
    assert (got["torch"], got["index"]) == ("2.16.0", "https://h/arm/cu130")
    release["builds"][1]["platform"] = "arm"
    assert "one of linux-64, linux-aarch64 for platform at releases[0].builds[1]" in refused(["9.0"], rows=rows)


def test_a_gpu_of_the_site_may_have_hosts_of_its_own() -> None:
    rows = {"hosts": [{"names": ["h200"], "platform": ARM}]}
    assert any("hosts have h200" in text for text in torch_build(["h200"], rows=rows)["warnings"])
