# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An unchanged site.yml on ten machines over ssh, next to a playbook of Ansible's own modules and a ping.

The machines are the containers of molecule/bench. The naive playbook does the guide's steps in seven tasks on each
host, without a torch.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import subprocess
import tempfile
import typing as t

from playbook import CHECKOUT, PLAYBOOKS, Playbook, in_text
from run import Row, in_turns

FORKS = 10
PING = str(PLAYBOOKS / "ping.yml")
NAIVE = str(PLAYBOOKS / "naive.yml")
SITE = "hpc.pytorch.site"
WITHOUT = (SITE, "--skip-tags", "verdict")
# Ten times import torch on a busy machine: slow is no failure here.
PATIENT = ("--extra-vars", "torch_check_timeout=1200")


def molecule(action: str, environment: t.Mapping[str, str]) -> None:
    """Let Molecule do one step of the scenario. Its output is shown only if it fails."""
    done = subprocess.run(
        ["tools/molecule.sh", action, "-s", "bench"],
        cwd=CHECKOUT,
        # The engine keeps its images where this user has them, and tools/molecule.sh what it made once in the cache.
        env=dict(
            environment,
            HOME=pwd.getpwuid(os.geteuid()).pw_dir,
            XDG_CACHE_HOME=str(pathlib.Path(os.environ["HPC_TEST_CACHE"]).parent),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit("%s\nmolecule %s -s bench failed, see above" % (done.stdout, action))


def run(rounds: int) -> list[Row]:
    """The machines are made and configured first, which is not timed, and removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "environment"
        environment = dict(os.environ, HPC_BENCH_ENVIRONMENT=str(file))
        try:
            molecule("converge", environment)
            started = json.loads(file.read_text(encoding="utf-8"))
            inventory = started["MOLECULE_EPHEMERAL_DIRECTORY"] + "/inventory"
            playbook = Playbook(started, "--inventory", inventory, "--forks", str(FORKS), *PATIENT)
            playbook.run(NAIVE)
            whats = {"ping": (PING,), "naive": (NAIVE,), "without": WITHOUT, "with": (SITE,)}
            notes = {name: in_text(playbook.counts(*arguments)) for name, arguments in whats.items()}
            timed = in_turns([lambda each=each: playbook.unchanged(*each) for each in whats.values()], rounds)
        finally:
            molecule("destroy", environment)
    ping, naive, without, whole = timed
    return [
        Row("ping, %d hosts" % FORKS, ping, note=notes["ping"]),
        Row("naive playbook", naive, ping, notes["naive"]),
        Row("site.yml unchanged, without the verdict", without, naive, notes["without"] + "; goal: at most 0.4"),
        Row("site.yml unchanged", whole, naive, notes["with"]),
    ]
