# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From results to a report, and what is different from the last one."""

from __future__ import annotations

import copy
import json
import math
import pathlib

import jsonschema
import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import VERDICTS
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.build import find_troubles
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.collect import collect, name_inventory, partitions_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.compare import describe_devices, differs, fold_changes
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.schema import SCHEMA_VERSION

from .generate import CAUSES, KINDS, make_cluster, make_result

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = json.loads((CHECKOUT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
LATER = "2026-11-25T08:00:00Z"


def validate(report):
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(files.dump(report)))


def node(report, name):
    return next(item for item in report["nodes"] if item["name"] == name)


def one(make, result, **variables):
    return make({"titan01": {"groups": ["titan"], "torch_check_result": result, **variables}})["nodes"][0]


# --- the schema --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 60, 700])
def test_a_report_is_what_the_schema_says(make, count):
    hosts = make_cluster(count)
    first = make(hosts)
    validate(first)
    del hosts[list(hosts)[-1]]
    hosts["titan-9999"] = {"groups": ["titan"], "torch_check_result": make_result("ok", KINDS[0], 1)}
    validate(make(hosts, first, LATER))


def test_the_schema_is_a_schema_and_says_every_field_and_no_other(make):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert SCHEMA["$defs"]["verdict"]["enum"] == list(VERDICTS)
    report = json.loads(files.dump(make(make_cluster(60))))
    for place in (report, report["totals"], report["nodes"][0], report["nodes"][0]["torch"]):
        for key in list(place):
            kept = place.pop(key)
            assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(report), "%s may be missing" % key
            place[key] = kept
        place["more"] = 1
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(report)
        del place["more"]
    validate(report)


def test_the_documentation_names_every_field_and_every_verdict():
    text = (CHECKOUT / "docs" / "report.md").read_text(encoding="utf-8")

    def fields(schema):
        for name, inner in schema.get("properties", {}).items():
            yield name
            yield from fields(inner)
        for inner in schema.get("$defs", {}).values():
            yield from fields(inner)

    assert [name for name in [*fields(SCHEMA), *VERDICTS] if "`%s`" % name not in text] == []


# --- nodes -------------------------------------------------------------------------------------------------------


def test_every_cause_and_every_verdict_is_counted(make):
    report = make(make_cluster(700))
    totals = report["totals"]
    assert totals["nodes"] == 700 == sum(totals["verdicts"].values())
    assert all(totals["verdicts"][verdict] for verdict in VERDICTS)
    assert {cause[0] for cause in CAUSES} | {"node_unreachable"} == set(totals["codes"])
    assert [row["name"] for row in report["partitions"]] == ["a100", "h100", "tesla", "titan", "login"]
    assert sum(row["nodes"] for row in report["partitions"]) == 700


def test_a_host_of_the_run_without_a_result_has_failed(make):
    report = make({"titan01": {"groups": ["titan"]}})
    assert report["nodes"][0]["verdict"] == "failed"
    assert report["nodes"][0]["reasons"][0]["code"] == "no_result"
    assert report["totals"]["codes"] == {"no_result": 1}


def test_a_host_that_was_not_part_of_the_run_keeps_what_is_known(make, cluster):
    first = make(cluster)
    name = next(item["name"] for item in first["nodes"] if item["verdict"] == "ok")
    fresh = copy.deepcopy(cluster)
    fresh[name]["torch_check_result"] = make_result("failed", KINDS[0], 1)
    # A host that was never checked, and one that another run has checked.
    fresh["titan-0500"] = {"groups": ["titan"], "torch_check_result": make_result("ok", KINDS[0], 1)}
    second = make(fresh, first, LATER, limit=[name])
    assert node(second, name)["verdict"] == "failed" and node(second, name)["checked"] == LATER
    assert node(second, "titan-0500")["verdict"] == "not_checked" and node(second, "titan-0500")["checked"] is None
    others = [item for item in second["nodes"] if item["name"] not in (name, "titan-0500")]
    assert others == [item for item in first["nodes"] if item["name"] != name]
    validate(second)


def test_a_host_in_two_partitions_counts_in_both_and_once_in_all(make):
    result = make_result("ok", KINDS[0], 1)
    report = make({"n1": {"groups": ["titan", "all-gpus"], "torch_check_result": result}, "n2": {"groups": ["login"]}})
    assert [(row["name"], row["nodes"]) for row in report["partitions"]] == [
        ("all-gpus", 1),
        ("titan", 1),
        ("login", 1),
    ]
    assert report["totals"]["nodes"] == 2


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"cuda": None, "devices": None, "gpu": []}),
        ({"hpc_gpu_count": 4, "hpc_gpu_type": "v100"}, {"cuda": True, "devices": 4, "gpu": ["v100"]}),
        ({"hpc_gpu_count": 4, "torch_check_expect_devices": 2}, {"cuda": True, "devices": 2, "gpu": []}),
        ({"hpc_gpu_count": "4", "hpc_gpu_type": ["v100", "7.0"]}, {"cuda": True, "devices": 4, "gpu": ["v100", "7.0"]}),
        ({"hpc_gpu_count": 0, "hpc_gpu_type": "v100"}, {"cuda": False, "devices": 0, "gpu": []}),
        ({"torch_check_expect_cuda": True}, {"cuda": True, "devices": None, "gpu": []}),
    ],
)
def test_the_expectation_is_the_inventorys(make, variables, expected):
    assert one(make, make_result("ok", KINDS[0], 1), **variables)["expectation"] == expected


