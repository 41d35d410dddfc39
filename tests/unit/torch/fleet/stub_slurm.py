# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Slurm's commands. It prints what Slurm 22.05 printed in the same case.

It is one program under five names, with the state of the cluster and its jobs in a folder. The tasks of a job really
run, one after the other, when the queue is polled.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

STATE = pathlib.Path(os.environ["STUB_SLURM"])


def load(name):
    path = STATE / name
    return json.loads(path.read_text()) if path.exists() else {}


def save(name, value):
    (STATE / name).write_text(json.dumps(value))


def sinfo():
    if load("cluster").get("private"):
        # As of 22.05 to an ordinary user, with PrivateData=nodes.
        sys.exit("slurm_load_node: Access/permission denied")
    for name, node in load("cluster")["nodes"].items():
        if node.get("hidden"):
            continue
        for partition in node.get("partitions", ["gpu"]):
            print("%s|%s|%s|%s" % (name, node.get("state", "idle"), partition, node.get("reason", "none")))


def sbatch():
    arguments = sys.argv[1:]
    with (STATE / "submitted").open("a") as stream:
        stream.write(json.dumps(arguments) + "\n")
    cluster, jobs = load("cluster"), load("jobs")
    if "--test-only" in arguments:
        print(
            "sbatch: Job 4 to start at 2026-11-24T14:36:13 using 1 processors on nodes t1 in partition gpu",
            file=sys.stderr,
        )
        return
    if cluster.get("refuse") and cluster["refuse"] in arguments:
        sys.exit(
            "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified"
        )
    last = int(re.search(r"--array=0-(\d+)%", " ".join(arguments)).group(1))
    number = str(len(jobs) + 1)
    output = next(argument for argument in arguments if argument.startswith("--output=")).partition("=")[2]
    tasks = {str(index): {"state": "PENDING", "reason": "JobHeldUser", "wanted": ""} for index in range(last + 1)}
    jobs[number] = {"script": sys.stdin.read(), "output": output, "tasks": tasks}
    save("jobs", jobs)
    comment = next(argument for argument in arguments if argument.startswith("--comment="))
    (STATE / "comments").open("a").write("%s|%s|%s\n" % (number, number, comment.partition("=")[2]))
    if cluster.get("lost"):
        sys.exit("sbatch: error: Batch job submission failed: %s" % cluster["lost"])
    print(number)


def scontrol():
    if sys.argv[1:] == ["show", "config"]:
        print(
            "Configuration data as of 2026-11-24T14:36:13\nMaxArraySize            = %d\nSuspendProgram          = %s"
            % (load("cluster").get("largest", 1001), load("cluster").get("suspend", "/opt/suspend"))
        )
        return
    if sys.argv[1:] == ["--all", "--oneliner", "show", "partition"]:
        inside = {}
        for name, node in load("cluster")["nodes"].items():
            for partition in node.get("partitions", ["gpu"]):
                inside.setdefault(partition, []).append(name)
        for partition, members in inside.items():
            print("PartitionName=%s AllowGroups=ALL Default=NO Nodes=%s State=UP" % (partition, ",".join(members)))
        return
    jobs, names = load("jobs"), load("cluster")["nodes"]
    for line in sys.stdin.read().splitlines():
        print("scontrol: " + line)
        bind = re.fullmatch(r"update JobId=(\d+)_(\d+) ReqNodeList=(\S+)", line)
        if bind and names.get(bind.group(3), {}).get("unbindable"):
            print("%s_%s: Invalid node name specified" % bind.group(1, 2), file=sys.stderr)
        elif bind:
            jobs[bind.group(1)]["tasks"][bind.group(2)]["wanted"] = bind.group(3)
        elif line.startswith("release "):
            for task in jobs[line.split()[1]]["tasks"].values():
                if task["state"] == "PENDING":
                    task["reason"] = "None"
    save("jobs", jobs)


def advance(number, job, index, task, nodes):
    """What happens to a task between two polls of the queue."""
    node = nodes[task["wanted"]]
    becomes = node.get("becomes", "runs")
    if becomes == "runs":
        with open(job["output"].replace("%A", number).replace("%a", index), "w") as output:
            done = subprocess.run(
                ["/bin/sh", "-s"],
                input=job["script"],
                env=dict(os.environ, SLURM_ARRAY_TASK_ID=index, SLURMD_NODENAME=node.get("lands_on", task["wanted"])),
                stdout=output,
                stderr=output,
                text=True,
                check=False,
            )
        task.update(
            state="FAILED" if done.returncode else "COMPLETED", reason="NonZeroExitCode" if done.returncode else "None"
        )
    elif becomes == "vanishes":
        task["gone"] = True
    elif becomes.startswith("waits: "):
        task["reason"] = becomes[7:]
    else:
        task.update(state=becomes, reason="None")


def squeue():
    asked = sys.argv[-1].partition("=")[2].split(",")
    cluster, jobs = load("cluster"), load("jobs")
    if cluster.get("silent"):
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    if sys.argv[-1].startswith("--format="):
        if cluster.get("lost_for_good"):
            sys.exit("slurm_load_jobs error: Socket timed out on send/recv operation")
        print((STATE / "comments").read_text(), end="")
        return
    for number in asked:
        tasks = jobs[number]["tasks"]
        # Slurm skips an array once one of its tasks cannot start.
        blocked = [task for task in tasks.values() if cluster["nodes"].get(task["wanted"], {}).get("taken")]
        for index, task in tasks.items():
            if task["state"] == "PENDING" and task["reason"] != "JobHeldUser":
                if blocked:
                    task["reason"] = "Resources"
                else:
                    advance(number, jobs[number], index, task, cluster["nodes"])
            if not task.get("gone"):
                nodes = "" if task["state"] == "PENDING" else task["wanted"]
                print(
                    "%s|%s|%s|%s|%s|%s|%s"
                    % (number, number, index, task["state"], nodes, task["wanted"], task["reason"])
                )
    save("jobs", jobs)
    if cluster.get("tell"):
        with open(cluster["tell"], "w") as stream:
            stream.write("polled\n")


def scancel():
    jobs = load("jobs")
    for name in sys.argv[2:]:
        number, unused, index = name.partition("_")
        for key, task in jobs[number]["tasks"].items():
            if not index or key == index:
                task["cancelled"] = True
                if task["state"] in ("PENDING", "RUNNING"):
                    task["state"] = "CANCELLED"
    save("jobs", jobs)


if __name__ == "__main__":
    {"sinfo": sinfo, "sbatch": sbatch, "scontrol": scontrol, "squeue": squeue, "scancel": scancel}[
        pathlib.Path(sys.argv[0]).name
    ]()
