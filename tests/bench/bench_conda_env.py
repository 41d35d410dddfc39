# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An unchanged conda_env and a ping, in one run of ansible-playbook, on the environment of make site."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from run import Row

BENCH = pathlib.Path(__file__).resolve().parent
CHECKOUT = BENCH.parents[1]
PING, CONDA_ENV = "ansible.builtin.ping", "hpc.pytorch.conda_env"


def seconds(path: pathlib.Path) -> dict[str, list[float]]:
    """The times by action. A task that failed or changed something is not the one to time."""
    times: dict[str, list[float]] = {PING: [], CONDA_ENV: []}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["action"] not in times:
            continue
        if row["failed"] or row["changed"]:
            raise SystemExit(
                "%s was to find everything as it is; it %s"
                % (row["action"], "failed" if row["failed"] else "changed something")
            )
        times[row["action"]].append(row["seconds"])
    return times


def run(rounds: int) -> list[Row]:
    """Time pairs, one more than requested, since the first one warms the file cache. Needs the env of make site."""
    if not (CHECKOUT / ".site").is_dir():
        raise SystemExit("expected what make site makes; found no folder .site; remedy: make site")
    with tempfile.TemporaryDirectory() as folder:
        times_file = pathlib.Path(folder) / "times"
        environment = dict(
            os.environ,
            TASK_TIMES=str(times_file),
            ANSIBLE_CALLBACK_PLUGINS=str(BENCH.parent / "callback"),
            ANSIBLE_CALLBACKS_ENABLED="task_times",
        )
        done = subprocess.run(
            ["ansible-playbook", str(BENCH / "plays" / "conda_env.yml"), "-e", "bench_rounds=%d" % (rounds + 1)],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            raise SystemExit("ansible-playbook tests/bench/plays/conda_env.yml failed, see above")
        times = {action: values[1:] for action, values in seconds(times_file).items()}
    return [Row(PING, times[PING]), Row(CONDA_ENV + ", unchanged", times[CONDA_ENV], times[PING], "goal: at most 2")]
