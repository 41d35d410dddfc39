# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node is allocated and released, whatever becomes of the play in between."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.resources import RESOURCES
from ansible_collections.hpc.pytorch.plugins.modules.torch_check_allocation import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check.allocation import (
    Options,
    allocate,
    release,
    salloc,
)


def options(login=None, **given):
    defaults = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
    return Options.of(dict(defaults, **dict({"bin_dir": str(login.bin) if login else None}, **given)))


@pytest.fixture
def play():
    """A process in the place of the play."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.stdin.close()
    process.wait()


def is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_node_is_allocated_and_released(login, play):
    found = allocate(options(login, node="n1", mem="8G"), play.pid, os.environ)
    assert found.job_id == 7
    (arguments,) = login.calls("salloc")
    assert {"--no-shell", "--nodelist=n1", "--job-name=%s" % found.name, "--mem=8G"} <= set(arguments)
    assert is_alive(found.watcher) and login.calls("scancel") == []
    release(options(login, state="absent", name=found.name, watcher=found.watcher), os.environ)
    assert os.waitpid(found.watcher, 0)[1] == 15
    assert login.calls("scancel") == [["--quiet", "--name=%s" % found.name]]


def test_no_two_allocations_have_the_same_name(login, play):
    found = [allocate(options(login, node="n1"), play.pid, os.environ) for _unused in range(2)]
    assert found[0].name != found[1].name
    for one in found:
        release(options(login, state="absent", name=one.name, watcher=one.watcher), os.environ)
        os.waitpid(one.watcher, 0)


def test_a_play_that_is_killed_releases_its_node(login, play):
    released = login.await_release()
    found = allocate(options(login, node="n1"), play.pid, os.environ)
    play.kill()
    play.wait()
    assert released() == "--name=%s" % found.name
    os.waitpid(found.watcher, 0)


def test_a_node_that_slurm_does_not_give_leaves_nothing(login, play):
    login.refuse("n1")
    with pytest.raises(UserError) as caught:
        allocate(options(login, node="n1"), play.pid, os.environ)
    assert "Requested node configuration is not available" in caught.value.found
    (arguments,) = login.calls("scancel")
    assert "--job-name=%s" % arguments[-1].partition("=")[2] in login.calls("salloc")[0]
    # The watcher was this process's last child.
    assert os.WTERMSIG(os.wait()[1]) == 15


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("idle~", "powered down; torch_check_slurm_powered_down: true starts it (Slurm reports idle~)"),
        ("idle%", "powered down: it is on its way"),
        ("mixed!", "powered down: it will be when it is free"),
        ("", "powered down, or hidden"),
        ("idle$", "in a reservation for maintenance"),
    ],
)
def test_a_node_that_would_be_started_is_left_alone_unless_that_is_asked_for(login, play, state, words):
    login.show({"n1": state})
    with pytest.raises(UserError) as caught:
        allocate(options(login, node="n1"), play.pid, os.environ)
    assert caught.value.details["left_alone"].startswith(words)
    assert login.calls("salloc") == login.calls("scancel") == []
    asked = {"reservation": "mending"} if state == "idle$" else {"powered_down": True}
    found = allocate(options(login, node="n1", **asked), play.pid, os.environ)
    release(options(login, state="absent", name=found.name, watcher=found.watcher), os.environ)
    os.waitpid(found.watcher, 0)


@pytest.mark.parametrize(
    ("states", "suspend"),
    [({"n1": "idle"}, "/opt/suspend"), ({"n1": "allocated#"}, "/opt/suspend"), ({"n1": ""}, "(null)"), ({}, "/s")],
)
def test_salloc_decides_about_any_other_node(login, play, states, suspend):
    login.show(states, suspend=suspend)
    found = allocate(options(login, node="n1"), play.pid, os.environ)
    release(options(login, state="absent", name=found.name, watcher=found.watcher), os.environ)
    os.waitpid(found.watcher, 0)


def test_a_controller_that_does_not_say_whether_the_node_is_up_starts_none(login, play):
    login.show({"n1": "idle"}, away=True)
    with pytest.raises(UserError, match="the state of node n1 from sinfo; found slurm_load_partitions: Unable"):
        allocate(options(login, node="n1"), play.pid, os.environ)
    assert login.calls("salloc") == []


def test_without_slurm_it_says_what_to_do(tmp_path, play):
    with pytest.raises(UserError) as caught:
        allocate(options(node="n1", bin_dir=str(tmp_path)), play.pid, os.environ)
    assert "bin_dir" in caught.value.remedy
    # There is no scancel either, so the watcher stays until the end of the play.
    play.kill()
    play.wait()
    os.wait()


def test_every_resource_is_an_argument_of_salloc():
    values = {resource.name: 8 if resource.type == "int" else "word" for resource in RESOURCES}
    arguments = salloc(options(node="n1", **values), "name")
    for resource in RESOURCES:
        assert "%s=%s" % (resource.flag, values[resource.name]) in arguments
    assert [word for word in salloc(options(node="n1"), "name") if word.split("=")[0] in values] == []


def test_the_time_limit_is_two_minutes_longer_than_the_check():
    limits = {options(node="n1", timeout=timeout).time for timeout in range(61, 121)}
    assert limits == {4} and options(node="n1", time=9).time == 9


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "node to be set for state present"),
        ({"state": "absent"}, "name to be set for state absent"),
        ({"node": "n1", "wait": 0}, "wait to be at least 1"),
        ({"node": "n1", "time": -1}, "time to be at least 1"),
        ({"node": "n1", "bin_dir": "bin"}, "bin_dir to be an absolute path"),
    ],
)
def test_what_makes_no_sense_is_refused(given, expected):
    with pytest.raises(UserError) as caught:
        Options.of(dict({name: option.get("default") for name, option in ARGUMENT_SPEC.items()}, **given))
    assert caught.value.expected == expected
