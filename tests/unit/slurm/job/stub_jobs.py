# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Slurm's commands around one job. It prints what Slurm 22.05 printed in the same case.

It is one program under five names. In its folder ``scene`` has what each poll of a job finds, ``jobs`` has the jobs,
and ``calls`` has the calls of the commands.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time

STATE = pathlib.Path(os.environ["STUB_SLURM"])
SHOWN = (
    "JobId=%(id)s%(top)s JobName=%(name)s UserId=%(user)s GroupId=alice(2000) JobState=%(state)s"
    " Reason=%(reason)s Dependency=(null)"
    " Requeue=1 Restarts=%(restarts)s BatchFlag=1 ExitCode=%(exit)s SubmitTime=%(submitted)s NodeList=%(nodes)s"
    " Command=%(script)s WorkDir=/ Comment=%(comment)s StdErr=%(out)s StdOut=%(out)s%(end)s Power="
)


def load(name, default):
    path = STATE / name
    return json.loads(path.read_text()) if path.exists() else default


def save(name, value):
    (STATE / name).write_text(json.dumps(value))


def known(number):
    """The job, and what this poll finds of it; the last state of a scene stays."""
    jobs = load("jobs", {})
    job = jobs.get(number.partition("_")[0])
    if job is None:
        return None, None
    if job.get("cancelled"):
        return job, [{"state": "CANCELLED", "exit": "0:15", "nodes": "n1"}]
    polls = SCENE.get("polls", [[{"state": "COMPLETED", "nodes": "n1"}]])
    seen = polls[min(job["polls"], len(polls) - 1)]
    job["polls"] += 1
    save("jobs", jobs)
    return job, seen


def submit():
    if "--test-only" in sys.argv:
        if SCENE.get("refuses"):
            sys.exit("allocation failure: %s" % SCENE["refuses"])
        print(
            "sbatch: Job 9 to start at 2026-11-24T14:36:13 using 1 processors on nodes n1 in partition gpu",
            file=sys.stderr,
        )
        return
    if SCENE.get("refuses"):
        sys.exit("sbatch: error: Batch job submission failed: %s" % SCENE["refuses"])
    jobs = load("jobs", {})
    number = str(len(jobs) + 7)
    comment = next(argument for argument in sys.argv if argument.startswith("--comment=")).partition("=")[2]
    jobs[number] = {
        "script": sys.argv[-1],
        "comment": comment,
        "polls": 0,
        "out": os.path.join(os.getcwd(), "slurm-%s.out" % number),
        "submitted": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "cluster": SCENE.get("suffix", "").lstrip(";"),
        "owner": next((a.partition("=")[2] for a in sys.argv if a.startswith("--uid=")), str(os.geteuid())),
    }
    if not SCENE.get("lost") and SCENE.get("answer", {}).get("arrived", True):
        save("jobs", jobs)
    pathlib.Path(jobs[number]["out"]).write_text(SCENE.get("output", "one\ntwo\n"))
    if SCENE.get("killed"):
        # As when the machine of the play goes down: Slurm has the job, no record has its number.
        os.kill(os.getppid(), signal.SIGKILL)
    if "answer" in SCENE:
        answer = SCENE["answer"]
        print(answer.get("out", ""))
        print(answer["text"], file=sys.stderr)
        if answer["status"] < 0:
            os.kill(os.getpid(), -answer["status"])
        sys.exit(answer["status"])
    if SCENE.get("silent") or SCENE.get("lost"):
        sys.exit("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
    print(number + SCENE.get("suffix", ""))


def control():
    asked = next((a.partition("=")[2] for a in sys.argv if a.startswith("--clusters=")), "")
    if asked in SCENE.get("siblings", {}):
        SCENE["polls"] = SCENE["siblings"][asked]
    sys.argv = [argument for argument in sys.argv if not argument.startswith("--clusters=")]
    if sys.argv[1:] == ["show", "config"]:
        print(
            "ClusterName             = %s\nMinJobAge               = %d sec"
            % (SCENE.get("cluster", "campus"), SCENE.get("remembers", 300))
        )
        print("AccountingStorageType   = accounting_storage/%s" % ("slurmdbd" if SCENE.get("accounting") else "none"))
        return
    if sys.argv[1:3] == ["show", "hostnames"]:
        print("n1\nn2")
        return
    number = sys.argv[-1]
    job, seen = known(number)
    if seen == "away":
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    if seen == "nothing":
        return
    if not seen:
        sys.exit("slurm_load_jobs error: Invalid job id specified")
    for part in seen:
        task = " ArrayJobId=%s ArrayTaskId=%s" % (number, part["task"]) if "task" in part else ""
        filled = {"reason": "None", "restarts": 0, "exit": "0:0", "nodes": "(null)", "name": "job.sh"}
        filled.update(user="alice(%d)" % os.geteuid(), submitted=job["submitted"], comment=job["comment"], end="")
        filled.update(part)
        print(SHOWN % dict({"out": job["out"]}, id=number, top=task, script=job["script"], **filled))


def accounts():
    if any(argument.startswith("--starttime=") for argument in sys.argv):
        print("\n".join(load("jobs", {})))
    else:
        if SCENE.get("recorded") == "away":
            sys.exit("sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection")
        print("\n".join(SCENE.get("recorded", [])))


def queue():
    if SCENE.get("queue_away"):
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    options = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    for number, job in load("jobs", {}).items():
        asked = (options.get("--clusters", ""), options["--user"], "--all" in options)
        if asked == (job["cluster"], job["owner"], True) and "%o" in options["--format"]:
            print("|".join((number, job["submitted"], job["script"], SCENE.get("comment", job["comment"]))))
        elif asked == (job["cluster"], job["owner"], True):
            print("%s|%s|%s" % (number, number, SCENE.get("comment", job["comment"])))


def cancel():
    jobs = load("jobs", {})
    for number in (argument for argument in sys.argv[1:] if argument.isdigit()):
        jobs[number]["cancelled"] = True
    save("jobs", jobs)


if __name__ == "__main__":
    SCENE = load("scene", {})
    COMMAND = pathlib.Path(sys.argv[0]).name
    with (STATE / "calls").open("a") as stream:
        stream.write(json.dumps([COMMAND, *sys.argv[1:]]) + "\n")
    {"sbatch": submit, "scontrol": control, "squeue": queue, "sacct": accounts, "scancel": cancel}[COMMAND]()
