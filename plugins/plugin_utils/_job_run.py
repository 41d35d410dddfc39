# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job script that role job_script ran has ended, through sbatch or with bash. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ._user_step.failures import Failure, failures_of

Ran = t.Mapping[str, t.Any]

# The exit status of timeout(1) for a command that it ended.
TOO_LONG = 124
# What is wrong if scontrol ping ends with one of these.
_SILENCE = {127: "there is no scontrol here"}


class Asked(t.NamedTuple):
    """What was asked for.

    script: the path of the script.
    seconds: how long it might wait and run.
    tail: how many last lines of its output the result has.
    ping: what ``scontrol ping`` under ``timeout`` ended with; 0 if Slurm answered, so that sbatch took the script.
    patience: seconds after which that was ended.
    """

    script: str
    seconds: int
    tail: int
    ping: int
    patience: int

    @classmethod
    def of(cls, given: t.Mapping[str, t.Any]) -> Asked:
        """From the options of a filter, whose numbers may be text."""
        numbers = {name: int(given[name]) for name in ("seconds", "tail", "ping", "patience")}
        return cls(script=str(given["script"]), **numbers)


class JobResult(t.TypedDict):
    """The fact ``job_script_result``; *complaint* is empty if the exit code is 0."""

    runner: str
    rc: int
    job_id: str
    output_file: str
    tail: list[str]
    summary: str
    complaint: str


def job_result(ran: Ran, asked: Asked) -> JobResult | None:
    """The result of one run.

    :arg ran: what the task registered, of slurm_job if Slurm answered, else of a command.
    :returns: None if nothing ran.
    """
    if asked.ping == 0:
        return _of_slurm(ran, asked) if ran.get("job_id") else None
    return _of_bash(ran, asked) if "stdout" in ran and "rc" in ran else None


def results_of_users(registered: Ran, asked: Asked) -> tuple[dict[str, JobResult], list[Failure]]:
    """The result of each user whose script ran, and the failures.

    :arg registered: what a task with each_user registered.
    """
    jobs: dict[str, JobResult] = {}
    failed: list[Failure] = []
    for each in registered.get("results", []):
        found = job_result(each, asked)
        if found is None:
            failed += failures_of(each, "job", each["user"])
            continue
        jobs[each["user"]] = found
        if found["complaint"]:
            failed.append(Failure(user=each["user"], step="job", reason=found["complaint"], late=False))
    return jobs, failed


def shown(jobs: t.Mapping[str, JobResult]) -> list[str]:
    """What a person reads about each user's job: one line if it went well, else the end of its output."""
    lines = []
    for user, job in jobs.items():
        lines += ["%s: %s" % (user, line) for line in ([job["summary"]] if job["rc"] == 0 else job["tail"])]
    return lines


def _of_slurm(ran: Ran, asked: Asked) -> JobResult:
    too_long = bool(ran.get("failed")) and "did not end within" in str(ran.get("msg", ""))
    code = ran.get("exit_code")
    rc = TOO_LONG if too_long else (code or 1) if ran.get("failed") else code
    tail = list(ran.get("stdout_tail") or [])
    summary = "%s ran through sbatch as job %s: %s; %s%s" % (
        asked.script,
        ran["job_id"],
        _longer(asked) if too_long else "exit code %s" % code,
        ran.get("summary", ""),
        _last(tail),
    )
    return _result(asked, "sbatch", int(rc or 0), str(ran["job_id"]), str(ran.get("stdout_file") or ""), tail, summary)


def _of_bash(ran: Ran, asked: Asked) -> JobResult:
    lines = str(ran["stdout"]).split("\n")
    rc = int(ran["rc"])
    if asked.ping == TOO_LONG:
        silence = "it did not answer within %d seconds" % asked.patience
    else:
        silence = _SILENCE.get(asked.ping, "no controller of it answers")
    end = (_longer(asked) if rc == TOO_LONG else "exit code %d" % rc) + _last(lines)
    summary = "%s ran with bash, as Slurm does not answer (%s): %s" % (asked.script, silence, end)
    return _result(asked, "bash", rc, "", "", lines[-asked.tail :], summary)


def _result(
    asked: Asked, runner: str, rc: int, job_id: str, output_file: str, tail: list[str], summary: str
) -> JobResult:
    complaint = (
        ""
        if rc == 0
        else (
            "expected %s to end with exit code 0; found: %s; remedy: see the end of its output, above%s"
            % (asked.script, summary, " and in %s" % output_file if output_file else "")
        )
    )
    return JobResult(
        runner=runner, rc=rc, job_id=job_id, output_file=output_file, tail=tail, summary=summary, complaint=complaint
    )


def _longer(asked: Asked) -> str:
    return "longer than %d seconds" % asked.seconds


def _last(lines: t.Sequence[str]) -> str:
    """The last line that is not empty, after a semicolon."""
    return next(("; " + line for line in reversed(lines) if line), "")
