# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the app, read by Ruby as Open OnDemand reads them."""

from __future__ import annotations

import grp
import json
import os
import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.ondemand_app_files import ondemand_app_files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.value import quoted, value_of

NODES = {"n1": {"Gres": "gpu:titan:2"}, "n2": {"CPUTot": "64", "RealMemory": "64000"}}
BOTH = {"titan": {"Nodes": "n1"}, "cpu": {"Nodes": "n2"}}


def selection(node_type, gpus="1", cores="1", memory="1", hours="1", **more):
    fields = {"num_gpus": gpus, "num_cores": cores, "memory_gb": memory, "bc_num_hours": hours}
    return {"node_type": node_type, **fields, **more}


def options(answer, field="node_type"):
    """The options of a select: label, value, and their attributes as one dictionary."""
    found = []
    for label, value, *attributes in answer["form"]["attributes"][field]["options"]:
        found.append((label, value, {key: one for pair in attributes for key, one in pair.items()}))
    return found


def test_each_place_sets_the_limits_of_the_other_fields(facts, ruby):
    answer = ruby(ondemand_app_files(facts(BOTH, NODES)))
    assert answer["form"]["cluster"] == "campus"
    assert options(answer) == [
        (
            "titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 2 hours",
            "titan",
            {
                "data-max-num-gpus": 2,
                "data-hide-num-gpus": False,
                "data-max-num-cores": 16,
                "data-max-memory-gb": 3,
                "data-hide-memory-gb": False,
                "data-max-bc-num-hours": 2,
            },
        ),
        (
            "cpu: up to 64 CPUs, 62 GB, 2 hours",
            "cpu",
            {
                "data-max-num-gpus": 0,
                "data-hide-num-gpus": True,
                "data-max-num-cores": 64,
                "data-max-memory-gb": 62,
                "data-hide-memory-gb": False,
                "data-max-bc-num-hours": 2,
            },
        ),
    ]
    fields = answer["form"]["attributes"]
    assert {name: fields[name]["max"] for name in ("num_gpus", "num_cores", "memory_gb", "bc_num_hours")} == {
        "num_gpus": 2,
        "num_cores": 64,
        "memory_gb": 62,
        "bc_num_hours": 2,
    }
    assert [name for name in answer["form"]["form"] if name not in fields] == []


def test_a_choice_becomes_options_for_sbatch(facts, ruby):
    files = ondemand_app_files(facts({**BOTH, "tiny": {"Nodes": "n3"}}, {**NODES, "n3": {"RealMemory": "500"}}))
    answer = ruby(
        files,
        selection("titan", gpus="2", cores="16", memory="3", hours="2"),
        selection("titan", gpus="0"),
        selection("cpu", gpus="1", memory="62"),
        selection("tiny", memory="9"),
    )
    same = ["--nodes=1", "--ntasks=1"]
    assert [one["script"]["native"] for one in answer["submitted"]] == [
        ["--partition=titan", *same, "--cpus-per-task=16", "--mem=3G", "--gres=gpu:titan:2"],
        ["--partition=titan", *same, "--cpus-per-task=1", "--mem=1G"],
        # The field is hidden there.
        ["--partition=cpu", *same, "--cpus-per-task=1", "--mem=62G"],
        ["--partition=tiny", *same, "--cpus-per-task=1"],
    ]


@pytest.mark.parametrize(
    "given, refusal",
    [
        ({"gpus": "3"}, "expected GPUs from 0 to 2 for titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 2 hours; found 3"),
        ({"gpus": "-1"}, "expected GPUs from 0 to 2"),
        ({"gpus": "1.5"}, "found 1.5; remedy: choose such a number"),
        ({"gpus": "1 --qos=x"}, "found 1 --qos=x"),
        ({"gpus": ""}, "expected GPUs from 0 to 2"),
        ({"cores": "17"}, "expected CPUs from 1 to 16"),
        ({"cores": "0"}, "expected CPUs from 1 to 16"),
        ({"memory": "4"}, "expected GB of memory from 1 to 3"),
        ({"hours": "3"}, "expected hours from 1 to 2"),
    ],
)
def test_what_the_form_does_not_offer_is_refused_without_a_browser_too(facts, ruby, given, refusal):
    (answer,) = ruby(ondemand_app_files(facts(BOTH, NODES)), selection("titan", **given))["submitted"]
    assert refusal in answer["refused"] and "; remedy: " in answer["refused"]


def test_a_place_that_is_gone_is_named(facts, ruby):
    (answer,) = ruby(ondemand_app_files(facts(BOTH, NODES)), selection("h100"))["submitted"]
    assert answer == {
        "refused": "expected a place from the list; found h100; remedy: reload the page, the cluster has changed"
    }