def test_a_login_node_expects_no_gpu_unless_it_is_a_compute_node_too(make):
    result = make_result("cpu_only", None, 1)
    report = make(
        {
            # hpc_gpu_count may be set for all hosts.
            "l1": {"groups": ["login"], "torch_check_result": result, "hpc_gpu_count": 4, "hpc_gpu_type": "v100"},
            "l2": {"groups": ["login", "titan"], "torch_check_result": result},
        }
    )
    assert [item["expectation"]["cuda"] for item in report["nodes"]] == [False, None]
    assert report["nodes"][0]["expectation"]["gpu"] == []
    assert report["nodes"][1]["partitions"] == ["titan", "login"]


WEIRD = [
    None,
    True,
    7,
    "ok",
    [],
    {"verdict": None},
    {"verdict": "fine"},
    {"verdict": ["ok"]},
    {
        "verdict": "ok",
        "devices": "many",
        "reasons": {"a": 1},
        "torch": [],
        "python": 3,
        "driver": ["x"],
        "seconds": "1",
    },
    {
        "verdict": "failed",
        "devices": [None, {"index": -1, "memory": -5, "seconds": math.inf, "passed": "yes", "name": 3}],
    },
    {"verdict": "failed", "reasons": [{}, {"code": None, "message": {"a": 1}}, "text"], "seconds": math.nan},
]


@pytest.mark.parametrize("result", WEIRD)
def test_whatever_a_node_left_the_report_keeps_to_its_schema(make, result):
    report = make({"titan01": {"groups": ["titan"], "torch_check_result": result}})
    validate(report)
    assert all(device["passed"] is False for device in report["nodes"][0]["devices"])


def test_text_from_a_node_is_one_short_line_that_shows_what_is_in_it(make):
    nasty = "a\n\x1b[31mred\x00\u202eevil\ud800" + "x" * 5000
    found = one(make, {"verdict": "failed", "reasons": [{"code": "a b", "message": nasty, "remedy": ""}]})
    message = found["reasons"][0]["message"]
    assert message.startswith(r"a \x1b[31mred\x00\u202eevil\ud800xxx") and len(message) == 2000
    json.dumps(found, ensure_ascii=False).encode("utf-8")


def test_what_a_node_printed_keeps_its_indents_and_is_bounded(make):
    printed = "first\n" * 100 + "  File\x1b[2J\u202e\ud800\u2028x\r\n\n" + "y" * 5000 + "\n"
    for result in (
        {"verdict": "failed", "output": printed, "node": {"kernel_log": [None, 7, *printed.split("\n")]}},
        {"verdict": "failed", "output": printed, "node": {"kernel_log": "text"}, "driver": "1"},
    ):
        found = one(make, result)
        for lines in (found["output"], found["kernel_log"]):
            assert len(lines) <= 20 and all(len(line) <= 300 for line in lines)
        assert found["output"][-2:] == [r"  File\x1b[2J\u202e\ud800\u2028x", "y" * 297 + "..."]
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    for odd in (None, 7, {"a": 1}, [None, {"b": 2}]):
        found = one(make, {"verdict": "failed", "output": odd, "node": odd})
        assert found["output"] == found["kernel_log"] == []


# --- groups of the inventory -------------------------------------------------------------------------------------


class Inventory:
    """What Ansible's inventory has, as far as it is asked."""

    class Group:
        def __init__(self, name, children=()):
            self.name = name
            self.child_groups = [Inventory.Group(child) for child in children]

    def __init__(self):
        self.groups = {"compute": self.Group("compute", ["titan", "empty"])}


class HostVars(dict):
    def __init__(self, inventory):
        super().__init__()
        self._inventory = inventory


GROUPS = {"compute": ["n1", "n2"], "titan": ["n1"], "fast": ["n1", "n2"], "empty": [], "login": ["l1"]}


def test_partitions_are_the_children_of_compute():
    assert partitions_of(GROUPS, HostVars(Inventory())) == ["empty", "titan"]


def test_without_an_inventory_they_are_the_groups_within_compute():
    assert partitions_of(GROUPS, {}) == ["fast", "titan"]


def test_a_compute_node_of_no_child_group_and_a_host_of_neither_have_a_place_too():
    hosts = {"n2": {}, "other": {}, "n1": {}, "l1": {}}
    found = collect(["n1", "n2", "other", "l1"], GROUPS, ["titan"], hosts, LATER)
    assert {item["name"]: item["partitions"] for item in found} == {
        "n1": ["titan"],
        "n2": ["compute"],
        "l1": ["login"],
        "other": ["other"],
    }


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        (["/x/inventories/campus"], "campus"),
        (["/x/inventories/campus/hosts.yml"], "campus"),
        (["/x/mine.yml"], "mine"),
        (["localhost,"], "localhost"),
        (["/x/a", "/x/b.ini"], "a, b"),
        ([], "no inventory"),
    ],
)
def test_an_inventory_has_a_name(sources, name):
    assert name_inventory(sources) == name


