"""Whether a GPU may be the one that is expected: only certainty counts against it."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.expected import fits, is_slice, is_unknown, unknown
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import read

from .spellings import SPELLINGS

# Healthy pairs: a label that a site or Slurm has, and the name of the GPU.
RIGHT = [
    ("a100-80gb", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("a100-80gb", "NVIDIA A100 80GB PCIe", "8.0"),
    ("a100_80gb", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("a100-pcie", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("a100l", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("v100-32gb", "Tesla V100-SXM2-32GB", "7.0"),
    ("v100-32gb", "NVIDIA V100", "7.0"),
    ("v100", "Tesla V100S-PCIE-32GB", "7.0"),
    ("nvidia-v100", "Tesla V100-DGXS-32GB", "7.0"),
    ("nvidia-v100", "Tesla V100-SXM2-32GB-XYZ", "7.0"),
    ("v100-nvlink", "Tesla V100-SXM2-32GB", "7.0"),
    ("h100-sxm5-80gb", "NVIDIA H100 80GB HBM3", "9.0"),
    ("h100_sxm", "NVIDIA H100 80GB HBM3", "9.0"),
    ("h100-96", "NVIDIA H100 NVL", "9.0"),
    ("h100_96gb", "NVIDIA H100 94GB", "9.0"),
    ("gh200-96gb", "NVIDIA GH200 480GB", "9.0"),
    ("h200", "NVIDIA H200 NVL", "9.0"),
    ("titan", "TITAN RTX", "7.5"),
    ("titan-x", "GeForce GTX TITAN X", "5.2"),
    ("geforce-titan-x", "TITAN X (Pascal)", "6.1"),
    ("rtx6000", "Quadro RTX 6000", "7.5"),
    ("6000Ada", "NVIDIA RTX 6000 Ada Generation", "8.9"),
    ("quadro-rtx-a6000", "NVIDIA RTX A6000", "8.6"),
    ("rtx-4090", "NVIDIA GeForce RTX 4090 D", "8.9"),
    ("gtx-1660", "NVIDIA GeForce GTX 1660 SUPER", "7.5"),
    ("k40", "Tesla K40m", "3.5"),
    ("rtx5090", "NVIDIA GeForce RTX 5090 Laptop GPU", "12.0"),
    ("7.0", "NVIDIA TITAN V", "7.0"),
    # Slices: a label's memory may be that of other GPUs, and a whole GPU may have been put back together.
    ("a100_3g.20gb", "NVIDIA A100-SXM4-80GB MIG 3g.40gb", "8.0"),
    ("a100_20gb", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", "8.0"),
    ("a100_1g.5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("1g5gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("a100", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("a100-40gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("a100_mig", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("3g.20gb", "NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb", "8.0"),
    ("1g.10gb", "NVIDIA H100 80GB HBM3", "9.0"),
    # Nobody can know these, nor which GPU a new name is.
    ("ampere", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("rtxproserver6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", "12.0"),
    ("fast", "Tesla T4", "7.5"),
    ("tesla", "NVIDIA H100 PCIe", "9.0"),
    ("h100", "NVIDIA H150", "9.0"),
    ("a100", "NVIDIA DRIVE-PG199-PROD", "8.0"),
    ("mi250", "AMD Instinct MI250X", None),
]
WRONG = [
    ("rtx-6000", "NVIDIA RTX 6000 Ada Generation", "8.9"),
    ("rtx-6000-ada", "Quadro RTX 6000", "7.5"),
    ("rtx_6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", "12.0"),
    ("rtx6000", "NVIDIA RTX A6000", "8.6"),
    ("titan-x", "NVIDIA TITAN V", "7.0"),
    ("titan-x-pascal", "GeForce GTX TITAN X", "5.2"),
    ("titan-v", "TITAN Xp", "6.1"),
    ("titan-v", "Tesla V100-SXM2-32GB", "7.0"),
    ("a10", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("a100", "NVIDIA H100 PCIe", "9.0"),
    ("a30", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("h100", "NVIDIA GH200 480GB", "9.0"),
    ("h20", "NVIDIA H200", "9.0"),
    ("l4", "NVIDIA L40", "8.9"),
    ("rtx-2080-ti", "NVIDIA GeForce RTX 2080", "7.5"),
    ("a2", "NVIDIA RTX A2000", "8.6"),
    ("7.0", "NVIDIA TITAN V", "7.5"),
    ("7.0", "NVIDIA TITAN V", None),
    # A new name with another capability is certainly another GPU.
    ("h100", "NVIDIA H150", "10.0"),
    ("a100", "NVIDIA Graphics Device", "9.0"),
    # Memory that the device's name states otherwise.
    ("a100-40gb", "NVIDIA A100-SXM4-80GB", "8.0"),
    ("v100-16gb", "Tesla V100-SXM2-32GB", "7.0"),
    ("tesla-v100-16g", "Tesla V100-SXM2-32GB", "7.0"),
    ("h100-80gb", "NVIDIA H100 94GB", "9.0"),
    # Slices of another number of parts; and a GPU that cannot be divided.
    ("a100_2g.10gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("2g10gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "8.0"),
    ("1g.5gb", "Tesla V100-SXM2-32GB", "7.0"),
    ("h100_1g.10gb", "NVIDIA A100-SXM4-80GB MIG 1g.10gb", "8.0"),
]


@pytest.mark.parametrize(("expected", "name", "capability"), RIGHT)
def test_a_gpu_that_may_be_the_expected_one_fits(expected: str, name: str, capability: str | None) -> None:
    assert fits([expected], name, capability)
    assert fits(["k80", " %s " % expected.upper()], name, capability)


@pytest.mark.parametrize(("expected", "name", "capability"), WRONG)
def test_a_gpu_that_is_certainly_another_one_does_not_fit(expected: str, name: str, capability: str | None) -> None:
    assert not fits([expected], name, capability)
    assert not fits(["k80", " %s " % expected], name, capability)
    # A further label may be this GPU's.
    assert fits([expected, "fast"], name, capability)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.name)
def test_a_device_fits_its_own_name_in_every_spelling(spelling) -> None:
    assert fits([spelling.name], spelling.name, "9.0" if spelling.kind == "slice" else spelling.capability)


def test_labels_that_are_no_expectation() -> None:
    assert unknown(["a100", "ampere", "7.0", "1g.5gb", "mig", "titan", "mi250", "fast"]) == ["ampere", "fast"]
    for spelling in SPELLINGS:
        assert is_unknown(spelling.name) is (spelling.kind == "unknown")
        assert is_slice(spelling.name) is (spelling.slice is not None)


def test_one_capability_never_fits_the_model_of_another() -> None:
    names = [spelling for spelling in SPELLINGS if spelling.model and not spelling.slice]
    for one in names:
        for other in names:
            if one.capability != other.capability:
                assert not fits([one.name], other.name, other.capability), (one.name, other.name)
    assert read("rtx-6000").capabilities != read("rtx-6000-ada").capabilities
