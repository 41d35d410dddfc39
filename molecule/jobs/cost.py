"""Print what a task costs over ssh and over srun, to the same node in turn: ``cost.py FOLDER NODE``. Asserts nothing.

The steps are Alice's, in an allocation of hers; ssh goes to the same node as root with pipelining and ControlPersist.
Both enter their container through the engine, whose own cost is in the table too.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROUNDS = 5
TASKS = 10


def play(folder, node, options):
    """Seconds of a play of so many tasks."""
    tasks = [
        {"name": "Task %d" % number, "ansible.builtin.command": "true", "changed_when": False}
        for number in range(TASKS)
    ]
    path = folder / "cost.json"
    path.write_text(json.dumps([{"hosts": node, "gather_facts": False, "tasks": tasks}]))
    begin = time.perf_counter()
    subprocess.run(
        ["ansible-playbook", "--inventory", str(folder / "inventory"), "--extra-vars", json.dumps(options), str(path)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=dict(os.environ, ANSIBLE_PIPELINING="true"),
    )
    return time.perf_counter() - begin


def main():
    """Allocate, measure in turn, release, print."""
    folder, node = pathlib.Path(sys.argv[1]), sys.argv[2]
    front = folder / "front"
    told = subprocess.run(
        [front / "salloc", "--no-shell", "--job-name=cost", "--time=10", "--partition=titan", "--nodelist=" + node],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    job = re.search(r"job allocation (\d+)", told).group(1)
    srun = {"ansible_connection": "hpc.pytorch.srun", "ansible_srun_job_id": job, "ansible_srun_node": node}
    srun["ansible_srun_executable"] = str(front / "srun")
    seconds = {"ssh": [], "srun": []}
    try:
        for _round in range(ROUNDS):
            seconds["ssh"].append(play(folder, node, {}))
            seconds["srun"].append(play(folder, node, srun))
        begin = time.perf_counter()
        for _round in range(ROUNDS):
            subprocess.run([front / "scancel", "--version"], check=True, stdout=subprocess.DEVNULL)
        entering = (time.perf_counter() - begin) / ROUNDS
    finally:
        subprocess.run([front / "scancel", job], check=True)
    for name, times in seconds.items():
        print(
            "%-4s %.3f s a task (median of %d plays of %d tasks each)"
            % (name, statistics.median(times) / TASKS, ROUNDS, TASKS)
        )
    ratio = statistics.median(mine / other for mine, other in zip(seconds["srun"], seconds["ssh"]))
    print(
        "srun takes %.2f times as long; %.3f s of each step is the engine's way into the login node" % (ratio, entering)
    )


if __name__ == "__main__":
    main()
