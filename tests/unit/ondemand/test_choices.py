# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session may ask for. tests/judges/form.py asks real Slurms the same."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.choices import Rules, allows, choices_of

RULES = Rules(max_hours=24)
GPUS = {"n1": {"Gres": "gpu:titan:2"}}


def boxes(found):
    return [(one.partition, one.gpu_type, one.gpus, one.cpus, one.memory_gb, one.hours) for one in found.choices]


def test_a_partition_of_equal_nodes_is_one_choice(facts):
    nodes = {"n1": {"Gres": "gpu:titan:2(S:0-1)"}, "n2": {"Gres": "gpu:titan:2"}}
    found = choices_of(facts({"titan": {"Nodes": "n1,n2"}}, nodes), RULES)
    assert boxes(found) == [("titan", "titan", 2, 16, 3, 2)]
    assert [one.value for one in found.choices] == ["titan"]


def test_no_choice_promises_the_gpus_of_one_node_and_the_memory_of_another(facts):
    nodes = {
        "small": {"Gres": "gpu:a100:8", "CPUTot": "32", "RealMemory": "102400"},
        "wide": {"Gres": "gpu:a100:2", "CPUTot": "128", "RealMemory": "307200"},
        "less": {"Gres": "gpu:a100:2", "CPUTot": "16", "RealMemory": "51200"},
        "big": {"CPUTot": "256", "RealMemory": "1024000"},
        "plain": {"CPUTot": "64", "RealMemory": "51200"},
    }
    found = choices_of(facts({"all": {"Nodes": ",".join(nodes)}}, nodes), RULES)
    assert boxes(found) == [
        ("all", "a100", 8, 32, 100, 2),
        ("all", "a100", 2, 128, 300, 2),
        ("all", None, 0, 256, 1000, 2),
    ]
    values = [one.value for one in found.choices]
    assert len(set(values)) == 3
    for request, offered in (
        (("a100", 8, 32, 100), True),
        (("a100", 3, 33, 1), False),
        (("a100", 2, 128, 300), True),
        ((None, 0, 256, 1000), True),
        (("a100", 1, 129, 1), False),
        (("v100", 1, 1, 1), False),
    ):
        assert allows(found.choices, "all", request, 2) is offered, request
    assert not allows(found.choices, "all", (None, 0, 1, 1), 3)
    assert not allows(found.choices, "titan", (None, 0, 1, 1), 1)


FEATURES = RULES._replace(features=("ib", "nvlink", "absent"))


def test_a_feature_is_offered_with_what_a_node_that_has_it_has_too(facts):
    nodes = {
        "big": {"Gres": "gpu:a100:8", "CPUTot": "64", "ActiveFeatures": "nvlink", "AvailableFeatures": "nvlink,ib"},
        "small": {"Gres": "gpu:a100:4", "CPUTot": "32", "ActiveFeatures": "ib,rack1"},
        "less": {"Gres": "gpu:a100:2", "CPUTot": "32", "ActiveFeatures": "ib"},
        "plain": {"Gres": "gpu:a100:4", "CPUTot": "32"},
    }
    partitions = {"all": {"Nodes": ",".join(nodes)}}
    # Without features the small one is within the big one.
    assert boxes(choices_of(facts(partitions, nodes), RULES)) == [("all", "a100", 8, 64, 3, 2)]
    found = choices_of(facts(partitions, nodes), FEATURES).choices
    assert [(one.gpus, one.cpus, one.features) for one in found] == [(8, 64, ("nvlink",)), (4, 32, ("ib",))]
    for box, feature, offered in (
        (("a100", 8, 64, 3), "", True),
        (("a100", 8, 64, 3), "nvlink", True),
        (("a100", 4, 32, 3), "ib", True),
        (("a100", 5, 1, 1), "ib", False),
        (("a100", 1, 33, 1), "ib", False),
        ((None, 0, 33, 1), "ib", False),
        ((None, 0, 32, 1), "ib", True),
        (("a100", 1, 1, 1), "rack1", False),
        (("a100", 1, 1, 1), "absent", False),
    ):
        assert allows(found, "all", box, 2, feature) is offered, (box, feature)


def test_nodes_of_one_shape_with_other_features_have_names_of_their_own(facts):
    nodes = {"n1": {"Gres": "gpu:2", "ActiveFeatures": "ib"}, "n2": {"Gres": "gpu:2", "ActiveFeatures": "nvlink"}}
    found = choices_of(facts({"all": {"Nodes": "n1,n2"}}, nodes), FEATURES).choices
    assert [one.features for one in found] == [("ib",), ("nvlink",)] and len({one.value for one in found}) == 2
    alone = choices_of(facts({"all": {"Nodes": "n1"}}, {"n1": nodes["n1"]}), FEATURES).choices
    assert [(one.value, one.features) for one in alone] == [("all", ("ib",))]


def test_types_of_one_node_are_choices_of_their_own(facts):
    found = choices_of(facts({"mig": {"Nodes": "n1"}}, {"n1": {"Gres": "gpu:1g.10gb:7,gpu:3090:2,shard:8"}}), RULES)
    assert boxes(found) == [("mig", "1g.10gb", 7, 16, 3, 2), ("mig", "3090", 2, 16, 3, 2)]


def test_gpus_without_types_and_nodes_without_gpus(facts):
    partitions = {"any": {"Nodes": "n1"}, "cpu": {"Nodes": "n2"}}
    found = choices_of(facts(partitions, {"n1": {"Gres": "gpu:4"}, "n2": {}}), RULES)
    assert boxes(found) == [("any", None, 4, 16, 3, 2), ("cpu", None, 0, 16, 3, 2)]


