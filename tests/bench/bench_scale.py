# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a further host costs an unchanged site.yml without the verdict: time and memory, next to a ping of all hosts.

All hosts are this machine. Each has its own folder for the files of the node layer; what the nodes share is what make
site made. BENCH_SIZES=10,100 chooses other numbers of hosts; the largest is timed once.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import tempfile
import typing as t

from playbook import CHECKOUT, PLAYBOOKS, Playbook, Weight, in_text
from run import Row, in_turns

FORKS = 10
PING = (str(PLAYBOOKS / "ping.yml"),)
SITE = ("hpc.pytorch.site", "--skip-tags", "verdict")


def make_inventory(folder: pathlib.Path, number: int) -> str:
    """A login node and compute nodes, with the settings of inventories/local; returns the folder's path."""
    inventory = folder / ("hosts-%d" % number)
    settings = inventory / "group_vars" / "all"
    settings.mkdir(parents=True)
    (settings / "1-local.yml").symlink_to(CHECKOUT / "inventories" / "local" / "group_vars" / "all.yml")
    compute = {"n%04d" % each: None for each in range(1, number)}
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "local_root": str(CHECKOUT / ".site"),
        "site_runs_job": False,
        "conda_expose": ["profile", "module"],
        "conda_profile_dir": "%s/nodes/{{ inventory_hostname }}" % folder,
        "cuda_home": "%s/cuda" % folder,
        "cuda_expose": ["profile"],
        "cuda_ld_library_path": True,
        "cuda_profile_dir": "{{ conda_profile_dir }}",
        "cuda_become": False,
    }
    (settings / "2-bench.json").write_text(json.dumps(variables), encoding="utf-8")
    groups = {"login": {"hosts": {"n0000": None}}, "compute": {"hosts": compute}}
    (inventory / "hosts.json").write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    return str(inventory)


def make_toolkit(folder: pathlib.Path) -> None:
    """What cuda_info reads of a toolkit."""
    for name in ("bin", "lib64"):
        (folder / name).mkdir(parents=True)
    (folder / "version.json").write_text(json.dumps({"cuda": {"name": "CUDA SDK", "version": "13.0.0"}}))


def rows_of(number: int, folder: pathlib.Path, rounds: int) -> list[Row]:
    """Time a ping of so many hosts and the site, in turns, after a run that makes the files of new hosts."""
    for each in range(number):
        (folder / "nodes" / ("n%04d" % each)).mkdir(parents=True, exist_ok=True)
    playbook = Playbook(os.environ, "--inventory", make_inventory(folder, number), "--forks", str(FORKS))
    playbook.run(*SITE)
    weights: dict[tuple[str, ...], list[Weight]] = {PING: [], SITE: []}

    def timed(what: tuple[str, ...]) -> t.Callable[[], None]:
        return lambda: weights[what].append(playbook.weighed(*what))

    ping, site = in_turns([timed(PING), timed(SITE)], rounds)
    medians = {what: Weight(*(statistics.median(sizes) for sizes in zip(*each))) for what, each in weights.items()}
    notes = {
        what: "controller %d MB, with forks %d MB" % (each.controller / 1e6, each.together / 1e6)
        for what, each in medians.items()
    }
    if rounds > 1:
        notes[SITE] += "; " + in_text(playbook.counts(*SITE))
    processor = {what: [each.processor for each in weights[what]] for what in weights}
    return [
        Row("ping, %d hosts" % number, ping, note=notes[PING]),
        Row("site.yml, %d hosts" % number, site, ping, notes[SITE]),
        Row("ping, %d hosts, processor" % number, processor[PING]),
        Row("site.yml, %d hosts, processor" % number, processor[SITE], processor[PING]),
    ]


def further_host(fewest: t.Sequence[Row], most: t.Sequence[Row], sizes: t.Sequence[int]) -> list[Row]:
    """What one more host adds to a ping and to the site, as seconds that pass and as seconds of the processor."""
    added = [
        (statistics.median(last.seconds) - statistics.median(first.seconds)) / (sizes[-1] - sizes[0])
        for first, last in zip(fewest, most)
    ]
    what = "a further host, %d to %d" % (sizes[0], sizes[-1])
    return [
        Row(what + ": ping", added[:1]),
        Row(what + ": site.yml", added[1:2], added[:1], "goal: at most 1.2"),
        Row(what + ": ping, processor", added[2:3]),
        Row(what + ": site.yml, processor", added[3:], added[2:3]),
    ]


def run(rounds: int) -> list[Row]:
    """Time each number of hosts; more than a hundred once, since it takes minutes."""
    if not (CHECKOUT / ".site").is_dir():
        raise SystemExit("expected what make site makes; found no folder .site; remedy: make site")
    sizes = sorted({int(size) for size in os.environ.get("BENCH_SIZES", "10,100,1000").split(",")})
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-bench-") as name:
        folder = pathlib.Path(name)
        make_toolkit(folder / "cuda")
        found = [rows_of(size, folder, 1 if size > 100 else rounds) for size in sizes]
    rows = [row for rows in found for row in rows]
    return rows + (further_host(found[0], found[-1], sizes) if len(sizes) > 1 else [])
