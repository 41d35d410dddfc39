# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_check_query: what it selects, and the error for a wrong one."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import query

from .test_build import CHECKOUT


def test_it_selects(make, cluster):
    report = make(cluster)
    names = query.select("nodes[?verdict=='failed'].name", report)
    assert names == [node["name"] for node in report["nodes"] if node["verdict"] == "failed"] and names
    assert query.select("totals.nodes", report) == 60
    assert query.select("nothing.like.it", report) is None


def test_every_expression_of_the_documentation_is_one(make, cluster):
    text = (CHECKOUT / "docs" / "report.md").read_text(encoding="utf-8")
    table = text[text.index("| expression |") :]
    expressions = re.findall(r"^\| `{1,2}(.*?)`{1,2} \|", table, re.MULTILINE)
    assert len(expressions) == 6
    report = make(cluster)
    for expression in expressions:
        assert query.select(expression, report) is not None, expression


@pytest.mark.parametrize(
    ("expression", "column", "why"),
    [
        ("nodes[?verdict=", 15, "token"),
        ("nodes[", 7, "Incomplete expression"),
        ("nodes[?verdict=='failed'", 25, "Incomplete expression"),
        ("totals..nodes", 8, ""),
        ("totals.#", 8, "Unknown token"),
        ("frobnicate(nodes)", 1, "Unknown function: frobnicate()"),
        ("totals.[length(nodes)]", 9, "function length() takes"),
        ("nodes | sort(@)", 9, "function sort() takes"),
        ("length()", 1, "Expected 1 argument"),
        ("", None, "empty"),
    ],
)
def test_a_wrong_one_is_told_where_and_why(make, cluster, expression, column, why):
    with pytest.raises(UserError) as caught:
        query.select(expression, make(cluster))
    error = caught.value
    assert (
        error.expected.startswith("torch_check_query to be a JMESPath expression") and "docs/report.md" in error.remedy
    )
    assert why in error.found and len(error.found) < 400
    assert re.findall(r"at column (\d+): ", error.found) == ([] if column is None else [str(column)]), error.found


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(query, "jmespath", None)
    with pytest.raises(UserError) as caught:
        query.select("totals", {})
    assert "install jmespath" in caught.value.remedy
