# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public workflows call targets of the Makefile that exist, and nothing that can change under them."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))


def load(path: pathlib.Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: pathlib.Path) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Each step with its job."""
    for job in load(path)["jobs"].values():
        for step in job["steps"]:
            yield job, step


def targets(path: pathlib.Path) -> set[str]:
    """The targets of make that a workflow calls, those of a matrix too."""
    found = set()
    for job, step in steps(path):
        for word in re.findall(r"\bmake (\$\{\{ matrix\.\w+ \}\}|\S+)", step.get("run", "")):
            name = re.fullmatch(r"\$\{\{ matrix\.(\w+) \}\}", word)
            found.update(job["strategy"]["matrix"][name.group(1)] if name else [word])
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_targets_of_the_makefile(path: pathlib.Path) -> None:
    declared = re.findall(r"^(\w+): ##", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets(path)
    assert sorted(targets(path) - set(declared)) == []


def test_the_workflows_run_what_ci_runs() -> None:
    assert {"test", "lint", "unit", "sanity", "docs", "site"} <= targets(CHECKOUT / ".github/workflows/ci.yml")
    assert targets(CHECKOUT / ".github/workflows/release.yml") == {"dist"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_pinned_and_may_do_little(path: pathlib.Path) -> None:
    workflow = load(path)
    for _job, step in steps(path):
        assert re.fullmatch(r"[\w-]+/[\w./-]+@(v\d+(\.\d+){0,2}|[0-9a-f]{40})", step.get("uses", "a/b@v1"))
        # A text of an issue or a branch's name would be run by the shell.
        assert not re.search(r"\$\{\{ *github\.(event|head_ref|ref_name)", step.get("run", ""))
    for job in workflow["jobs"].values():
        assert not job["runs-on"].endswith("-latest") and job["timeout-minutes"] <= 120
    # YAML reads the word "on" as true.
    assert "pull_request_target" not in workflow[True]
    assert workflow["permissions"] in ({"contents": "read"}, {"contents": "write"})
    assert workflow["permissions"] == {"contents": "read"} or set(workflow[True]) == {"push"}


def test_addresses_in_issue_templates_are_the_repositorys() -> None:
    repository = load(CHECKOUT / "galaxy.yml")["repository"]
    for link in load(CHECKOUT / ".github/ISSUE_TEMPLATE/config.yml")["contact_links"]:
        assert link["url"].startswith(repository + "/")
        name = link["url"].partition("/blob/main/")[2]
        assert not name or (CHECKOUT / name).is_file()
