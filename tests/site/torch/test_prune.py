# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job in a site environment during upgrade, rollback and prune: role torch_env, a real engine, bash and Python."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t
import uuid

import pytest

MAKE = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env"}}]
PRUNE = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env", "tasks_from": "prune"}}]
# Prune inspects every process of the machine. Another run of this test may hold the same versions.
NAME = "torch-" + uuid.uuid4().hex[:8]
STORE = "." + NAME
SITE_PACKAGES = "lib/python%d.%d/site-packages" % sys.version_info[:2]

# Imports a module on request.
JOB = """\
import importlib, sys, torch
print(torch.__version__, flush=True)
for name in sys.stdin:
    print(importlib.import_module(name.strip()).VERSION, flush=True)
"""


@pytest.fixture(scope="module")
def standin(load_module: t.Any) -> str:
    """The unit tests' stand-in for torch, built for the CPU."""
    return load_module("tests/unit/torch/standin.py").standin(cuda=None)


@pytest.fixture
def site(tmp_path: pathlib.Path, tiny_channel: t.Any, standin: str, play: t.Callable[..., t.Any]) -> dict[str, t.Any]:
    """The role's variables: this machine's Python, and two versions of a torch that loads its parts late."""
    channels = tmp_path / "channels"
    published = play(
        [
            {
                "hpc.pytorch.conda_channel": {
                    "path": str(channels / "python"),
                    "python": [sys.executable],
                    "wheels": ["pip"],
                    "executable": sys.executable,
                }
            }
        ],
        {},
    )
    assert published.rc == 0, published.output
    for version in ("1.0", "2.0"):
        files = {"%s/torch/__init__.py" % SITE_PACKAGES: standin + "\n__version__ = %r\n" % version}
        files.update(
            {
                "%s/torch/%s.py" % (SITE_PACKAGES, part): "VERSION = %r\n" % version
                for part in ("optim", "jit", "fx", "hub")
            }
        )
        tiny_channel.make_package(channels / "torch", "pytorch", version, depends=["python"], files=files)
    tiny_channel.index(channels / "torch")
    return {
        "torch_env_scope": "site",
        "torch_env_name": NAME,
        "torch_env_site_dir": str(tmp_path / "envs"),
        "torch_env_executable": sys.executable,
        "torch_env_compile": False,
        "torch_env_package_cache": str(tmp_path / "pkgs"),
        "torch_env_channels": ["file://%s" % (channels / "python"), "file://%s" % (channels / "torch")],
        # Nobody but this test knows these envs, and no cluster is asked.
        "torch_env_prune_homes": [],
        "torch_env_prune_slurm": False,
        "torch_env_prune_keep": 0,
        "torch_env_prune_older_than": 0,
        "torch_env_prune_confirm": True,
    }


