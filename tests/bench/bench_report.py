# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand nodes' results to the report: the whole ansible-playbook, and the report alone (goal: at most 5 s)."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import typing as t

from run import Row

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
NODES = 1000


def load_generator() -> t.Any:
    """The module of the tests that makes results."""
    path = CHECKOUT / "tests" / "unit" / "report" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    if spec is None or spec.loader is None:
        raise ImportError("%s cannot be imported" % path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alone(hosts: dict[str, dict[str, t.Any]]) -> float:
    """Seconds from the hosts' variables to the bytes of both files and the table's lines."""
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    if "ansible_collections" not in sys.modules:
        _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import build, collect, files, html, table

    groups: dict[str, list[str]] = {"compute": []}
    for name, variables in hosts.items():
        for group in variables["groups"]:
            groups.setdefault(group, []).append(name)
            if group != "login":
                groups["compute"].append(name)
    begin = time.perf_counter()
    now = "2026-11-24T08:00:00Z"
    nodes = collect.collect(
        list(hosts), groups, [name for name in groups if name not in ("login", "compute")], hosts, now
    )
    report = build.make_report(nodes, None, "bench", "hpc.pytorch", now)
    files.dump(report), html.make_page(report), table.make_table(report)
    return time.perf_counter() - begin


def whole(inventory: pathlib.Path, folder: pathlib.Path) -> float:
    """Seconds of the whole ansible-playbook."""
    command = ["ansible-playbook", "-i", str(inventory), "-e", "torch_check_report_dir=%s" % folder]
    begin = time.perf_counter()
    done = subprocess.run(
        [*command, str(CHECKOUT / "tests" / "bench" / "plays" / "report.yml")],
        cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - begin
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit("ansible-playbook tests/bench/plays/report.yml failed, see above")
    return took


def run(rounds: int) -> list[Row]:
    """The first report in a folder, a second one that finds the same, and the share of the report alone."""
    generator = load_generator()
    hosts = generator.make_cluster(NODES)
    first, second, own = [], [], []
    with tempfile.TemporaryDirectory() as name:
        inventory = pathlib.Path(name) / "inventory.json"
        inventory.write_text(json.dumps(generator.make_inventory(hosts)), encoding="utf-8")
        for number in range(rounds):
            folder = pathlib.Path(name) / str(number)
            first.append(whole(inventory, folder))
            second.append(whole(inventory, folder))
            own.append(alone(hosts))
    return [
        Row("ansible-playbook, %d nodes, first report" % NODES, first, note="goal: at most 5 s"),
        Row("ansible-playbook, %d nodes, the same again" % NODES, second, first),
        Row("the report alone", own, first),
    ]
