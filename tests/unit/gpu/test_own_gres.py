"""No expectation that the inventory takes from a node's own GRES makes a node fail whose GPUs all compute."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.torch_check_expected import torch_check_expected
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import parse_gres
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.plan import gpu_variables
from hypothesis import HealthCheck, given, settings, strategies as st

from .spellings import SPELLINGS
from .test_faces import verdict

# The same nodes every time, so that a failure is one of the code.
COMMON = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
WORDS = st.text("abgmsx0123456789._-", min_size=1, max_size=12).filter(lambda word: not word.isdigit())
LABELS = st.sampled_from([item.name for item in SPELLINGS if not set(item.name) & set(" ():,+")]) | WORDS
ITEMS = st.tuples(st.none() | LABELS, st.integers(1, 8))
DEVICES = st.sampled_from([item.name for item in SPELLINGS if item.kind in ("model", "slice")]) | st.text(max_size=9)


def asked_of(gres: str) -> Asked:
    """What the role asks for, of a node for which Slurm has this GRES."""
    parsed = parse_gres(gres)
    variables = gpu_variables(parsed, {})
    gres_of_node = [item._asdict() for item in parsed]
    found = torch_check_expected(variables.get("hpc_gpu_count"), variables.get("hpc_gpu_type"), gres_of_node)
    cuda = found["cuda"] if found["devices"] is None else None
    return Asked(None, "/p", cuda, found["devices"], found["gpu"], found["source"])


@COMMON
@given(
    st.lists(ITEMS, max_size=3),
    st.sampled_from(["3.5", "7.0", "8.0", "9.0", "12.0"]),
    st.integers(0, 2),
    st.data(),
)
def test_a_node_whose_gpus_all_compute_is_ok(
    items: list[tuple[str | None, int]], capability: str, more: int, data: t.Any
) -> None:
    gres = ",".join("gpu:%s:%d" % item if item[0] else "gpu:%d" % item[1] for item in items)
    asked = asked_of(gres or "(null)")
    assert asked.expect_from == "slurm"
    count = max(1, more if asked.expect_devices is None else asked.expect_devices + more)
    names = data.draw(st.lists(DEVICES, min_size=count, max_size=count))
    assert verdict(asked, *names, capability=capability) == "ok", (gres, names, asked)


def test_one_slice_is_seen_of_many_that_slurm_does_not_call_so() -> None:
    assert verdict(asked_of("gpu:7"), "NVIDIA A100-SXM4-40GB MIG 1g.5gb", capability="8.0") == "ok"


@pytest.mark.parametrize("gres", ["gpu:4", "gpu:a100:4", "gpu:a100:2,gpu:fast:2", "gpu:ampere:4"])
def test_a_gpu_that_slurm_has_and_torch_does_not_see_fails(gres: str) -> None:
    names = ["NVIDIA A100-SXM4-40GB"] * 3
    assert verdict(asked_of(gres), *names, capability="8.0") == "failed"
    assert verdict(asked_of(gres), *names, names[0], capability="8.0") == "ok"


@pytest.mark.parametrize("gres", ["gpu:4", "gpu:a100:4", "gpu:1g.5gb:7", "gpu:ampere:1", "gpu:a100_mig:2"])
def test_a_node_of_slurms_with_gpus_and_none_for_torch_fails(gres: str) -> None:
    """As with a build for the CPU."""
    assert verdict(asked_of(gres), capability="8.0") == "failed"


def test_what_a_person_declares_is_meant() -> None:
    slurm = Asked(None, "/p", None, 2, ["rtx-6000"], "slurm")
    ada = ["NVIDIA RTX 6000 Ada Generation"] * 3
    assert verdict(slurm, *ada, capability="8.9") == "ok"
    for site in (slurm._replace(expect_from="site"), slurm._replace(expect_from="site", expect_gpu=[])):
        assert verdict(site, *ada, capability="8.9") == "failed"
    assert verdict(slurm._replace(expect_from="site", expect_devices=3), *ada, capability="8.9") == "failed"