class Job:
    """What sbatch_script renders for the env's name, run by bash as a job is, and blocked on a fifo."""

    def __init__(self, script: pathlib.Path, fifo: pathlib.Path) -> None:
        self._bash = subprocess.Popen(
            ["/bin/bash", str(script)],
            # Without HOME Python asks the user database where the user's packages are.
            env={"PATH": "/usr/bin:/bin", "HOME": str(script.parent)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._told = fifo.open("w")
        self._rest: list[str] = []
        self.torch = self._said()

    def imports(self, name: str) -> str:
        self._told.write(name + "\n")
        self._told.flush()
        return self._said()

    def ends(self) -> list[str]:
        """What the script's later command prints, which starts the env's Python anew; and its exit status."""
        if not self._rest:
            self._told.close()
            said = self._bash.communicate()[0].split()
            self._rest = [*said, str(self._bash.returncode)]
        return self._rest

    def _said(self) -> str:
        assert self._bash.stdout is not None
        return self._bash.stdout.readline().strip()


@pytest.fixture
def job(
    tmp_path: pathlib.Path, site: dict[str, t.Any], play: t.Callable[..., t.Any]
) -> t.Iterator[t.Callable[[], Job]]:
    jobs: list[Job] = []
    (tmp_path / "job.py").write_text(JOB)

    def start() -> Job:
        number = len(jobs)
        script, fifo = tmp_path / ("job%d.sh" % number), tmp_path / ("fifo%d" % number)
        os.mkfifo(fifo)
        command = [
            "python %s < %s" % (tmp_path / "job.py", fifo),
            "python -c 'import torch.hub; print(torch.hub.VERSION)'",
        ]
        options = {"dest": str(script), "conda_env": "%s/%s" % (site["torch_env_site_dir"], NAME), "command": command}
        rendered = play([{"hpc.pytorch.sbatch_script": options}], {})
        assert rendered.rc == 0, rendered.output
        jobs.append(Job(script, fifo))
        return jobs[-1]

    yield start
    for each in jobs:
        each.ends()


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def versions(site: dict[str, t.Any]) -> dict[str, str]:
    """The prefixes that are there, by the torch that they hold."""
    found = {}
    for path in pathlib.Path(site["torch_env_site_dir"], STORE).glob("*/%s/torch/hub.py" % SITE_PACKAGES):
        found[path.read_text().split("'")[1]] = path.relative_to(site["torch_env_site_dir"]).parts[1]
    return found


def test_a_running_job_keeps_its_files_through_an_upgrade_a_rollback_and_a_prune(play, site, job, tree_of, tmp_path):
    def make(version: str) -> None:
        done = play(MAKE, {**site, "torch_env_torch": version})
        assert done.rc == 0 and done.recap["changed"] > 0, done.output

    make("1.0")
    first = job()
    assert first.torch == "1.0"
    make("2.0")
    again = play(MAKE, {**site, "torch_env_torch": "2.0"})
    assert again.rc == 0 and again.recap["changed"] == 0, again.output
    second = job()
    assert (second.torch, first.imports("torch.optim")) == ("2.0", "1.0")
    # Back again, without solving or network: both prefixes are there.
    before = versions(site)
    make("1.0")
    assert versions(site) == before and os.readlink(tmp_path / "envs" / NAME) == "%s/%s" % (STORE, before["1.0"])
    assert second.imports("torch.optim") == "2.0"

    # The first version is published; the second is a job's.
    pruned = play(PRUNE, site)
    assert pruned.rc == 0 and pruned.recap["changed"] == 0, pruned.output
    assert "%s: kept, process" % before["2.0"] in in_one_line(
        pruned.output
    ) and "kept, published as %s" % NAME in in_one_line(pruned.output)
    make("2.0")
    pruned = play(PRUNE, site)
    assert pruned.recap["changed"] == 0 and "%s: kept, process" % before["1.0"] in in_one_line(pruned.output), (
        pruned.output
    )
    assert (first.imports("torch.jit"), second.imports("torch.jit")) == ("1.0", "2.0")

    # The first job ends; without confirm nothing goes.
    assert first.ends() == ["1.0", "0"]
    done = play(PRUNE, {**site, "torch_env_prune_confirm": False})
    assert done.recap["changed"] == 0 and "%s: may go" % before["1.0"] in in_one_line(done.output), done.output
    envs = tmp_path / "envs"
    stood = tree_of(envs)
    predicted = play(PRUNE, site, "--check", "--diff")
    assert (
        predicted.recap["changed"] == 1
        and "would be removed" in in_one_line(predicted.output)
        and tree_of(envs) == stood
    )
    assert "-%s" % (envs / STORE / before["1.0"]) in predicted.output

    done = play(PRUNE, site)
    assert done.rc == 0 and done.recap["changed"] == 1, done.output
    assert sorted(path.name for path in (envs / STORE).iterdir()) == [
        before["2.0"] + end for end in ("", ".lock", ".switched")
    ]
    assert (second.imports("torch.fx"), second.ends()) == ("2.0", ["2.0", "0"])
    assert play(PRUNE, site).recap["changed"] == 0
    # What was pruned is made again on request.
    make("1.0")
    assert versions(site) == before


def test_an_absent_site_env_loses_its_name_and_not_the_files_of_a_running_job(play, site, job, tree_of, tmp_path):
    made = play(MAKE, {**site, "torch_env_torch": "1.0"})
    assert made.rc == 0, made.output
    runs, (version,) = job(), versions(site).values()
    envs, gone = tmp_path / "envs", {**site, "torch_env_torch": "1.0", "torch_env_state": "absent"}
    stood = tree_of(envs)
    predicted = play(MAKE, gone, "--check")
    assert predicted.rc == 0 and predicted.recap["changed"] == 2 and tree_of(envs) == stood, predicted.output
    taken = play(MAKE, gone)
    assert taken.rc == 0 and not (envs / NAME).exists() and play(MAKE, gone).recap["changed"] == 0, taken.output
    pruned = play(PRUNE, site)
    assert "%s: kept, process" % version in in_one_line(pruned.output), pruned.output
    assert (runs.imports("torch.optim"), runs.ends()) == ("1.0", ["1.0", "0"])
    assert play(PRUNE, site).recap["changed"] == 1 and versions(site) == {}
