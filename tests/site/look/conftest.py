# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small site on this machine. The engine is real, the channel holds one small package, which is also the base."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys
import typing as t

import pytest
import yaml
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]

# The unit tests have installed one if they run in the same process.
if "ansible_collections" not in sys.modules:
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()


class Site:
    """A site in a folder of its own; ``site()`` runs the first play of site.yml on it."""

    # The task that brings in the role of each part. A skipped one is not shown.
    RUNS: t.ClassVar[dict[str, str]] = {
        "channel": "TASK [Publish the channel of the site]",
        "engine": "TASK [Make the engine]",
        "conda": "TASK [Make or check conda]",
        "user_tools": "TASK [Install the commands for users]",
    }

    def __init__(self, root: pathlib.Path, upstream: pathlib.Path, run: t.Callable[..., t.Any], tool: t.Any) -> None:
        self.root, self._run, self._tool = root, run, tool
        self.variables: dict[str, t.Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "site_become": False,
            "channel_path": str(root / "channel"),
            "channel_python": [],
            "channel_wheels": [],
            "channel_packages": ["tool"],
            "channel_upstream": ["file://%s" % upstream],
            "conda_method": "rattler",
            "conda_prefix": str(root / "conda"),
            "conda_base_packages": ["tool"],
            "conda_channels": ["file://%s/channel" % root],
            "conda_engine_prefix": str(root / "engine"),
            "conda_engine_python": sys.executable,
            "conda_package_cache": str(root / "pkgs"),
            "conda_expose": ["module"],
            "user_tools_prefix": str(root / "tools"),
        }
        plays = yaml.safe_load((CHECKOUT / "playbooks/site.yml").read_text(encoding="utf-8"))
        play = next(each for each in plays if each["name"].startswith("Site layer"))
        text = json.dumps([play]).replace("tasks/site_layer.yml", "%s/playbooks/tasks/site_layer.yml" % CHECKOUT)
        (root / "site_layer.json").write_text(text)

    def __call__(self, *arguments: str, **changes: t.Any) -> t.Any:
        variables = {**self.variables, **changes}
        hosts = {"localhost": {name: value for name, value in variables.items() if value is not None}}
        inventory = {"all": {"children": {group: {"hosts": hosts} for group in ("login", "compute")}}}
        (self.root / "hosts.yml").write_text(json.dumps(inventory))
        counts = self.root / "counts"
        counts.unlink(missing_ok=True)
        run = self._run(
            "-i",
            str(self.root / "hosts.yml"),
            *arguments,
            str(self.root / "site_layer.json"),
            environment=self._tool.environment(counts),
        )
        run.counts = self._tool.read(counts) if counts.exists() else None
        return run

    def ran(self, *arguments: str, **changes: t.Any) -> list[str]:
        """The roles that a run in check mode ran, as it would have without."""
        run = self("--check", *arguments, **changes)
        assert run.rc == 0, run.output
        return [role for role, task in self.RUNS.items() if task in run.output]


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_channel: t.Any,
    load_module: t.Callable[..., t.Any],
    playbook_run: t.Callable[..., t.Any],
) -> t.Iterator[Site]:
    root = tmp_path_factory.mktemp("site")
    upstream = root / "upstream"
    tiny_channel.make_package(upstream, "tool", files={"bin/tool": "#!/bin/sh\n"})
    made = Site(root, tiny_channel.index(upstream), playbook_run, load_module("tests/task_counts.py"))
    first = made()
    assert first.rc == 0, first.output
    yield made
    shutil.rmtree(root)
