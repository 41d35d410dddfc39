# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons copy: as a shell, Ansible and Slurm read it."""

from __future__ import annotations

import shlex

import pytest
from ansible.inventory.manager import split_host_pattern
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import unfold
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.page.copy import (
    groups_of,
    limit_option,
    scontrol_update,
)

from .generate import KINDS, make_result


def nodes(*names, **slurm):
    return [{"name": name, "slurm_node": slurm.get(name, name.partition(".")[0])} for name in names]


def test_ansible_reads_the_names_of_the_nodes_and_no_other():
    names = ["titan-0001", "titan-0002.example.org", "h100"]
    option, value = shlex.split(limit_option(nodes(*names), {"a100"}))
    assert option == "--limit" and split_host_pattern(value) == names


@pytest.mark.parametrize(
    "name", ["titan*", "!titan", "~titan", "@file", "titan[1:3]", "a,b", "a:b", "-x", "a b", "$(id)", "all", "a100", ""]
)
def test_a_name_that_would_select_others_is_not_offered(name):
    assert limit_option(nodes("n1", name), {"all", "a100"}) == ""


def test_a_list_that_is_too_long_for_a_command_is_not_offered():
    many = nodes(*("node%06d.a-long-name.of-a-cluster.example.org" % number for number in range(0, 10000, 2)))
    assert limit_option(many, ()) == "" and scontrol_update(nodes("n1")) != ""


def test_slurm_reads_the_names_in_slurm():
    text = scontrol_update(nodes("titan01.example.org", "titan02.example.org", "login", odd="x y", login=None))
    assert text == "scontrol update NodeName='titan[01-02]' "
    (assignment,) = shlex.split(text)[2:]
    assert unfold(assignment.partition("=")[2]) == ["titan01", "titan02"]
    assert scontrol_update(nodes("n1", n1="$(id)")) == scontrol_update(nodes("login", login=None)) == ""


def test_the_names_in_slurm_are_the_inventorys(make):
    result = make_result("failed", KINDS[0], 1)
    hosts = {
        "n1.example.org": {"groups": ["titan"], "torch_check_result": result},
        "n2.example.org": {"groups": ["titan"], "torch_check_result": result, "slurm_node": "gpu2"},
        "n3": {"groups": ["titan"], "torch_check_result": result, "slurm_node": "x", "torch_check_slurm_node": "gpu3"},
        "login1": {"groups": ["login"], "torch_check_result": result},
    }
    report = make(hosts)
    assert [node["slurm_node"] for node in report["nodes"]] == [None, "n1", "gpu2", "gpu3"]
    assert groups_of(report) >= {"all", "login", "compute", "titan"}
