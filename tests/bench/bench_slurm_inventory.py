# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-inventory --list``: 5,000 nodes from Slurm's output, and the same hosts and variables in static YAML."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

import yaml
from run import Row, paired

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
NODES = 5000


def words_of_scontrol() -> str:
    """From the tests' generator."""
    path = CHECKOUT / "tests" / "unit" / "slurm" / "generate_cluster.py"
    spec = importlib.util.spec_from_file_location("generate_cluster", path)
    if spec is None or spec.loader is None:
        raise ImportError("%s cannot be imported" % path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.make_cluster(NODES))


def listing(inventory: pathlib.Path, environment: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """What ansible-inventory makes of an inventory."""
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("ansible-inventory")), "-i", str(inventory), "--list"],
        cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), **(environment or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit("ansible-inventory -i %s failed, see above" % inventory)
    return t.cast("dict[str, t.Any]", plain(json.loads(done.stdout)))


def plain(value: t.Any) -> t.Any:
    """*value* without the mark that ansible-inventory puts on what must not become a template."""
    if isinstance(value, dict):
        return (
            plain(value["__ansible_unsafe"])
            if set(value) == {"__ansible_unsafe"}
            else {key: plain(item) for key, item in value.items()}
        )
    return [plain(item) for item in value] if isinstance(value, list) else value


def static(listed: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A listing as a YAML inventory with the same hosts, groups and variables."""
    groups = {name: group for name, group in listed.items() if name not in ("_meta", "all")}
    children = {
        name: {"hosts": dict.fromkeys(group.get("hosts", ())), "children": dict.fromkeys(group.get("children", ()))}
        for name, group in groups.items()
    }
    return {"all": {"hosts": listed["_meta"]["hostvars"], "children": children}}


def run(rounds: int) -> list[Row]:
    """Both are the same to Ansible before anything is timed."""
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-bench-") as name:
        folder = pathlib.Path(name)
        (folder / "cluster.txt").write_text(words_of_scontrol(), encoding="utf-8")
        ours, theirs = folder / "slurm.yml", folder / "static.yml"
        ours.write_text(
            "plugin: hpc.pytorch.slurm\nsaved_output: cluster.txt\nlogin: ['login[01-02]']\n", encoding="utf-8"
        )
        listed = listing(ours)
        theirs.write_text(yaml.dump(static(listed), Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        if listing(theirs)["_meta"] != listed["_meta"] or len(listed["_meta"]["hostvars"]) < NODES:
            raise SystemExit("expected the same variables of %d hosts from both; found others" % NODES)
        times = paired(lambda: listing(ours), lambda: listing(theirs), rounds)
    return [
        Row("static YAML, %d nodes" % NODES, times[1]),
        Row("inventory slurm from saved output, %d nodes" % NODES, times[0], times[1], "goal: at most 1.5"),
    ]