@pytest.mark.parametrize(
    "partition, node, expected",
    [
        ({"MaxCPUsPerNode": "10"}, {}, (2, 10, 3, 2)),
        ({"MaxCPUsPerNode": "UNLIMITED"}, {}, (2, 16, 3, 2)),
        ({"MaxMemPerNode": "2048"}, {}, (2, 16, 2, 2)),
        # Slurm gives such a job more processors.
        ({"MaxMemPerCPU": "100"}, {}, (2, 16, 3, 2)),
        ({}, {"CPUEfctv": "12", "CoreSpecCount": "4"}, (2, 12, 3, 2)),
        ({}, {"MemSpecLimit": "1000"}, (2, 16, 2, 2)),
        ({}, {"RealMemory": "1"}, (2, 16, 0, 2)),
        ({"MaxTime": "UNLIMITED"}, {}, (2, 16, 3, 24)),
        ({"MaxTime": "119"}, {}, (2, 16, 3, 1)),
        ({"MaxTime": "7-00:00:00"}, {}, (2, 16, 3, 24)),
    ],
)
def test_limits_of_a_partition_and_what_slurm_keeps_for_itself(facts, partition, node, expected):
    found = choices_of(facts({"titan": {"Nodes": "n1", **partition}}, {"n1": {"Gres": "gpu:titan:2", **node}}), RULES)
    assert boxes(found) == [("titan", "titan", *expected)]


@pytest.mark.parametrize(
    "partition, reason",
    [
        ({"State": "DOWN"}, "its state is down"),
        ({"State": "DRAIN"}, "its state is drain"),
        ({"State": "INACTIVE"}, "its state is inactive"),
        ({"Hidden": "YES"}, "it is hidden"),
        ({"RootOnly": "YES"}, "only root may submit to it"),
        ({"ReqResv": "YES"}, "a job there needs a reservation"),
        ({"MinNodes": "2"}, "a job there has at least 2 nodes"),
        ({"MaxTime": "59"}, "a job there runs for less than an hour"),
        ({"AllocNodes": "login01"}, "jobs for it are submitted on other hosts"),
        ({"AllowAccounts": "physics"}, "it takes none of the form's accounts"),
        ({"AllowQos": "long"}, "it takes none of the form's qualities of service"),
    ],
)
def test_a_partition_that_no_user_could_use_is_left_out(facts, partition, reason):
    partitions = {"titan": {"Nodes": "n1", **partition}, "open": {"Nodes": "n1"}}
    found = choices_of(facts(partitions, GPUS), RULES)
    assert found.left_out == {"titan": reason}
    assert [one.partition for one in found.choices] == ["open"]


@pytest.mark.parametrize(
    "partition, rules",
    [
        ({"AllocNodes": "portal,login01"}, RULES._replace(submit_host="portal")),
        ({"AllowAccounts": "physics"}, RULES._replace(accounts=("physics",))),
        ({"DenyAccounts": "physics"}, RULES),
        ({"AllowQos": "long,short"}, RULES._replace(qos=("short",))),
        ({"MinNodes": "1", "AllowGroups": "ALL", "AllowAccounts": "ALL", "AllocNodes": "ALL"}, RULES),
    ],
)
def test_a_partition_that_users_can_use_is_offered(facts, partition, rules):
    found = choices_of(facts({"titan": {"Nodes": "n1", **partition}}, GPUS), rules)
    assert (found.left_out, len(found.choices)) == ({}, 1)


def test_the_site_leaves_a_partition_out(facts):
    found = choices_of(facts({"titan": {"Nodes": "n1"}}, GPUS), RULES._replace(exclude=("titan",)))
    assert found.left_out == {"titan": "the site leaves it out"}


@pytest.mark.parametrize(
    "state, in_service",
    [
        ("IDLE", True),
        ("MIXED", True),
        ("ALLOCATED+PLANNED", True),
        ("IDLE+CLOUD+POWERED_DOWN", True),
        ("IDLE~", True),
        ("IDLE+MAINTENANCE+RESERVED", True),
        ("DOWN", False),
        ("DOWN*", False),
        ("IDLE*", False),
        ("IDLE+DRAIN", False),
        ("MIXED+DRAIN", False),
        ("UNKNOWN", False),
        ("FUTURE", False),
        ("IDLE+FAIL", False),
    ],
)
def test_a_node_that_runs_no_job_does_not_count(facts, state, in_service):
    found = choices_of(facts({"titan": {"Nodes": "n1"}}, {"n1": {"State": state}}), RULES)
    assert bool(found.choices) is in_service
    assert found.left_out == ({} if in_service else {"titan": "none of its nodes is in service"})


def test_accounts_and_qualities_of_service_that_a_choice_takes(facts):
    partitions = {
        "open": {"Nodes": "n1"},
        "own": {"Nodes": "n1", "AllowAccounts": "physics", "AllowQos": "long"},
        "others": {"Nodes": "n1", "DenyAccounts": "physics", "DenyQos": "long"},
    }
    rules = RULES._replace(accounts=("physics", "chemistry"), qos=("long", "short"))
    found = choices_of(facts(partitions, GPUS), rules)
    assert [(one.partition, one.accounts, one.qos) for one in found.choices] == [
        ("open", ("physics", "chemistry"), ("long", "short")),
        ("own", ("physics",), ("long",)),
        ("others", ("chemistry",), ("short",)),
    ]


def test_the_default_partition_comes_first(facts):
    partitions = {"cpu": {"Nodes": "n1"}, "titan": {"Nodes": "n1", "Default": "YES"}}
    assert [one.partition for one in choices_of(facts(partitions, GPUS), RULES).choices] == ["titan", "cpu"]
