# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory's variables say about a node's GPUs: any GPU means at least one."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_check_expected import torch_check_expected
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.normalise import make_expectation


def gres(*items):
    """The variable slurm_gres: ``gres(("a100", 2))``."""
    return [{"name": "gpu", "type": kind, "count": count} for kind, count in items]


def expected(variables, groups=("compute",)):
    """What the filter reads in these variables of a host."""
    return torch_check_expected(*map(variables.get, ("hpc_gpu_count", "hpc_gpu_type", "slurm_gres")), groups)


SHARDS = [{"name": "shard", "type": None, "count": 8}]
CASES = [
    ({}, None, None, [], "site"),
    ({"hpc_gpu_count": 4}, True, 4, [], "site"),
    ({"hpc_gpu_count": "4", "hpc_gpu_type": "a100"}, True, 4, ["a100"], "site"),
    ({"hpc_gpu_count": 0, "hpc_gpu_type": "a100"}, False, 0, [], "site"),
    # A type without a number, and GPUs that only Slurm knows of.
    ({"hpc_gpu_type": ["h100", ["7.0"]]}, True, None, ["h100", "7.0"], "site"),
    ({"hpc_gpu_type": 7.0}, True, None, ["7.0"], "site"),
    ({"hpc_gpu_type": "ampere", "hpc_gpu_count": 2}, True, 2, ["ampere"], "site"),
    ({"slurm_gres": gres((None, 4))}, True, None, [], "slurm"),
    ({"slurm_gres": []}, None, None, [], "slurm"),
    ({"slurm_gres": SHARDS}, None, None, [], "slurm"),
    # Of slices a process sees one, however the site writes them.
    ({"hpc_gpu_count": 8, "hpc_gpu_type": "a100_1g.5gb"}, True, None, ["a100_1g.5gb"], "site"),
    ({"hpc_gpu_count": 8, "hpc_gpu_type": ["a100", "a100_10gb"]}, True, None, ["a100", "a100_10gb"], "site"),
    ({"slurm_gres": gres(("1g.5gb", 7))}, True, None, [], "slurm"),
    ({"slurm_gres": gres(("h100-47", 4)), "hpc_gpu_count": 4}, True, None, [], "slurm"),
    # What the inventory took from Slurm, and what the site has changed of it.
    (
        {"slurm_gres": gres(("a100", 2)) + SHARDS, "hpc_gpu_count": 2, "hpc_gpu_type": "a100"},
        True,
        2,
        ["a100"],
        "slurm",
    ),
    ({"slurm_gres": gres(("a100", 2), ("fast", 1)), "hpc_gpu_count": 3}, True, 3, [], "slurm"),
    ({"slurm_gres": [], "hpc_gpu_count": 0}, False, 0, [], "slurm"),
    ({"slurm_gres": gres(("titan", 2)), "hpc_gpu_count": 2, "hpc_gpu_type": "titan-v"}, True, 2, ["titan-v"], "site"),
    ({"slurm_gres": gres(("a100", 2)), "hpc_gpu_count": 4, "hpc_gpu_type": "a100"}, True, 4, ["a100"], "site"),
]


@pytest.mark.parametrize(("variables", "cuda", "devices", "gpu", "source"), CASES)
def test_what_is_expected(variables, cuda, devices, gpu, source):
    found = expected(variables)
    assert found == {"cuda": cuda, "devices": devices, "gpu": gpu, "source": source}
    known = [] if gpu == ["ampere"] else gpu
    assert make_expectation(variables, False) == {"cuda": cuda, "devices": devices, "gpu": known}


@pytest.mark.parametrize("variables", [case[0] for case in CASES])
def test_a_login_node_has_no_gpu(variables):
    assert expected(variables, ["login", "gpus"]) == {"cuda": False, "devices": None, "gpu": [], "source": "site"}
    assert make_expectation(variables, True) == {"cuda": False, "devices": None, "gpu": []}


def test_the_roles_own_variables_come_first():
    variables = {"hpc_gpu_count": 8, "hpc_gpu_type": "a100_1g.5gb", "torch_check_expect_devices": 1}
    assert make_expectation(variables, False) == {"cuda": True, "devices": 1, "gpu": ["a100_1g.5gb"]}
    assert make_expectation({"hpc_gpu_type": "a100", "torch_check_expect_cuda": False}, False)["cuda"] is False


def test_a_login_node_that_takes_jobs_has_its_gpus():
    assert torch_check_expected(2, "a100", None, ["login", "compute"])["devices"] == 2


@pytest.mark.parametrize("count", ["four", -1, 2.5, True, "", [4]])
def test_a_number_that_is_none_is_refused(count):
    with pytest.raises(AnsibleFilterError, match="expected hpc_gpu_count to be the number of GPUs; found"):
        torch_check_expected(count)


@pytest.mark.parametrize("odd", [None, {}, 3, "gpu", [3, None, {}], [{"name": "gpu"}], [{"name": "gpu", "count": "x"}]])
def test_an_odd_gres_says_nothing(odd):
    assert torch_check_expected(None, None, odd)["cuda"] is None
