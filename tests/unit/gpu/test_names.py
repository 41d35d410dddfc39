"""The one reader of GPU names: what fits what, and that the verdict and the filter torch_build read alike."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import (
    fits,
    memory_of,
    model_of,
    slice_of,
    words_of,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.device import device_type_mismatch
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import FINISHED, Ending, read_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import gpus, load

DATA = pathlib.Path(load.__file__).with_name("data") / "gpus.yml"
NAMES = [
    (name, row["capability"])
    for row in yaml.safe_load(DATA.read_text(encoding="utf-8"))["gpus"]
    for name in row["names"]
]
# What people and Slurm call a GPU, and the name that its driver reports.
SPELLINGS = [
    ("a100", "NVIDIA A100-SXM4-80GB"),
    ("A100", "NVIDIA A100-SXM4-80GB"),
    ("a100-80gb", "NVIDIA A100-SXM4-80GB"),
    ("a100_80gb", "NVIDIA A100-SXM4-80GB"),
    ("a100-80g", "NVIDIA A100-SXM4-80GB"),
    ("a100-pcie", "NVIDIA A100-SXM4-80GB"),
    ("a100-sxm4-40gb", "NVIDIA A100-SXM4-40GB"),
    ("tesla-a100", "NVIDIA A100-SXM4-80GB"),
    ("nvidia_a100-sxm4-80gb", "NVIDIA A100-SXM4-80GB"),
    ("nvidia_a100_80gb_pcie", "NVIDIA A100 80GB PCIe"),
    ("v100-32gb", "Tesla V100-SXM2-32GB"),
    ("tesla-v100-32gb", "Tesla V100-SXM2-32GB"),
    ("tesla_v100-sxm2-16gb", "Tesla V100-SXM2-16GB"),
    ("v100", "Tesla V100-PCIE-16GB"),
    ("h100-sxm", "NVIDIA H100 80GB HBM3"),
    ("h100-80gb", "NVIDIA H100 PCIe"),
    ("h100_nvl", "NVIDIA H100 NVL"),
    ("gh200-96gb", "NVIDIA GH200 480GB"),
    ("nvidia-tesla-t4", "Tesla T4"),
    ("tesla-t4", "Tesla T4"),
    ("titan-v", "NVIDIA TITAN V"),
    ("titan_v", "TITAN V"),
    ("titanv", "NVIDIA TITAN V"),
    ("rtx6000", "Quadro RTX 6000"),
    ("quadro_rtx_6000", "Quadro RTX 6000"),
    ("rtx-6000-ada", "NVIDIA RTX 6000 Ada Generation"),
    ("quadro-rtx-a6000", "NVIDIA RTX A6000"),
    ("rtx-2080-ti", "NVIDIA GeForce RTX 2080 Ti"),
    ("geforce_rtx_2080_ti", "NVIDIA GeForce RTX 2080 Ti"),
    ("titan-x-pascal", "NVIDIA TITAN X (Pascal)"),
]


def is_accused(name: str, capability: str, expected: str) -> bool:
    """Whether the verdict calls a healthy device of this name another one than *expected*."""
    records = [
        {"kind": "cuda", "count": 1},
        {"kind": "device", "index": 0, "name": name, "compute_capability": capability, "memory": 1},
        {"kind": "device_done", "index": 0, "passed": True, "error": None, "seconds": 1.0},
    ]
    return device_type_mismatch(read_report(records, Ending(FINISHED)), Asked(expect_gpu=[expected])) is not None


def device_name(name: str) -> str:
    """What a driver might call a GPU of this type: ``rtx-2080-ti`` is ``NVIDIA RTX 2080 TI``."""
    return "NVIDIA " + name.replace("-", " ").upper()


@pytest.mark.parametrize("spelling, name", SPELLINGS)
def test_the_filter_and_the_verdict_read_a_spelling_alike(spelling: str, name: str) -> None:
    capability = gpus.capability(name, load.shipped())
    assert gpus.capability(spelling, load.shipped()) == capability
    assert not is_accused(name, capability, spelling)


@pytest.mark.parametrize("name, capability", NAMES)
@pytest.mark.parametrize("spelling", ["{}", "nvidia-{}", "{}-80gb", "{}_pcie", "NVIDIA {} 24GB PCIe"])
def test_the_filter_and_the_verdict_read_every_name_of_the_data_alike(
    spelling: str, name: str, capability: str
) -> None:
    written = spelling.format(name)
    assert gpus.capability(written, load.shipped()) == capability
    assert not is_accused(device_name(name), capability, written)


@pytest.mark.parametrize("name, capability", NAMES)
def test_a_gpu_of_another_capability_fits_only_a_name_that_is_part_of_its_own(name: str, capability: str) -> None:
    for other, its in NAMES:
        if its != capability and not is_accused(device_name(other), its, name):
            assert model_of(name) in model_of(other), (name, other)


@pytest.mark.parametrize(
    "expected, name, capability, yes",
    [
        ("7.0", "NVIDIA TITAN V", "7.0", True),
        ("7.0", "NVIDIA TITAN V", "7.5", False),
        ("7.0", "NVIDIA TITAN V", None, False),
        ("h100", "NVIDIA GH200 480GB", "9.0", False),
        ("a10", "NVIDIA A100-SXM4-80GB", "8.0", False),
        ("titan-v", "TITAN Xp", "6.1", False),
        ("titan", "TITAN RTX", "7.5", True),
        ("rtx-6000-ada", "Quadro RTX 6000", "7.5", False),
        ("quadro-rtx-6000", "NVIDIA RTX 6000 Ada Generation", "8.9", False),
        ("rtx-2080-ti", "NVIDIA GeForce RTX 2080", "7.5", False),
        ("90", "NVIDIA H100", "9.0", False),
        # Memory that the device's name states otherwise.
        ("a100-40gb", "NVIDIA A100-SXM4-80GB", "8.0", False),
        ("v100-16gb", "Tesla V100-SXM2-32GB", "7.0", False),
        ("tesla-v100-16g", "Tesla V100-SXM2-32GB", "7.0", False),
        ("a100_1g.5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", True),
        ("a100_2g.10gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", False),
        # Slices in the spellings of gres.conf.
        ("1g.5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", True),
        ("1g5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", True),
        ("1g_5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", True),
        ("mig1g.5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", True),
        ("2g10gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0", False),
        # Boards that no list of words has.
        ("nvidia-v100", "Tesla V100-DGXS-32GB", "7.0", True),
        ("nvidia-v100", "Tesla V100-SXM2-32GB-LS", "7.0", True),
        ("v100-nvlink", "Tesla V100-SXM2-32GB", "7.0", True),
        ("geforce-titan-x", "GeForce GTX TITAN X", "5.2", True),
        ("tesla-titan-x", "TITAN X (Pascal)", "6.1", True),
    ],
)
def test_whether_a_gpu_is_the_one_that_is_expected(expected: str, name: str, capability: str | None, yes: bool) -> None:
    assert fits([expected], name, capability) is yes
    assert fits(["no-such", " %s " % expected], name, capability) is yes


def test_what_a_name_says() -> None:
    assert words_of("NVIDIA A100-SXM4-40GB MIG 1g.5gb") == ["nvidia", "a100", "sxm4", "40gb", "mig", "1g.5gb"]
    assert [model_of(name) for name in ("Tesla V100-SXM2-32GB", "v100-32gb", "tesla")] == ["v100", "v100", "tesla"]
    assert [slice_of(name) for name in ("nvidia_a100_3g.20gb", "1g.5gb", "a100-80gb")] == ["3g.20gb", "1g.5gb", None]
    assert [memory_of(name) for name in ("A100-SXM4-80GB", "a100_1g.5gb", "GH200 480GB")] == [80, None, None]