def test_a_partition_of_a_group_is_shown_to_its_members(facts, ruby):
    mine = grp.getgrgid(os.getgid()).gr_name
    other = next(group.gr_name for group in grp.getgrall() if group.gr_gid not in [*os.getgroups(), os.getgid()])
    partitions = {
        "mine": {"Nodes": "n1", "AllowGroups": "nogroup-of-this-name," + mine},
        "theirs": {"Nodes": "n1", "AllowGroups": other},
        "cpu": {"Nodes": "n2"},
    }
    answer = ruby(ondemand_app_files(facts(partitions, NODES)))
    assert [value for _label, value, _limits in options(answer)] == ["mine", "cpu"]


def test_accounts_and_qualities_of_service_that_a_place_refuses_are_hidden(facts, ruby):
    partitions = {**BOTH, "own": {"Nodes": "n1", "AllowAccounts": "physics", "DenyQos": "long"}}
    files = ondemand_app_files(facts(partitions, NODES), accounts=["physics", "chemistry"], qos=["long", "short"])
    answer = ruby(
        files,
        selection("own", account="physics", qos="short"),
        selection("own", account="chemistry", qos="short"),
        selection("own", account="physics", qos="long"),
    )
    assert options(answer, "account") == [
        ("physics", "physics", {}),
        ("chemistry", "chemistry", {"data-option-for-node-type-own": False}),
    ]
    assert options(answer, "qos") == [
        ("long", "long", {"data-option-for-node-type-own": False}),
        ("short", "short", {}),
    ]
    good, account, qos = answer["submitted"]
    assert good["script"]["native"][-2:] == ["--account=physics", "--qos=short"]
    assert "expected the account to be one of physics for own: " in account["refused"]
    assert "expected the quality of service to be one of short for own: " in qos["refused"]


def test_without_accounts_there_is_no_such_field(facts, ruby):
    answer = ruby(ondemand_app_files(facts(BOTH, NODES)), selection("titan"))
    assert "account" not in answer["form"]["form"] and "qos" not in answer["form"]["form"]
    assert not [word for word in answer["submitted"][0]["script"]["native"] if "account" in word or "qos" in word]


HOSTILE = "<%= exit %> #{exit} \"'\\ : - # %> \u00e9"


def test_texts_of_the_site_stay_texts(facts, ruby):
    files = ondemand_app_files(
        facts(BOTH, NODES),
        title=HOSTILE,
        description=HOSTILE + "\U0001f600",
        cluster=HOSTILE,
        jupyter_prefix="/opt/" + HOSTILE,
        accounts=[HOSTILE],
    )
    answer = ruby(files, selection("titan", account=HOSTILE))
    assert (answer["manifest"]["name"], answer["manifest"]["description"]) == (HOSTILE, HOSTILE + "\U0001f600")
    assert answer["form"]["cluster"] == HOSTILE
    assert answer["form"]["attributes"]["jupyter_prefix"] == "/opt/" + HOSTILE
    assert options(answer, "account") == [(HOSTILE, HOSTILE, {})]
    assert answer["submitted"][0]["script"]["native"][-1] == "--account=" + HOSTILE


def test_names_of_slurm_stay_names(facts, ruby):
    partitions = {"a100.q": {"Nodes": "n1"}, "gpu_long": {"Nodes": "n1"}, "GPU-2": {"Nodes": "n1"}}
    answer = ruby(ondemand_app_files(facts(partitions, {"n1": {"Gres": "gpu:1g.10gb:7"}})))
    found = options(answer)
    assert [label.split(":")[0] for label, _value, _limits in found] == ["a100.q", "gpu_long", "GPU-2"]
    answer = ruby(
        ondemand_app_files(facts(partitions, {"n1": {"Gres": "gpu:1g.10gb:7"}})),
        *(selection(value) for _label, value, _limits in found),
    )
    assert [one["script"]["native"][0] for one in answer["submitted"]] == [
        "--partition=a100.q",
        "--partition=gpu_long",
        "--partition=GPU-2",
    ]


def test_the_same_for_another_portal(facts):
    found = json.loads(
        ondemand_app_files(facts({**BOTH, "shut": {"Nodes": "n1", "State": "DOWN"}}, NODES))["choices.json"]
    )
    assert found["cluster"] == "campus" and found["left_out"] == {"shut": "its state is down"}
    assert found["choices"][0] == {
        "value": "titan",
        "label": "titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 2 hours",
        "partition": "titan",
        "default": False,
        "gpu_type": "titan",
        "max_gpus": 2,
        "max_cpus": 16,
        "max_memory_gb": 3,
        "max_hours": 2,
        "groups": None,
        "accounts": [],
        "qos": [],
    }


