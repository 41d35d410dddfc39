# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/bench/playbook.py: a run that fails or changes something is no measurement, and memory counts forks."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import stat

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
RECAP = "PLAY RECAP ***\none     : ok=3    changed=%d    unreachable=0    failed=0\n"


@pytest.fixture(name="tool")
def fixture_tool():
    spec = importlib.util.spec_from_file_location("bench_playbook", BENCH / "playbook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="stand_in")
def fixture_stand_in(tool, tmp_path):
    """Makes a Playbook whose ansible-playbook is this shell script."""

    def make(script):
        program = tmp_path / "ansible-playbook"
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return tool.Playbook(dict(os.environ, PATH="%s:%s" % (tmp_path, os.environ["PATH"])), "--forks", "2")

    return make


def test_arguments_come_in_their_order(stand_in):
    assert stand_in('echo "$@"').run("site.yml", "--check") == "--forks 2 site.yml --check\n"


def test_a_run_that_changes_something_is_refused(stand_in):
    assert "ok=3" in stand_in("cat <<E\n%sE\n" % (RECAP % 0)).unchanged()
    with pytest.raises(SystemExit, match="change nothing"):
        stand_in("cat <<E\n%sE\n" % (RECAP % 12)).unchanged()


@pytest.mark.parametrize("how", ["run", "unchanged", "weighed"])
def test_a_run_that_fails_is_refused_and_its_output_shown(stand_in, how, capsys):
    with pytest.raises(SystemExit):
        getattr(stand_in("echo a reason; exit 2"), how)()
    assert "a reason" in capsys.readouterr().err


def test_the_counts_say_where_most_modules_run(tool):
    counts = tool.task_counts.Counts(["a", "b"], {"one": 2, "two": 2}, {"one": ["ping"] * 3, "two": ["ping"]}, {}, [])
    assert tool.in_text(counts) == "2 tasks; modules: 3 on one, 2.0 a host"
    assert tool.in_text(counts._replace(modules={})) == "2 tasks"


def test_memory_of_forks_is_added(tool, stand_in):
    # A process's own memory, and that of what it starts.
    alone = tool._with_descendants(os.getpid())
    assert alone[0] == os.getpid() and tool._pss(os.getpid()) > 1e6
    parent = os.getppid()
    assert os.getpid() in tool._with_descendants(parent)
    # It ends before the first sample: the controller's own is known all the same.
    weight = stand_in("exit 0").weighed()
    assert weight.controller > 1e5 and weight.processor > 0
    assert tool._pss(2**22 + 1) == 0