# --- what to fix -------------------------------------------------------------------------------------------------


def test_failed_nodes_with_the_same_reason_are_one_trouble(make):
    hosts = {
        "n%d" % number: {"groups": ["titan"], "torch_check_result": make_result("failed", KINDS[0], number, cause)}
        for number, cause in enumerate([1, 1, 1, 15, 15, 0])
    }
    for number in range(9, 13):
        hosts["n%d" % number] = {"groups": ["titan"], "torch_check_result": make_result("unreachable", None, 1)}
    hosts["login"] = {"groups": ["login"], "torch_check_result": make_result("cpu_only", None, 1)}
    # The largest first, also if its verdict is not the worst.
    troubles = find_troubles(make(hosts)["nodes"])
    assert [(trouble.reason["code"], trouble.nodes) for trouble in troubles] == [
        ("node_unreachable", ["n9", "n10", "n11", "n12"]),
        ("no_driver", ["n0", "n1", "n2"]),
        ("probe_timeout", ["n3", "n4"]),
        ("cpu_only_build", ["n5"]),
    ]
    assert [trouble.alike for trouble in troubles[1:3]] == [True, False]


def test_a_node_that_failed_an_expectation_alone_says_so(make):
    result = dict(make_result("ok", KINDS[0], 1), verdict="failed", summary="failed: expected no CUDA device, found 4")
    (trouble,) = find_troubles(make({"n1": {"groups": ["login"], "torch_check_result": result}})["nodes"])
    assert trouble.reason["code"] == "expectation_unmet" and "expected no CUDA device" in trouble.reason["message"]


# --- changes -----------------------------------------------------------------------------------------------------


def test_there_are_none_where_there_was_no_report(make, cluster):
    assert make(cluster)["changes"] == {"since": None, "nodes": []}


def test_times_alone_are_no_difference(make, cluster):
    first = make(cluster)
    for variables in cluster.values():
        variables["torch_check_result"]["seconds"] = 99.0
        for device in variables["torch_check_result"]["devices"]:
            device["seconds"] = 0.5
    second = make(cluster, first, LATER)
    assert not differs(first, second) and second["changes"] == {"since": "2026-11-24T08:00:00Z", "nodes": []}
    assert second["nodes"] != first["nodes"]


BREAKS = [
    (lambda result: result.update(verdict="failed", devices=[]), {"verdict", "devices"}),
    (lambda result: result["torch"].update(version="2.14.0"), {"torch"}),
    (lambda result: result["torch"].update(cuda="13.0"), {"CUDA"}),
    (lambda result: result["python"].update(version="3.13.0"), {"python"}),
    (lambda result: result.update(driver="590.1"), {"driver"}),
    (lambda result: result["devices"].pop(), {"devices"}),
    (lambda result: result["devices"][0].update(memory=2**30), {"devices"}),
    (lambda result: result["reasons"].append({"code": "mig", "message": "on", "remedy": "off"}), set()),
    (lambda result: result.update(verdict="unreachable"), {"verdict"}),
]


@pytest.mark.parametrize(("change", "what"), BREAKS)
def test_what_is_different_is_a_change(make, cluster, change, what):
    first = make(cluster)
    changed = copy.deepcopy(cluster)
    change(changed["titan-0001"]["torch_check_result"])
    second = make(changed, first, LATER)
    assert differs(first, second)
    assert {item["what"] for item in second["changes"]["nodes"]} == what
    assert {item["node"] for item in second["changes"]["nodes"]} <= {"titan-0001"}


def test_nodes_come_and_go(make, cluster):
    first = make(cluster)
    gone = cluster.pop("titan-0001")
    cluster["titan-0900"] = gone
    changes = make(cluster, first, LATER)["changes"]["nodes"]
    assert changes == [
        {"node": "titan-0001", "what": "gone", "before": "ok", "after": None},
        {"node": "titan-0900", "what": "new", "before": None, "after": "ok"},
    ]


def test_the_same_change_of_many_nodes_is_one_line(make, cluster):
    first = make(cluster)
    for variables in cluster.values():
        variables["torch_check_result"]["torch"]["version"] = "2.14.0"
    cluster["titan-0001"]["torch_check_result"]["verdict"] = "failed"
    groups = fold_changes(make(cluster, first, LATER)["changes"])
    assert [(group.what, group.before, group.after) for group in groups][:2] == [
        ("verdict", "ok", "failed"),
        ("torch", "2.13.0", "2.14.0"),
    ]
    assert len(groups[1].nodes) > 40


def test_devices_are_counted_by_kind(make):
    result = make_result("ok", KINDS[0], 1)
    result["devices"][3].update(name=None, memory=None)
    assert describe_devices(one(make, result)["devices"]) == "3 x NVIDIA TITAN V (7.0, 12 GiB); 1 x unnamed (7.0)"
    assert describe_devices([]) is None
