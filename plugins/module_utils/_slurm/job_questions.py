# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slurm's commands are asked about jobs. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import time
import typing as t
import uuid

from .._common.lines import lines_of
from .caller import Caller, understood
from .errors import SlurmError
from .model.listing import QUEUE_FORMAT, Task, parse_queue

if t.TYPE_CHECKING:
    from .model.job.part import Part
    from .model.job.shown import Shown


class JobQuestions(Caller):
    """The part of ``Slurm`` that asks about jobs, and changes none."""

    def queue(self, jobs: t.Sequence[str]) -> list[Task]:
        """The tasks of *jobs* that the controller knows, ended ones too; none of a job that it has forgotten."""
        arguments = ["--noheader", "--array", "--states=all", "--format=" + QUEUE_FORMAT, "--jobs=" + ",".join(jobs)]
        output = self._run_for_job("squeue", arguments) or ""
        tasks = parse_queue(output)
        understood("squeue", output, tasks)
        return tasks

    def parts(self, job: str) -> list[Part]:
        """The parts of a job that the controller knows; none if it has forgotten the job."""
        return self.shown(job).parts

    def shown(self, job: str, own: bool = False) -> Shown:
        """As parts, with the user who owns the job.

        :arg own: the job is this user's, so its name and comment are not another user's.
        """
        # Here and not above: modules that ask for no job start sooner without it.
        from .model.job.rows import COLUMNS, corrected, parse_rows
        from .model.job.shown import read_job

        output = self._run_for_job("scontrol", ["--oneliner", "show", "job", job])
        shown = read_job(output or "")
        if output is not None and not shown.parts:
            raise SlurmError("scontrol printed no job %s but %r" % (job, " ".join(output.split())[:200]))
        if own or shown.sure or shown.owners == {os.geteuid()}:
            return shown
        columns = ",".join("%s:%d" % column for column in COLUMNS)
        arguments = ["--all", "--noheader", "--array", "--states=all", "--Format=" + columns, "--jobs=" + job]
        output = self._run_for_job("squeue", arguments) or ""
        rows = parse_rows(output)
        if not rows and output.strip():
            # A squeue that prints something else.
            return shown
        owners = frozenset(row.owner for row in rows)
        return shown._replace(parts=corrected(shown.parts, rows), owners=owners, sure=True)

    def recorded_parts(self, job: str, owner: int | None = None) -> list[Part]:
        """The parts of a job in the accounting database.

        :arg owner: the number of the user who owns the job; None for any.
        """
        from .model.job.accounting import parse_accounting

        columns = "--format=JobID,JobName,State,ExitCode,NodeList"
        # A name may have any separator that its owner knows.
        mark = "<%s>" % uuid.uuid4().hex
        user = [] if owner is None else ["--user=%d" % owner]
        output = self._account([columns, "--delimiter=" + mark, "--jobs=" + job, *user])
        parts = parse_accounting(output, mark)
        if mark not in output:
            understood("sacct", output, parts)
        return parts

    def recorded_since(self, name: str, since: float, owner: str = "") -> list[str]:
        """The numbers of a user's jobs called *name* that the database has since a time.

        :arg owner: name or number of the user; empty for this one.
        """
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        user = "--user=" + (owner or str(os.geteuid()))
        lines = lines_of(self._account(["--format=JobID", user, "--name=" + name, "--starttime=" + start]))
        return [line.strip() for line in lines if line.strip()]

    def _account(self, arguments: t.Sequence[str]) -> str:
        return self._run("sacct", ["--noheader", "--parsable2", "--allocations", *arguments]).stdout

    def marked(self, mark: str, owner: str = "") -> tuple[str, str] | None:
        """The number of a user's job whose comment holds *mark*, and its cluster; None if the controller knows none.

        :arg owner: name or number of the user; empty for this one.
        """
        from .model.job.marked import FORMAT, marked

        return marked(self._all_of(owner, FORMAT), mark, self._on_cluster)

    def unmarked(self, path: str, since: float, mark: str, owner: str = "") -> str | None:
        """The number of a user's job of the script at *path* that was submitted since a time and has no mark at all.

        :arg mark: what every mark begins with.
        :arg owner: as in marked.
        """
        from .model.job.marked import FORMAT_OF_SCRIPTS, unmarked

        return unmarked(self._all_of(owner, FORMAT_OF_SCRIPTS), path, since, mark)

    def _all_of(self, owner: str, columns: str) -> str:
        """squeue's lines of a user's jobs, those of hidden partitions too."""
        user = "--user=" + (owner or str(os.geteuid()))
        output = self._run("squeue", ["--all", "--noheader", "--states=all", user, "--format=" + columns]).stdout
        understood("squeue", output, re.search(r"^(\d+\||CLUSTER: )", output, re.MULTILINE))
        return output

    def show_job(self, job: str) -> list[dict[str, str]]:
        """What Slurm knows about a job, one mapping for each of its tasks."""
        return self._pairs(["--oneliner", "show", "job", job])

    def jobs(self) -> list[dict[str, str]]:
        """What Slurm knows about every job that it has not forgotten, those of hidden partitions too."""
        return self._pairs(["--all", "--oneliner", "show", "job"])

    def _pairs(self, arguments: t.Sequence[str]) -> list[dict[str, str]]:
        from .model.job.shown import show_pairs

        return show_pairs(self._run("scontrol", arguments).stdout)
