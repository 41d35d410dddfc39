# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/task_counts.py and its callback: tasks as the terminal shows them, modules where they run."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
TASKS = [
    {"name": "On each host", "ansible.builtin.ping": None},
    {"name": "Without Python", "ansible.builtin.raw": "true", "changed_when": False},
    {"name": "Skipped everywhere", "ansible.builtin.ping": None, "when": False},
    {"name": "Skipped on two", "ansible.builtin.ping": None, "when": "inventory_hostname == 'three'"},
    {"name": "On the controller", "ansible.builtin.debug": {"msg": "once"}, "run_once": True},
    {"name": "From the first", "ansible.builtin.ping": None, "delegate_to": "one"},
    {"name": "An action with several modules", "ansible.builtin.copy": {"content": "a", "dest": "{{ file }}"}},
    {"name": "In a loop", "ansible.builtin.ping": {"data": "{{ item }}"}, "loop": ["a", "b"], "run_once": True},
    {"name": "Fails and goes on", "ansible.builtin.command": "false", "ignore_errors": True, "run_once": True},
    {"name": "Included", "ansible.builtin.include_tasks": {"file": "more.json"}, "run_once": True},
]


@pytest.fixture(name="counts_of")
def fixture_counts_of():
    spec = importlib.util.spec_from_file_location("task_counts", CHECKOUT / "tests" / "task_counts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_on_three_hosts_is_counted(counts_of, tmp_path):
    (tmp_path / "more.json").write_text(json.dumps([{"name": "Further", "ansible.builtin.ping": None}]))
    playbook = tmp_path / "play.json"
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": TASKS}]))
    file = tmp_path / "file"
    file.write_text("a")
    variables = {"ansible_python_interpreter": sys.executable, "ansible_pipelining": True, "file": str(file)}
    command = ["-i", "one,two,three", "-c", "local", "-e", json.dumps(variables), str(playbook)]
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), *command],
        cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", **counts_of.environment(tmp_path / "counts")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = counts_of.read(tmp_path / "counts")
    assert counts.tasks == re.findall(r"^TASK \[(.*)\]", done.stdout, re.MULTILINE)
    # No name of theirs needs a filter.
    assert counts.cold[0] == "On each host" and "Further" in counts.cold
    assert "Skipped everywhere" not in counts.tasks and "Skipped on two" in counts.tasks
    recap = re.findall(r"^(\w+) +: ok=(\d+)", done.stdout, re.MULTILINE)
    assert counts.results == {host: int(number) for host, number in recap}
    ping, command = "ansible.builtin.ping", "ansible.legacy.command"
    copy = ["ansible.legacy.stat", "ansible.legacy.file"]
    assert counts.modules == {
        "one": [ping, ping, ping, ping, *copy, ping, ping, command, ping],
        "two": [ping, *copy],
        "three": [ping, ping, *copy],
    }
    # One for each module, as pipelining is on, one for raw, and two for the folder that copy makes and removes.
    assert counts.trips == {host: len(modules) + 3 for host, modules in counts.modules.items()}


def test_a_task_that_starts_again_is_shown_again(counts_of):
    task = {"kind": "task", "task": "a", "name": "debug", "loaded": True}
    result = {"kind": "result", "task": "a", "name": "debug", "host": "one"}
    cold = dict(task, task="b", loaded=False)
    counts = counts_of.count([cold, task, result, task, task, result, dict(result, host="two")])
    assert counts.tasks == ["a", "a"] and counts.results == {"one": 2, "two": 1}
    assert counts.modules == {} and counts.trips == {} and counts.cold == ["b"]
