# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's answer is JSON of another machine's: what the role and the report make of it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hpc.pytorch.plugins.action.torch_check_result import NOT_KEPT, Options, make_result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import VERDICTS
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.build import make_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.normalise import make_expectation, make_node
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.table import make_table
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check import result

GOOD = {
    "verdict": "ok",
    "summary": "ok: torch 2.9.0",
    "reasons": [{"code": "cpu_only_build", "message": "caf\u00e9 \u4e2d\u6587", "remedy": "none"}],
    "devices": [{"index": 0, "name": "TITAN V", "passed": True, "memory": 12 * 10**9}],
    "torch": {"version": "2.9.0", "cuda": "12.8", "hip": None},
    "python": {"version": "3.12.1", "prefix": "/e"},
    "seconds": 1.5,
}
ESCAPES = "\x1b[2J\x1b]0;x\x07\x9b\r\nok: [n2]\u2028\u202e\u200b"
# What is not an answer: the node is not accused, and does not pass either.
NONE = {
    "another verdict": {"verdict": "fine"},
    "an escape": {"verdict": "ok\n"},
    "a list": {"verdict": ["ok"]},
    "true": {"verdict": True},
    "nothing": {"verdict": None},
    "no summary": {"summary": None},
    "a summary of parts": {"summary": ["x"]},
    "no reasons": {"reasons": None},
    "reasons that are a mapping": {"reasons": {}},
    "reasons of texts": {"reasons": ["x"]},
    "a reason without a remedy": {"reasons": [{"code": "a", "message": "b"}]},
    "a reason of numbers": {"reasons": [{"code": 1, "message": 2, "remedy": 3}]},
    "devices that are a number": {"devices": 10**9},
    "devices of texts": {"devices": ["x"]},
}


@pytest.mark.parametrize("via", ["ssh", "slurm"])
@pytest.mark.parametrize("odd", NONE.values(), ids=NONE)
def test_an_answer_that_is_none(odd, via):
    found = make_result(Options([dict(GOOD, **odd)], via, "n1", "/e"), "n1", False)
    assert found["verdict"] == "unreachable" and found["reasons"][0]["code"] == "node_unreachable"
    assert found["summary"].isprintable() and "not understood" in found["summary"]


# What is taken, but bounded and seen.
TAKEN = {
    "escapes": {"summary": ESCAPES, "reasons": [{"code": ESCAPES, "message": ESCAPES, "remedy": ESCAPES}]},
    "a long summary": {"summary": "x" * 10**7},
    "a million reasons": {"reasons": [{"code": "a", "message": "b", "remedy": "c"}] * 10**6},
    "a million devices": {"devices": [{"index": 0}] * 10**6},
    "a device of escapes": {"devices": [{"index": ESCAPES, "name": ESCAPES, "error": ESCAPES}]},
    "a device of other types": {"devices": [{"index": [], "name": {}, "memory": "x", "seconds": "y", "passed": "yes"}]},
    "huge numbers": {"devices": [{"index": 10**400, "memory": 10**400, "seconds": 10**400}], "seconds": 10**400},
    "numbers that are none": {"seconds": float("nan"), "devices": [{"seconds": float("inf"), "memory": float("nan")}]},
    "negative numbers": {"seconds": -1, "devices": [{"index": -1, "memory": -1, "seconds": -1}]},
    "parts of other types": {"torch": [], "python": "x", "node": 7, "driver": [], "nccl": None},
    "a torch of escapes": {"torch": {"version": ESCAPES, "cuda": ESCAPES}, "python": {"version": ESCAPES}},
    "a page": {"summary": "</script><script>alert(1)</script>", "torch": {"version": "<img src=x onerror=alert(1)>"}},
    "a template": {"summary": "{{ lookup('pipe', 'id') }}"},
    "a deep one": {"torch": json.loads("[" * 400 + "]" * 400)},
    "surrogates": {"summary": "\ud800", "torch": {"version": "\udfff"}},
}


@pytest.mark.parametrize("odd", TAKEN.values(), ids=TAKEN)
def test_an_answer_is_bounded_and_can_be_seen(odd):
    found = make_result(Options([dict(GOOD, **odd)], "ssh", "n1", "/e"), "n1", False)
    assert found["verdict"] in VERDICTS and found["summary"].isprintable() and len(found["summary"]) <= 4000
    assert all(text.isprintable() for reason in found["reasons"] for text in reason.values())
    assert len(json.dumps(found, allow_nan=False)) < 10**6


@pytest.mark.parametrize("odd", [*NONE.values(), *TAKEN.values()], ids=[*NONE, *TAKEN])
def test_a_report_copes_with_what_no_check_has_seen(odd):
    expectation = make_expectation({"hpc_gpu_count": 10**400, "hpc_gpu_type": ESCAPES}, False)
    node = make_node("n1", ["all"], expectation, dict(GOOD, **odd), "2026-01-01T00:00:00Z")
    report = make_report([node], None, "campus", "hpc.pytorch", "2026-01-01T00:00:00Z")
    lines = [line.text for line in make_table(report)]
    assert all(line.isprintable() for line in lines) and len(lines) < 1000
    assert len(files.dump(report)) < 10**6 and json.loads(files.dump(report))
    page = make_page(report)
    assert "\x1b" not in page and "<script>alert" not in page and "<img src=x" not in page and len(page) < 3 * 10**6


def test_a_good_answer_is_the_result():
    assert result.from_connection([GOOD], "n1", "/e", False) == GOOD


@pytest.mark.parametrize("key", ["add_host", "add_group", "ansible_facts", "unreachable", "diff", "results"])
def test_what_ansible_would_take_for_its_own_is_not_kept(key):
    assert key in NOT_KEPT


@pytest.mark.parametrize("message", [ESCAPES, "x" * 10**6, "a\nb"])
def test_the_message_of_a_node_that_cannot_be_reached_is_one_line(message):
    found = result.from_connection([{"unreachable": True, "msg": message}], "n1", "/e", False)
    assert found["summary"].isprintable() and len(found["summary"]) < 1000