def test_a_feature_becomes_a_constraint_where_the_place_has_it(facts, ruby):
    nodes = {"n1": {"Gres": "gpu:titan:2", "ActiveFeatures": "ib"}, "n2": {"ActiveFeatures": "rack1"}}
    files = ondemand_app_files(facts(BOTH, nodes), features=["ib", "nvlink"])
    answer = ruby(
        files,
        selection("titan", feature="ib"),
        selection("titan", feature=""),
        selection("cpu", feature=""),
        selection("cpu", feature="ib"),
        selection("titan", feature="ib&rack1"),
    )
    assert options(answer)[0][0] == "titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 2 hours, with ib"
    # No node has nvlink.
    assert options(answer, "feature") == [("any", "", {}), ("ib", "ib", {"data-option-for-node-type-cpu": False})]
    with_it, without, other, *refused = answer["submitted"]
    assert with_it["script"]["native"][-1] == "--constraint=ib"
    for one in (without, other):
        assert not [word for word in one["script"]["native"] if "constraint" in word]
    assert refused[0]["refused"] == (
        "expected no feature for cpu: up to 16 CPUs, 3 GB, 2 hours; found ib; remedy: choose any, or another place"
    )
    assert "found ib&rack1; remedy: choose one of them" in refused[1]["refused"]
    assert [one["features"] for one in json.loads(files["choices.json"])["choices"]] == [["ib"], []]
    # A cluster of which no node has one has no such field.
    assert "feature" not in ruby(ondemand_app_files(facts(BOTH, nodes), features=["nvlink"]))["form"]["form"]


def test_values_from_the_command_line_are_texts(facts):
    names = {"accounts": ["bio", "chem"], "qos": ["long"], "features": ["ib"], "exclude": ["titan"]}
    nodes = {name: {**node, "AvailableFeatures": "ib", "ActiveFeatures": "ib"} for name, node in NODES.items()}
    texts = {option: ",".join(given) for option, given in names.items()}
    expected = ondemand_app_files(facts(BOTH, nodes), **names, max_hours=3)
    assert ondemand_app_files(facts(BOTH, nodes), **texts, max_hours="3") == expected


@pytest.mark.parametrize("wrong", ["ib&rack1", "[ib]", "a,b", "", "-x", "a b", "ib*2"])
def test_a_feature_that_is_no_name_is_refused(facts, wrong):
    with pytest.raises(AnsibleFilterError, match="expected features to be names, of the characters"):
        ondemand_app_files(facts(BOTH, NODES), features=[wrong])


def test_the_same_facts_give_the_same_bytes(facts):
    assert ondemand_app_files(facts(BOTH, NODES)) == ondemand_app_files(facts(BOTH, NODES))


@pytest.mark.parametrize(
    "partitions, more, message",
    [
        (
            {"titan": {"Nodes": "n1", "State": "DOWN"}},
            {},
            "a partition that a session can run in; found titan: its state",
        ),
        (BOTH, {"max_hours": 0}, "expected max_hours to be a number of hours from 1; found 0"),
        (BOTH, {"jupyter_prefix": ["/opt/lab"]}, "expected jupyter_prefix to be an absolute path; found ['/opt/lab']"),
        (BOTH, {"jupyter_prefix": ""}, "expected jupyter_prefix to be an absolute path; found ''"),
        (BOTH, {"max_hours": "12h"}, "expected max_hours to be a number of hours from 1; found 12h"),
    ],
)
def test_what_cannot_be_built_is_refused(facts, partitions, more, message):
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        ondemand_app_files(facts(partitions, NODES), **more)


def test_facts_without_access_are_refused(facts):
    slurm = facts(BOTH, NODES)
    for partition in slurm["partitions"]:
        del partition["access"]
    with pytest.raises(AnsibleFilterError, match="expected what slurm_info returns with access=true"):
        ondemand_app_files(slurm)


@pytest.mark.parametrize("word", ["titan", "a100", "gpu"])
def test_a_plain_name_is_its_own_value(word):
    assert value_of([word]) == word


@pytest.mark.parametrize(
    "words", [["gpu_long"], ["GPU-2"], ["a100.q"], ["gpu4x"], ["titan", "titan"], ["\u663e\u5361"], ["2gpu"], [""]]
)
def test_any_other_name_becomes_letters(words):
    assert re.fullmatch("[a-z]+", value_of(words))


def test_other_names_have_other_values():
    words = [["gpu_long"], ["gpu-long"], ["gpulong"], ["gpu", "long"], ["GPULONG"]]
    assert len({value_of(one) for one in words}) == len(words)


def test_no_tag_and_no_value_of_rubys_is_left_in_a_text():
    assert quoted("<%= #{x} %>\u00e9") == '"\\u003c\\u0025= \\u0023{x} \\u0025>\\u00e9"'
