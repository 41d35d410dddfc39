# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scontrol and sacct of Slurm 22.05 printed about jobs."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.accounting import parse_accounting
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.part import Part, exit_status, indices
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.shown import parse_job

REST = (
    "UserId=alice(2000) GroupId=alice(2000) MCS_label=N/A Priority=1 Nice=0 Account=(null) QOS=(null)"
    " JobState=%s Reason=%s Dependency=(null)"
    " Requeue=1 Restarts=%d BatchFlag=1 Reboot=0 ExitCode=%s RunTime=00:00:01 ReqNodeList=(null)"
    " ExcNodeList=(null) NodeList=%s BatchHost=n1"
    " NumNodes=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:* Command=/home/alice/b.sh WorkDir=/home/alice"
    " %sStdErr=/home/alice/e.out StdIn=/dev/null"
    " StdOut=/home/alice/b.out Power= "
)


def line(top, name="b.sh", state="RUNNING", reason="None", restarts=0, status="0:0", nodes="n1", comment=""):
    return "%s JobName=%s %s\n" % (top, name, REST % (state, reason, restarts, status, nodes, comment))


def test_a_job_of_its_own():
    (part,) = parse_job(
        line("JobId=7", state="FAILED", reason="NonZeroExitCode", restarts=2, status="3:0", nodes="n[1-2]")
    )
    assert part == Part(
        "", "FAILED", "NonZeroExitCode", "7", "b.sh", 3, 0, "n[1-2]", 2, "/home/alice/b.out", "/home/alice/e.out"
    )


def test_tasks_of_an_array_that_wait_are_parts_too():
    text = line("JobId=7 ArrayJobId=7 ArrayTaskId=4-8:2,11%2 ArrayTaskThrottle=2", state="PENDING", nodes="(null)")
    text += line("JobId=9 ArrayJobId=7 ArrayTaskId=0 ArrayTaskThrottle=2", state="COMPLETED")
    assert [(part.name, part.state, part.number, part.nodes) for part in parse_job(text)] == [
        ("4", "PENDING", "7", ""),
        ("6", "PENDING", "7", ""),
        ("8", "PENDING", "7", ""),
        ("11", "PENDING", "7", ""),
        ("0", "COMPLETED", "9", "n1"),
    ]


def test_components_of_a_heterogeneous_job():
    tops = ("JobId=7 HetJobId=7 HetJobOffset=0", "JobId=8 HetJobId=7 HetJobOffset=1")
    parts = parse_job("".join(line(top, name="b.sh HetJobIdSet=7-8") for top in tops))
    assert [(part.name, part.number, part.job_name) for part in parts] == [("+0", "7", "b.sh"), ("+1", "8", "b.sh")]


def test_words_of_a_persons_are_not_taken_for_slurms():
    name, comment = "x UserId=1 JobState=COMPLETED ExitCode=0:0", "Comment=JobState=COMPLETED NodeList=n9 "
    (part,) = parse_job(line("JobId=7", name=name, state="FAILED", status="9:0", comment=comment))
    assert (part.state, part.exit_code, part.nodes, part.job_name) == (
        "FAILED",
        9,
        "n1",
        "x UserId=1 JobState=COMPLETED ExitCode=0:0",
    )


def test_the_database():
    text = (
        "7|b.sh|CANCELLED by 2000|0:15|n1\n8_0|a|COMPLETED|0:0|n[1-2]\n8_[1-3%2]|a|PENDING|0:0|None assigned\n"
        "9+1|h|b|FAILED|2:0|n1\n"
    )
    assert parse_accounting(text) == [
        Part("", "CANCELLED", "by user 2000", job_name="b.sh", signal=15, nodes="n1"),
        Part("0", "COMPLETED", job_name="a", nodes="n[1-2]"),
        Part("+1", "FAILED", job_name="h|b", exit_code=2, nodes="n1"),
    ]


@pytest.mark.parametrize(
    "text, found", [("0-7:2,9%4", [0, 2, 4, 6, 9]), ("5", [5]), ("1-3", [1, 2, 3]), ("", []), ("N/A", []), ("3-1", [])]
)
def test_indices_of_an_array(text, found):
    assert indices(text) == found


@pytest.mark.parametrize("text, found", [("3:0", (3, 0)), ("0:15", (0, 15)), ("", (0, 0)), ("x:y", (0, 0))])
def test_exit_codes(text, found):
    assert exit_status(text) == found
