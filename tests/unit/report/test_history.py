# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when a node is as it is, what is new, and how old a check is."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.compare import differs
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.history import (
    describe_span,
    is_new,
    later,
    mostly_checked,
    refresh,
    seconds_between,
)

from .generate import KINDS, make_result
from .test_build import validate

DAYS = ["2026-11-%02dT08:00:00Z" % day for day in range(20, 30)]
OK = make_result("ok", KINDS[0], 1)
NO_DRIVER = make_result("failed", KINDS[0], 1, 1)
NO_UVM = make_result("failed", KINDS[0], 1, 7)
GONE = make_result("unreachable", None, 1)
LEFT = {"verdict": "not_checked", "summary": "not_checked: powered down", "reasons": [], "devices": []}


def days(make, *results):
    """The node's entry in the last of daily reports, and that report."""
    report = None
    for day, result in zip(DAYS, results):
        report = make({"n1": {"groups": ["titan"], "torch_check_result": copy.deepcopy(result)}}, report, day)
        validate(report)
    return report["nodes"][0], report


@pytest.mark.parametrize(
    ("results", "since", "before", "failed_since", "new"),
    [
        ([OK], 0, None, None, False),
        ([NO_DRIVER], 0, None, 0, False),
        ([OK, OK, OK], 0, None, None, False),
        ([OK, NO_DRIVER], 1, "ok", 1, True),
        # New for a day, and no longer.
        ([OK, NO_DRIVER, NO_DRIVER], 1, "ok", 1, True),
        ([OK, NO_DRIVER, NO_DRIVER, NO_DRIVER], 1, "ok", 1, False),
        # Another cause is new; the node has failed for as long as before.
        ([OK, NO_DRIVER, NO_DRIVER, NO_UVM], 3, "failed", 1, True),
        ([OK, NO_DRIVER, GONE], 2, "failed", 1, True),
        ([NO_DRIVER, OK, NO_DRIVER], 2, "ok", 2, True),
        ([NO_DRIVER, OK], 1, "failed", None, False),
        # A node that Slurm has powered down in between is neither repaired nor newly failed.
        ([NO_DRIVER, LEFT, NO_DRIVER], 2, "not_checked", 0, False),
        ([NO_DRIVER, LEFT], 1, "failed", 0, False),
        ([OK, LEFT, OK], 2, "not_checked", None, False),
    ],
)
def test_since_when_a_node_is_as_it_is(make, results, since, before, failed_since, new):
    node, report = days(make, *results)
    assert node["since"] == DAYS[since] and node["before"] == before
    assert node["failed_since"] == (None if failed_since is None else DAYS[failed_since])
    assert is_new(node, report) is new


def test_another_message_of_the_same_code_is_the_same_trouble(make):
    other = copy.deepcopy(NO_DRIVER)
    other["reasons"][0]["message"] = "other words"
    assert days(make, OK, NO_DRIVER, other)[0]["since"] == DAYS[1]


def test_a_node_that_was_not_part_of_the_run_keeps_its_history(make):
    hosts = {name: {"groups": ["titan"], "torch_check_result": NO_DRIVER} for name in ("n1", "n2")}
    first = make(hosts, None, DAYS[0])
    second = make(hosts, first, DAYS[1], limit=["n1"])
    assert second["nodes"][1] == first["nodes"][1]


def test_what_a_node_printed_is_no_difference(make):
    later_on = copy.deepcopy(NO_DRIVER)
    later_on.update(output="at 0x7f3a", node={"kernel_log": ["NVRM: pid 4711"]})
    first, second = days(make, NO_DRIVER)[1], days(make, NO_DRIVER, later_on)[1]
    assert not differs(first, second)
    assert second["nodes"][0]["output"] == ["at 0x7f3a"] and second["nodes"][0]["kernel_log"] == ["NVRM: pid 4711"]


def test_a_check_that_finds_the_same_keeps_the_state_and_has_its_own_time(make):
    second = days(make, OK, NO_DRIVER)[1]
    third = days(make, OK, NO_DRIVER, NO_DRIVER)[1]
    kept = refresh(second, third)
    assert kept["generated"] == DAYS[1] and kept["changes"] == second["changes"] != third["changes"]
    assert kept["last_checked"] == kept["nodes"][0]["checked"] == DAYS[2]
    validate(kept)


def test_most_nodes_say_how_old_a_report_is(make):
    hosts = {"n%d" % number: {"groups": ["titan"], "torch_check_result": OK} for number in range(4)}
    first = make(hosts, None, DAYS[0])
    assert mostly_checked(make(hosts, first, DAYS[1], limit=["n1"])) == DAYS[0]
    second = make(hosts, first, DAYS[1], limit=["n1", "n2"])
    assert mostly_checked(second) == DAYS[1]
    # None of the times is that of most: two nodes of the first day, then one each.
    third = make(hosts, make(hosts, first, DAYS[2], limit=["n1"]), DAYS[3], limit=["n2"])
    assert sorted(node["checked"] for node in third["nodes"]) == [DAYS[0], DAYS[0], DAYS[2], DAYS[3]]
    assert mostly_checked(third) == DAYS[2]
    assert mostly_checked(make({"n1": {"groups": ["titan"], "torch_check_result": LEFT}}, None, DAYS[2])) == DAYS[2]


def test_a_report_of_an_earlier_version_is_taken_over(make, tmp_path):
    report = json.loads(files.dump(days(make, NO_DRIVER)[1]))
    for name in ("last_checked", "interval"):
        del report[name]
    for name in ("slurm_node", "since", "before", "failed_since", "output", "kernel_log"):
        del report["nodes"][0][name]
    (tmp_path / "report.json").write_text(json.dumps(report))
    last = files.read_last(str(tmp_path))
    validate(last)
    hosts = {"n1": {"groups": ["titan"], "torch_check_result": NO_DRIVER}}
    node = make(hosts, last, DAYS[3])["nodes"][0]
    assert (node["since"], node["failed_since"], node["before"]) == (DAYS[0], DAYS[0], None)


def test_a_report_with_something_else_for_a_node_is_not_ours(tmp_path):
    (tmp_path / "report.json").write_text('{"schema_version": 1, "nodes": [7]}')
    with pytest.raises(UserError, match="a report that hpc.pytorch wrote"):
        files.read_last(str(tmp_path))


def test_times_are_compared_and_others_are_not():
    assert seconds_between(DAYS[0], DAYS[1]) == 86400
    assert seconds_between("yesterday", DAYS[1]) is None and seconds_between(None, DAYS[1]) is None
    assert later(DAYS[0], 86400) == DAYS[1]
    assert later("yesterday", 1) is None and later(DAYS[0], 10**30) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (86400, "24 hours"),
        (3 * 86400 - 1, "2 days"),
    ],
)
def test_a_span_has_words(seconds, words):
    assert describe_span(seconds) == words
