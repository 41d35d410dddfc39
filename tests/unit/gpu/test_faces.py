"""The filter, the verdict, the inventory and the report mean the same by a name of a GPU, and the filter knows it."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import Gres
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import no_expectations, result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import FINISHED, Ending, Report, read_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.normalise import make_expectation
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.plan import gpu_variables
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import gpus, load

from .spellings import SPELLINGS, Spelling

ALL = pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.name)


def node(*names: str, capability: str) -> Report:
    """A node whose GPUs all compute."""
    records = [
        {"kind": "torch", "version": "2.13.0", "cuda": "12.6", "hip": None, "git": "abc", "path": "/e/torch"},
        {"kind": "cpu", "passed": True, "error": None},
        {"kind": "cuda", "available": True, "count": len(names), "error": None, "warnings": [], "archs": []},
    ]
    for index, name in enumerate(names):
        about = {"name": name, "compute_capability": capability, "memory": 1}
        records.append({"kind": "device", "index": index, **about})
        records.append({"kind": "device_done", "index": index, "passed": True, "error": None, "seconds": 1.0})
    return read_report(records, Ending(FINISHED))


def verdict(asked: Asked, *names: str, capability: str) -> str:
    return str(result(node(*names, capability=capability), asked)["verdict"])


def filter_of(name: str) -> str | None:
    """The capability, or None for a refusal."""
    try:
        return gpus.capability(name, load.shipped())
    except UserError as error:
        assert error.remedy
        return None


@ALL
def test_the_filter_reads_a_capability_or_refuses(spelling: Spelling) -> None:
    assert filter_of(spelling.name) == spelling.capability


@ALL
def test_the_verdict_knows_the_same_capability(spelling: Spelling) -> None:
    asked = Asked(expect_gpu=[spelling.name])
    for capability in ("3.5", "6.1", "7.0", "7.5", "8.0", "8.6", "9.0", "12.0"):
        found = verdict(asked, "NVIDIA Graphics Device", capability=capability)
        if spelling.kind in ("unknown", "amd"):
            assert found == "ok"
        elif spelling.kind == "slice":
            assert found == ("ok" if float(capability) >= 8 else "failed")
        elif spelling.kind == "model":
            assert found == ("ok" if capability == filter_of(spelling.name) else "failed")
    assert bool(no_expectations([asked])) is (spelling.kind == "unknown")


@ALL
def test_the_inventory_gives_what_the_filter_and_the_verdict_take(spelling: Spelling) -> None:
    variables = gpu_variables([Gres("gpu", spelling.name, 4)], {})
    if spelling.slice is not None:
        assert variables == {}
    elif spelling.kind == "unknown":
        assert variables == {"hpc_gpu_count": 4}
    else:
        assert variables == {"hpc_gpu_count": 4, "hpc_gpu_type": spelling.name}


@ALL
def test_the_report_expects_what_the_verdict_expects(spelling: Spelling) -> None:
    variables = {"hpc_gpu_count": 4, "hpc_gpu_type": spelling.name}
    expected = make_expectation(variables, False)
    assert expected["cuda"] is True
    assert expected["devices"] == (None if spelling.slice else 4)
    assert expected["gpu"] == ([] if spelling.kind == "unknown" else [spelling.name])


@pytest.mark.parametrize("name", ["NVIDIA A100-SXM4-80GB MIG 3g.40gb", "h100_1g.12gb+me", "1080ti", "GRID A100D-40C"])
def test_the_filter_itself_chooses_for_names_of_nvidia_smi_and_of_sites(name: str) -> None:
    assert torch_build([name])["capabilities"] == [filter_of(name)]
