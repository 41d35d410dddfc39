# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice for the nodes of an environment: what of the inventory and the machine counts. Plain dicts as hostvars."""

from __future__ import annotations

import collections

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.choice import Request, choice

from .test_plan import NOTHING

HERE = "glibc 2.36\nx86_64\nengine"
NODES = {"n1": {"hpc_gpu_type": "a100"}, "n2": {"hpc_gpu_type": "v100"}}


def chosen(hostvars, here=HERE, needs_engine=False, **asked):
    told = []

    def tell():
        told.append(here)
        return here

    request = Request(dict(NOTHING, **asked), "torch", ["compute"], "n1", needs_engine)
    return choice(request, hostvars, {"compute": list(hostvars)}, tell), len(told)


def test_where_nothing_is_declared_no_machine_is_asked():
    made, asked = chosen({"n1": {}})
    assert made.plan.build == {} and asked == 0 and made.has_engine is False


def test_for_the_engine_alone_the_machine_is_asked_once():
    assert chosen({"n1": {}}, needs_engine=True)[0].has_engine is True
    assert chosen({"n1": {}}, here="glibc 2.36\nx86_64", needs_engine=True)[0].has_engine is False
    assert chosen({"n1": {}}, needs_engine=True)[1] == 1
    # With a choice, the same question answers both.
    assert chosen(NODES, source="wheels", gpus=["a100"], needs_engine=True)[1] == 1


def test_the_drivers_of_the_nodes_come_before_the_roles_own():
    hostvars = {"n1": {"torch_env_driver": "525.60.13"}, "n2": {"torch_env_driver": "580.65.06"}}
    made, _asked = chosen(hostvars, source="wheels", drivers=["418.40"])
    assert "525.60.13" in made.plan.messages[0] and "418.40" not in made.plan.messages[0]
    made, _asked = chosen({"n1": {}}, source="wheels", drivers=["580.65.06"])
    assert "580.65.06" in made.plan.messages[0]


def test_the_gpus_of_the_nodes_count_unless_the_role_names_others_or_none():
    made, _asked = chosen(NODES, gpus=None)
    assert "gpus a100 v100" in made.plan.messages[0]
    made, _asked = chosen(NODES, gpus=["h100"])
    assert "gpus h100" in made.plan.messages[0]
    assert chosen(NODES, gpus=[]) == chosen({"n1": {}}, gpus=[])
    assert chosen({"n1": {}}, gpus=None) == chosen({"n1": {}}, gpus=[])


class Counting(dict):
    """The variables of a host, each of which costs a template; counts how often each is read."""

    def __init__(self, values):
        super().__init__(values)
        self.read = collections.Counter()

    def get(self, name, default=None):
        self.read[name] += 1
        return super().get(name, default)


def test_each_variable_of_a_node_is_read_once():
    hostvars = {name: Counting(values) for name, values in NODES.items()}
    made, _asked = chosen(hostvars, gpus=None)
    assert "gpus a100 v100" in made.plan.messages[0]
    assert {name: max(each.read.values()) for name, each in hostvars.items()} == {"n1": 1, "n2": 1}


def test_the_oldest_c_library_of_nodes_and_machine_counts_and_the_declared_platform():
    hostvars = {"n1": {"torch_env_glibc": "2.28"}}
    made, _asked = chosen(hostvars, source="wheels", gpus=["a100"], platform="linux-64")
    assert "glibc 2.28" in made.plan.messages[0] and "platform linux-64" in made.plan.messages[0]
    made, _asked = chosen({"n1": {}}, source="wheels", gpus=["a100"], here="glibc 2.34\naarch64")
    assert "glibc 2.34" in made.plan.messages[0] and "platform linux-aarch64" in made.plan.messages[0]


def test_nodes_of_two_platforms_are_an_error():
    hostvars = {"n1": {"torch_env_platform": "linux-64"}, "n2": {"torch_env_platform": "linux-aarch64"}}
    with pytest.raises(UserError, match="found linux-64 and linux-aarch64"):
        chosen(hostvars, source="wheels")
