"""site.yml on inventories/local, and every module, under another ansible-core: no warning about a later one."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import sys
import typing as t

import pytest

# What the others have made already: the env's Python is that of this very run, as in make site.
SAME_PYTHON = json.dumps({"channel_python": sys.executable, "conda_engine_python": sys.executable})


@pytest.fixture(scope="module")
def root(core: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("core") / "root"


@pytest.fixture
def site(core: pathlib.Path, root: pathlib.Path, playbook_run: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs site.yml with that ansible-core; arguments go to ansible-playbook."""
    program = str(core / "bin/ansible-playbook")
    return functools.partial(playbook_run, "site.yml", "-e", "local_root=%s" % root, "-e", SAME_PYTHON, program=program)


def test_the_first_run_says_nothing_of_a_later_ansible(site, root):
    run = site()
    assert run.rc == 0, run.output
    assert os.listdir(root / "envs") == ["torch"] and "result: loss=" in run.output
    assert "[DEPRECATION" not in run.output, run.output


def test_the_second_run_changes_nothing_and_shows_its_steps(site):
    run = site("--diff", environment={"ANSIBLE_STDOUT_CALLBACK": "hpc.pytorch.steps"})
    assert run.rc == 0 and run.output.endswith(" s  1 host: nothing changed\n"), run.output
    assert "[DEPRECATION" not in run.output and "[WARNING" not in run.output, run.output


def test_every_module_runs(core, play, tmp_path, load_module, tiny_channel, tiny_installer):
    everything = load_module("tests/site/pythons/test_every_module.py")
    channel = tmp_path / "site-channel"
    channel.mkdir()
    tiny_channel.make_package(channel, "tool", files={"bin/tool": "#!/bin/sh\n"})
    installer = tmp_path / "Tiny.sh"
    listed = everything.tasks(
        tmp_path,
        "file://%s" % tiny_channel.index(channel),
        (installer, tiny_installer.make_installer(installer, "25.1")),
    )
    # One with a warning: a script that would run but probably not as it was meant.
    listed.append(
        (
            "warned",
            "sbatch_script",
            {"dest": str(tmp_path / "other.sh"), "output": str(tmp_path / "nowhere/%j.out"), "command": "true"},
        )
    )
    run = play(everything.written(tmp_path, listed), {}, program=str(core / "bin/ansible-playbook"))
    assert run.rc == 0, run.output
    results = json.loads((tmp_path / "results.json").read_text())
    assert sorted(name for name, result in results.items() if result.get("failed")) == sorted(everything.FAIL)
    assert results["warned"]["warnings"] and "[WARNING]" in run.output
    assert "[DEPRECATION" not in run.output, run.output
