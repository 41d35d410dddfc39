"""Match specs and pip lines; packages that would bring a second torch."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env import specs

CONDA = {"torch": "1.8.1", "cuda": "10.1", "source": "pytorch"}
WHEELS = {"torch": "2.13.0", "cuda": "12.6", "source": "wheels"}


@pytest.mark.parametrize(
    "python, torch, cuda, expected",
    [
        ("", "", "", ["python", "pytorch"]),
        ("3.8", "1.8.1", "", ["python=3.8", "pytorch=1.8.1"]),
        ("3.8", "", "10.1", ["python=3.8", "pytorch", "cudatoolkit=10.1"]),
        ("", "2.13.*", "12.9", ["python", "pytorch-gpu=2.13.*", "cuda-version=12.9"]),
        ("", "", "auto", ["python", "pytorch"]),
    ],
)
def test_specs_without_a_chosen_build(python, torch, cuda, expected):
    assert specs.without_build(python, torch, cuda) == expected


@pytest.mark.parametrize(
    "companions, expected",
    [
        ([], ["pytorch=2", "torchvision-extra", "numpy"]),
        (["torchaudio"], ["pytorch=2", "torchaudio", "torchvision-extra", "numpy"]),
        (
            ["torchvision", "torchaudio"],
            ["pytorch=2", "c::torchvision=0.2", "torchaudio", "torchvision-extra", "numpy"],
        ),
    ],
)
def test_a_companion_that_is_not_wanted_is_left_out(companions, expected):
    given = ["pytorch=2", "c::torchvision=0.2", "torchaudio", "torchvision-extra", "numpy"]
    assert specs.of_companions(given, companions) == expected


def test_the_wheels_come_from_a_mirror_without_what_is_not_wanted():
    build = {
        "pip_options": ["--index-url %s/cu126" % specs.PYTORCH_WHEELS],
        "pip": ["torch==2.13.0", "torchvision==0.28.0"],
    }
    lines = ["--index-url https://mirror.example.org/whl/cu126", "torch==2.13.0"]
    assert specs.pip_lines(build, [], "https://mirror.example.org/whl") == lines
    assert specs.pip_lines({}, [], "x") == []


@pytest.mark.parametrize(
    "build, spec",
    [
        (CONDA, "pytorch=1.7.1"),
        (CONDA, "conda-forge::pytorch-gpu 1.9"),
        (CONDA, "pytorch-cpu"),
        (CONDA, "cudatoolkit=11.1"),
        (CONDA, "cuda-version=10.2"),
        (CONDA, "torch==1.8.1"),
        (WHEELS, "torch==2.12.0"),
        (WHEELS, "pytorch"),
        (WHEELS, "cuda-version=12.6"),
    ],
)
def test_a_second_torch_is_refused(build, spec):
    with pytest.raises(UserError, match="found %s in torch_env_packages" % spec.replace("+", r"\+")):
        specs.require_one_torch(build, ["numpy", spec])


@pytest.mark.parametrize(
    "build, spec",
    [
        (CONDA, "pytorch"),
        (CONDA, "pytorch=1.8"),
        (CONDA, "cudatoolkit=10.1.243"),
        (CONDA, "pytorch-lightning=2.0"),
        (CONDA, "torchmetrics"),
        (WHEELS, "torch==2.13.0"),
        (WHEELS, "torch"),
    ],
)
def test_the_same_torch_and_other_packages_are_not(build, spec):
    specs.require_one_torch(build, [spec])


@pytest.mark.parametrize(
    "build, torch, cuda, expected",
    [
        # A tag pins the whole CUDA.
        (
            {"source": "wheels", "torch": "2.14.1", "cuda": "12.6", "index": "https://h/cu126"},
            "",
            "",
            ("2.14.1", "12.6"),
        ),
        ({"source": "wheels", "torch": "2.15.0", "cuda": "13.2", "index": None}, "2", "13", ("2.15.0", "13")),
        ({"source": "conda-forge", "torch": "2.13.0", "cuda": "12.9", "index": None}, "", "", ("2.13.0", "12")),
        ({"source": "pytorch", "torch": "1.7.1", "cuda": "10.1", "index": None}, "", "", ("1.7.1", "10")),
        ({}, "2.13.0", "12.9", ("2.13.0", "12")),
        ({}, "2.13", "", ("2.13", "")),
        ({}, "2.13.*", "none", ("", "")),
        ({}, "", "0", ("", "")),
    ],
)
def test_what_the_torch_must_be_in_the_end(build, torch, cuda, expected):
    assert tuple(specs.expected_torch(build, torch, cuda).values()) == expected
