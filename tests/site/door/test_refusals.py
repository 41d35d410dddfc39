# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook without a host to work on is an error, which names the groups and the smallest inventory that would do."""

from __future__ import annotations

import pathlib
import re
import subprocess
import typing as t

import pytest

NEEDS = {"site": "login or compute", "user": "login or compute", "job": "login or compute"}
NEEDS |= {"check": "login or compute", "node": "login or compute", "channel": "login"}
QUIET = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false"}


@pytest.fixture
def run(tmp_path: pathlib.Path, playbook_run: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs hpc.pytorch.NAME on an inventory with these lines."""

    def call(name: str, lines: str, *arguments: str) -> t.Any:
        inventory = tmp_path / "hosts.ini"
        inventory.write_text(lines)
        return playbook_run("-i", str(inventory), "hpc.pytorch.%s" % name, *arguments, environment=QUIET)

    return call


@pytest.mark.parametrize("name", NEEDS)
def test_no_inventory_is_an_error_that_names_one_that_would_do(
    run: t.Callable[..., t.Any], name: str, tmp_path: pathlib.Path
) -> None:
    done = run(name, "")
    assert done.rc == 2, done.output
    error = next(line for line in done.output.splitlines() if line.startswith("[ERROR]"))
    assert "expected a host in group %s to " % NEEDS[name] in error
    # The command in the remedy, word for word.
    command = re.search(r"the whole site: (printf .* > hosts\.ini)$", error)
    assert command, error
    subprocess.run(["sh", "-c", command.group(1)], cwd=tmp_path, check=True)
    done = run(name, (tmp_path / "hosts.ini").read_text(), "--list-hosts")
    assert done.rc == 0 and "hosts (1):\n      localhost" in done.output, done.output


@pytest.mark.parametrize("name", ["site", "check", "channel", "node"])
def test_a_limit_without_a_host_in_the_groups_is_an_error_that_names_one(
    run: t.Callable[..., t.Any], name: str
) -> None:
    done = run(name, "[login]\nl1\n[compute]\nc1\n[jupyter]\nj1\nj2\n", "--limit", "jupyter")
    assert done.rc == 2, done.output
    assert (
        "found none among the 2 hosts of this run (j1, j2); remedy: correct --limit, such as --limit l1\n"
        in done.output
    )


@pytest.mark.parametrize(("name", "lines"), [("site", ""), ("lint", ""), ("check", "[login]\nl1\n")])
def test_a_limit_that_leaves_nothing_is_an_error(run: t.Callable[..., t.Any], name: str, lines: str) -> None:
    done = run(name, lines, "--limit", "nobody")
    assert done.rc not in (0, 2), done.output
    assert "PLAY RECAP" not in done.output and "[ERROR]: " in done.output


@pytest.mark.parametrize("name", ["site", "user", "job"])
def test_what_is_shared_needs_a_login_node(run: t.Callable[..., t.Any], name: str) -> None:
    done = run(name, "[compute]\nc1\n")
    assert done.rc == 2, done.output
    assert "expected a host in group login to" in done.output


def test_shared_things_are_made_from_a_login_node_that_is_not_in_the_run(run: t.Callable[..., t.Any]) -> None:
    """As before: only the refusal is asked here, by a tag that nothing else has."""
    lines = "[login]\nl1\n[compute]\nc1\n"
    done = run("job", lines, "--limit", "c1", "--tags", "nothing")
    assert done.rc == 0, done.output
    # The channel is published by the first login node itself.
    done = run("channel", lines, "--limit", "c1", "--tags", "nothing")
    assert done.rc == 2 and "--limit l1" in done.output, done.output


def test_an_image_needs_the_hosts_that_it_is_for(run: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> None:
    image = ("-e", "node_root=%s/image" % tmp_path)
    done = run("node", "[login]\nl1\n", *image)
    assert done.rc == 2 and "expected a host in group compute to set up" in done.output, done.output
    done = run("node", "[login]\nl1\n", *image, "-e", "node_image_for=login", "--tags", "nothing")
    assert done.rc == 0, done.output


def test_a_lint_of_no_machine_is_an_error(run: t.Callable[..., t.Any]) -> None:
    done = run("lint", "[login]\nl1\n", "--limit", "l1", "-e", "script=/nonexistent.sh")
    assert done.rc == 2 and "found --limit l1, which leaves it out; remedy: leave --limit out\n" in done.output, (
        done.output
    )


@pytest.mark.parametrize("option", ["--syntax-check", "--list-tasks", "--list-hosts"])
def test_lists_and_the_syntax_check_need_no_host(playbook_run: t.Callable[..., t.Any], option: str) -> None:
    names = ["hpc.pytorch.%s" % name for name in (*NEEDS, "lint")]
    done = playbook_run("-i", "/dev/null", *names, option, environment=QUIET)
    assert done.rc == 0, done.output
