"""The filter's answers, one kind of question each."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import FilterModule, torch_build
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import starts_with
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load


def refused(*arguments, **keywords):
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(*arguments, **keywords)
    message = str(failure.value)
    assert "expected " in message and "; found " in message and "; remedy: " in message
    return message


def test_the_guides_pair():
    assert torch_build({"cuda": "10.1", "python": "3.8", "source": "pytorch"}) == {
        "torch": "1.8.1",
        "torchvision": "0.9.1",
        "torchaudio": "0.8.1",
        "python": "3.8",
        "cuda": "10.1",
        "source": "pytorch",
        "packages": [
            "python=3.8",
            "pytorch=1.8.1=py3.8_cuda10.1*",
            "torchvision=0.9.1=*_cu*",
            "torchaudio=0.8.1",
            "cudatoolkit=10.1",
            "mkl<2024.1",
        ],
        "pip": [],
        "pip_options": [],
        "channels": ["pytorch", "conda-forge"],
        "index": None,
        "cuda_override": None,
        "capabilities": [],
        "driver": "418.39",
        "warnings": [],
        "evidence": ["environment-files", "conda_sh"],
    }


def test_the_official_pages_pair_for_the_guide():
    got = torch_build(["titan-v"], cuda="10.1.243", python="3.8.18", source="pytorch", torch="1.7.1")
    assert got["packages"] == [
        "python=3.8",
        "pytorch=1.7.1=py3.8_cuda10.1*",
        "torchvision=0.8.2=*_cu*",
        "torchaudio=0.7.2",
        "cudatoolkit=10.1",
        "mkl<2024.1",
    ]
    # The official command names channel pytorch alone, which has neither Python nor cudatoolkit.
    assert got["channels"] == ["pytorch", "conda-forge"]
    assert len(got["warnings"]) == 1 and "unverified" in got["warnings"][0]


def test_one_build_for_three_generations():
    got = torch_build(["titan-v", "a100", "h100"], torch="2.14.1")
    assert (got["torch"], got["cuda"], got["source"]) == ("2.14.1", "12.6", "wheels")
    assert got["pip"] == ["torch==2.14.1+cu126", "torchvision==0.29.1+cu126"]
    assert got["pip_options"] == ["--extra-index-url https://download.pytorch.org/whl/cu126"]
    assert got["packages"] == ["python=3.13", "pip"]
    assert got["capabilities"] == ["7.0", "8.0", "9.0"]
    assert got["driver"] == "525.60.13"


def test_conda_forge_keeps_volta_and_needs_an_override():
    got = torch_build(["titan-v", "a100", "h100"], source="conda-forge", python="3.12", torch="2.13.0")
    assert got["packages"] == ["python=3.12", "pytorch-gpu=2.13.0", "cuda-version=12.9", "torchvision=0.28.*"]
    assert (got["channels"], got["cuda_override"], got["torchaudio"], got["pip"]) == (["conda-forge"], "12.9", None, [])


def test_newer_gpus_get_newer_builds():
    assert torch_build(["a100", "h100"], torch="2.14.1")["pip"] == ["torch==2.14.1+cu132", "torchvision==0.29.1+cu132"]


def test_volta_left_and_came_back():
    assert [
        torch_build(["v100"], source="wheels", torch=torch)["cuda"] for torch in ("2.7", "2.8", "2.10", "2.11")
    ] == ["12.6", "12.9", "12.8", "12.6"]


@pytest.mark.parametrize(
    "torch,cuda,python,pip,options,index",
    [
        ("2.15.0", "13.2", "3.13", ["torch===2.15.0", "torchvision===0.29.2"], [], None),
        (
            "2.15.0",
            "13.0",
            "3.13",
            ["torch==2.15.0+cu130", "torchvision==0.29.2"],
            ["--extra-index-url https://download.pytorch.org/whl/cu130"],
            "https://download.pytorch.org/whl/cu130",
        ),
        (
            "1.8.1",
            "10.1",
            "3.8",
            ["torch==1.8.1+cu101", "torchvision==0.9.1+cu101", "torchaudio==0.8.1"],
            ["--find-links https://download.pytorch.org/whl/torch_stable.html"],
            "https://download.pytorch.org/whl/torch_stable.html",
        ),
        ("1.7.1", "10.2", "3.8", ["torch===1.7.1", "torchvision===0.8.2", "torchaudio===0.7.2"], [], None),
        (
            "1.1.0",
            "9.0",
            "3.6",
            [
                "torch @ https://download.pytorch.org/whl/cu90/torch-1.1.0-cp36-cp36m-linux_x86_64.whl",
                "torchvision @ https://download.pytorch.org/whl/cu90/torchvision-0.3.0-cp36-cp36m-linux_x86_64.whl",
            ],
            [],
            None,
        ),
        (
            "1.0.0",
            "8.0",
            "3.7",
            [
                "torch @ https://download.pytorch.org/whl/cu80/torch-1.0.0-cp37-cp37m-linux_x86_64.whl",
                "torchvision==0.2.1",
            ],
            [],
            None,
        ),
    ],
)
def test_wheels_of_every_time(torch, cuda, python, pip, options, index):
    got = torch_build({"torch": torch, "cuda": cuda, "python": python, "source": "wheels"})
    assert (got["pip"], got["pip_options"], got["index"]) == (pip, options, index)
    assert got["packages"] == ["python=%s" % python, "pip"]


def test_channel_pytorch_of_every_time():
    assert torch_build(source="pytorch", torch="2.5", value=[])["packages"] == [
        "python=3.12",
        "pytorch=2.5.1=py3.12_cuda12.4*",
        "torchvision=0.20.1=*_cu*",
        "torchaudio=2.5.1",
        "pytorch-cuda=12.4",
    ]
    assert torch_build({"source": "pytorch", "torch": "2.5"})["channels"] == ["pytorch", "nvidia", "conda-forge"]
    assert torch_build({"source": "pytorch", "torch": "1.8.2", "cuda": "11.1"})["channels"] == [
        "pytorch-lts",
        "nvidia",
        "conda-forge",
    ]
    # Torchvision before 0.3 has one build for every CUDA.
    assert {"cuda90", "torchvision=0.2.1"} <= set(
        torch_build({"source": "pytorch", "torch": "1.0.0", "cuda": "9.0"})["packages"]
    )


# --- drivers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "driver,cuda",
    [
        ("580.65.06", "13"),
        ("580", "13"),
        ("579.99", "12"),
        ("525.60.13", "12"),
        ("525.60.12", "11"),
        ("450.80.2", "11"),
        ("450.80.01", "10.2"),
        ("440.33", "10.2"),
        ("440.4", "10.1"),
        ("418.39", "10.1"),
        ("418.4", "9.2"),
    ],
)
def test_the_driver_decides_the_cuda(driver, cuda):
    # From CUDA 11 on the major version counts, below it each toolkit; as numbers, 440.4 is older than 440.33.
    assert starts_with(torch_build({"driver": driver, "source": "wheels"})["cuda"], cuda)


def test_cuda_11_0_itself_runs_on_an_older_driver_than_its_family():
    assert [
        torch_build({"driver": driver, "torch": "1.7"})["cuda"] for driver in ("450.80.02", "450.36.06", "450.36.05")
    ] == ["11.0", "11.0", "10.2"]


def test_the_oldest_of_several_drivers_counts():
    assert torch_build({"driver": ["580.95.05", "470.57.02"]}) == torch_build({"driver": "470.57.02"})


def test_a_driver_may_be_too_new_for_a_gpu():
    message = refused(["titan-v"], driver="590.44.01")
    assert "driver 590.44.01 no longer drives titan-v (7.0), 580 is the last that does" in message
    assert "take driver 580 of at least 525.60.13" in message
    assert "drop titan-v (7.0)" in message
    assert starts_with(torch_build(["titan-v"], driver="580.95.05")["cuda"], "12")


# A build for CUDA 11.8 without any kernel: the driver compiles everything.
ONLY_PTX = {
    "architectures": [{"source": "wheels", "torch": "2.6", "cuda": ["11.8"], "archs": ["3.7", "5.0"], "ptx": "5.0"}]
}


def test_what_the_driver_has_to_compile_warns_and_needs_a_driver_of_that_toolkit():
    got = torch_build(["8.9"], source="wheels", torch="2.6", cuda="11.8", rows=ONLY_PTX)
    assert got["driver"] == "520.61.05"
    got = torch_build(["b200"], source="conda-forge", torch="2.6")
    # The driver of CUDA 12.6 could compile it, but no driver before 570 drives the GPU.
    assert got["driver"] == "570"
    assert len(got["warnings"]) == 1 and "no kernels for b200 (10.0): the driver compiles them" in got["warnings"][0]
    assert torch_build(["h100"], source="conda-forge", torch="2.6")["warnings"] == []
    message = refused(["b200"], source="conda-forge", torch="2.6", driver="550.54.15")
    assert "driver 550.54.15 cannot compile it for b200 (10.0), 560.28.03 can" in message
    assert "driver 550.54.15 does not drive b200 (10.0) yet, 570 is the first that does" in message
    assert "update the driver to 570 or newer" in message


# --- kernels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "capability,runs",
    # conda-forge 2.5: kernels for 5.0 6.0 6.1 7.0 7.5 8.0 8.6 8.9 9.0, and PTX for 9.0
    [
        ("5.2", True),
        ("6.2", True),
        ("7.2", True),
        ("8.7", True),
        ("9.0", True),
        ("12.0", True),
        ("3.7", False),
        ("4.0", False),
    ],
)
def test_a_kernel_runs_within_its_major_version_upwards(capability, runs):
    question = {"gpus": [capability], "source": "conda-forge", "torch": "2.5", "cuda": "12.6"}
    if runs:
        assert torch_build(question)["cuda"] == "12.6"
    else:
        assert "no kernels for %s" % capability in refused(question)


def test_a_kernel_does_not_run_downwards():
    # The wheels of CUDA 13 begin at 7.5.
    assert "no kernels for titan-v (7.0)" in refused(["titan-v"], torch="2.14", cuda="13.0")


@pytest.mark.parametrize(
    "name,capability",
    [
        ("titan-v", "7.0"),
        ("Titan V", "7.0"),
        ("TITAN_V", "7.0"),
        ("titanv", "7.0"),
        ("Tesla V100-SXM2-32GB", "7.0"),
        ("v100", "7.0"),
        ("a100", "8.0"),
        ("NVIDIA A100-SXM4-80GB", "8.0"),
        ("a100_1g.5gb", "8.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("h100", "9.0"),
        ("NVIDIA GeForce RTX 2080 Ti", "7.5"),
        ("rtx6000ada", "8.9"),
        ("NVIDIA RTX 6000 Ada Generation", "8.9"),
        ("Quadro RTX 6000", "7.5"),
        ("rtx_a6000", "8.6"),
        ("NVIDIA L40S", "8.9"),
        ("Tesla P100-PCIE-16GB", "6.0"),
        ("gtx1080ti", "6.1"),
        ("Tesla K80", "3.7"),
        ("8.6", "8.6"),
    ],
)
def test_what_a_gpu_is_called(name, capability):
    # Torch 2.1 runs on them all.
    assert torch_build([name], torch="2.1", cuda="11.8")["capabilities"] == [capability]


def test_two_names_of_one_capability_go_together():
    assert "drop titan-v, v100 (7.0)" in refused(["v100", "titan-v", "h100", "7.0"], torch="2.14", cuda="13.0")


def test_an_ambiguous_name_is_refused_with_what_it_may_mean():
    message = refused(["titan"])
    assert "titan-v (7.0)" in message and "titan-rtx (7.5)" in message and 'such as "7.0"' in message
    assert "titan-x-pascal (6.1)" in refused(["Titan X"])


def test_an_unknown_name_is_refused_with_those_known():
    message = refused(["x200"])
    assert "titan-v" in message and "h100" in message and 'compute capability such as "7.0"' in message


@pytest.mark.parametrize("name", ["mi250", "mi300x", "AMD Instinct MI210", "gfx90a"])
def test_rocm_is_refused(name):
    assert "no data about ROCm" in refused([name])


@pytest.mark.parametrize("platform", ["linux-ppc64le", "osx-arm64", "win-64", 64])
def test_another_platform_is_refused(platform):
    said = "platform to be linux-64 or linux-aarch64, the only ones that there is data about"
    assert said in refused([], platform=platform)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values,said",
    [
        ({"python": 3.1}, "put quotes around it"),
        ({"cuda": 12.6}, "put quotes around it"),
        ({"torch": 2.1}, "put quotes around it"),
        ({"driver": 550}, "put quotes around it"),
        ({"gpus": [7.0]}, "put quotes around it"),
        ({"driver": ["550.54", 470]}, "put quotes around it"),
        ({"python": "3"}, "add the minor version"),
        ({"cuda": "cu126"}, "cuda to be text"),
        ({"torch": ">=2.5"}, "name one version or one series"),
        ({"source": "pip"}, "source to be pytorch or conda-forge or wheels"),
        ({"gpu": ["v100"]}, "a constraint among gpus, driver, cuda"),
        ({"gpus": {"v100": 1}}, "the name of a GPU type"),
        ({"gpus": [""]}, "the name of a GPU type"),
        ({"rows": ["v100"]}, "a mapping"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_right(values, said):
    assert said in refused(values)


@pytest.mark.parametrize("value", [7, 7.0, True])
def test_neither_a_mapping_nor_a_list(value):
    assert "a mapping of constraints, or a list of GPU types" in refused(value)


def test_a_mapping_and_keywords_are_taken_together():
    together = torch_build({"gpus": ["titan-v"], "python": "3.12"}, gpus=["h100"], source="wheels")
    assert together == torch_build({"gpus": ["titan-v", "h100"], "python": "3.12", "source": "wheels"})
    assert torch_build("v100") == torch_build(["v100"]) == torch_build({"gpus": "v100"})
    assert "one value for python" in refused({"python": "3.12"}, python="3.11")


def test_nothing_asked_is_nothing_asked():
    assert torch_build({"gpus": [], "driver": "", "cuda": None, "rows": {}}) == torch_build([])


@pytest.mark.parametrize(
    "pin,torch",
    [("2.1", "2.1.2"), ("2.1.*", "2.1.2"), ("==2.1.1", "2.1.1"), ("2.1.0", "2.1.0"), ("1.1", "1.1.0"), ("1", "1.13.1")],
)
def test_a_pin_is_a_version_or_a_series(pin, torch):
    assert torch_build({"torch": pin})["torch"] == torch


def test_the_filter_is_called_torch_build():
    assert FilterModule().filters() == {"torch_build": torch_build}


# --- conflicts --------------------------------------------------------------------------------------------------------


def test_a_conflict_names_what_excludes_what_and_the_nearest_that_works():
    message = refused(["titan-v"], torch="2.13", cuda="13.0", source="wheels")
    assert (
        "for GPU titan-v (7.0), cuda 13.0, source wheels, torch 2.13; found none among %d" % len(load.shipped().builds)
        in message
    )
    assert "torch 2.13.0 for CUDA 13.0 (wheels): no kernels for titan-v (7.0)" in message
    assert "torch 2.13.0 for CUDA 12.6 (wheels): not for CUDA 13.0" in message
    assert "drop titan-v (7.0) (it can have an env of its own): torch 2.13.0+cu130 wheels" in message
    assert "take CUDA 12.6: torch 2.13.0+cu126 wheels" in message


def test_a_torch_that_is_not_there_gets_the_newest_that_is():
    newest = torch_build([])["torch"]
    assert "take torch %s: torch %s" % (newest, newest) in refused([], torch="9.9")


def test_nothing_helps_a_gpu_that_no_build_was_made_for():
    message = refused(["2.0"])
    assert "no kernels for 2.0" in message and "drop 2.0" in message


def test_an_unknown_gpu_is_answered_with_the_nearest_names() -> None:
    message = refused(["titanv9"])
    assert "such as titan-v, titan-z," in message and len(message) < 300, message
    assert "such as titan-v, a100, h100; found qqqqqq" in refused(["qqqqqq"])
