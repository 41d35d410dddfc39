"""Situations from public reports of clusters: what people asked for, and what runs there.

A release is pinned where a later one would otherwise be chosen some day.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build

ARM = "linux-aarch64"


def asked(gpus: str, **question: t.Any) -> dict[str, t.Any]:
    return {"gpus": gpus.split(), **question}


@pytest.mark.parametrize(
    "question, answer",
    [
        pytest.param(
            asked("rtx-5090", driver="570.124.06", python="3.12", torch="2.13"),
            {"cuda": "12.9", "source": "conda-forge", "driver": "570"},
            id="a new GeForce",
        ),
        pytest.param(asked("b200", driver="570.124.06", torch="2.13"), {"cuda": "12.9", "driver": "570"}, id="B200"),
        pytest.param(asked("b300", driver="580.95.05", torch="2.14"), {"cuda": "13.2", "driver": "580"}, id="B300"),
        pytest.param(
            asked("gh200", driver="550.54.15", platform=ARM, torch="2.14"),
            {"cuda": "12.6", "source": "wheels"},
            id="GH200",
        ),
        pytest.param(asked("gb10", platform=ARM, torch="2.14"), {"cuda": "13.2"}, id="DGX Spark"),
        pytest.param(
            asked("l40s", driver="535.183.01", python="3.11", torch="2.14"),
            {"cuda": "12.6", "driver": "525.60.13"},
            id="an LTS driver",
        ),
        pytest.param(asked("a100", driver="525.60.13", torch="2.14"), {"cuda": "12.6"}, id="the oldest driver of 12"),
        pytest.param(asked("p100", driver="535.183.01", torch="2.14"), {"cuda": "12.6"}, id="Pascal"),
        pytest.param(asked("v100", driver="580.65.06", torch="2.14"), {"cuda": "12.6"}, id="Volta, its last driver"),
        pytest.param(
            asked("t4", driver="450.51.06"), {"cuda": "10.2", "torch": "1.12.1"}, id="before CUDA 11's family"
        ),
        pytest.param(asked("t4", driver="470.57.02"), {"cuda": "11.8", "torch": "2.7.1"}, id="R470"),
        pytest.param(asked("k80", driver="470.57.02"), {"cuda": "11.8", "torch": "2.3.1"}, id="Kepler: cuDNN 8.7"),
        pytest.param(
            asked("titan-v a100 h100", driver=["535.183.01", "570.124.06"], torch="2.14"),
            {"cuda": "12.6"},
            id="three generations",
        ),
        pytest.param(asked("v100 rtx-5090"), {"cuda": "12.9", "torch": "2.13.0"}, id="Volta and Blackwell"),
        pytest.param(
            asked("v100 rtx-5090", source="wheels"), {"cuda": "12.8", "torch": "2.10.0"}, id="both, with wheels"
        ),
        pytest.param(
            asked("a100", driver="515.65.01", python="3.8"), {"cuda": "11.8", "torch": "2.4.1"}, id="python 3.8"
        ),
        pytest.param(asked("h100", driver="535.183.01", python="3.8"), {"cuda": "12.4"}, id="H100, python 3.8"),
        pytest.param(asked("v100", glibc="2.17"), {"cuda": "12.4", "torch": "2.6.0"}, id="CentOS 7"),
        pytest.param(asked("h100", cuda="11.8", source="wheels"), {"driver": "520"}, id="Hopper with CUDA 11.8"),
    ],
)
def test_it_is_answered(question: dict[str, t.Any], answer: dict[str, str]) -> None:
    got = torch_build(question)
    assert {name: got[name] for name in answer} == answer
    assert not any("hosts have" in warning or "no driver drives" in warning for warning in got["warnings"])


@pytest.mark.parametrize(
    "question, said",
    [
        pytest.param(asked("b200", driver="535.183.01"), "570 is the first that does", id="B200 on R535"),
        pytest.param(asked("rtx-5090", driver="535.183.01"), "570 is the first that does", id="GeForce on R535"),
        pytest.param(asked("v100", driver="590.48.01"), "580 is the last that does", id="Volta on R590"),
        pytest.param(asked("k80", driver="535.183.01"), "470 is the last that does", id="Kepler on R535"),
        pytest.param(asked("v100", cuda="13.0"), "take CUDA 12.", id="Volta with CUDA 13"),
        pytest.param(asked("rtx-3090", cuda="10.2"), "take CUDA 13.", id="Ampere with CUDA 10"),
        pytest.param(asked("a100", cuda="12.2"), "not for CUDA 12.2", id="the CUDA that nvidia-smi prints"),
        pytest.param(asked("rtx-5090", python="3.8"), "take python", id="Blackwell with python 3.8"),
        pytest.param(asked("mi250"), "no data about ROCm", id="ROCm"),
        pytest.param(asked("orin", platform=ARM), "need NVIDIA's own builds", id="Jetson"),
        pytest.param(
            asked("a100", torch="2.14", glibc="2.17"), "take nodes with glibc 2.28", id="CentOS 7, a new torch"
        ),
    ],
)
def test_it_is_refused_with_what_would_do(question: dict[str, t.Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(question)
    assert said in str(failure.value)


@pytest.mark.parametrize("gpu", ["gh200", "gb10", "thor", "orin"])
def test_a_gpu_that_no_x86_host_has_warns(gpu: str) -> None:
    assert any("only linux-aarch64 hosts have %s" % gpu in warning for warning in torch_build([gpu])["warnings"])


@pytest.mark.parametrize("torch", ["2.2.2", "2.1.2"])
def test_an_old_pin_brings_numpy_1(torch: str) -> None:
    assert "numpy<2" in torch_build({"torch": torch, "python": "3.11"})["packages"]
