# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submit, wait for, or cancel one job. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._common.progress import Progress
from ..._common.trust import require_trusted_place
from ..client import Slurm, SlurmError, no_answer
from ..model.controller import Settings
from ..model.job import Part
from ..model.states import FAILED, is_final, state_of
from ..stop import Stop
from .follow import JobFollow
from .lint import as_result, as_warning, findings, refuse
from .output import output_path, tail_of
from .record import Record, RecordFile, default_path
from .request import Request, request_of
from .result import Result, failure_of, result_of
from .submit import Submission, refused
from .wait import JobWait

# A job that was cancelled is gone after KillWait and its epilog.
_ENDING = 300.0
NO_JOB: Result = {
    "job_id": None,
    "job_name": "",
    "job_state": None,
    "reason": "",
    "exit_code": None,
    "signal": None,
    "restarts": 0,
    "nodes": [],
    "stdout_file": "",
    "stdout_tail": [],
    "stderr_tail": [],
    "tasks": [],
}


class Options(t.NamedTuple):
    """The module's options.

    :arg until: what shall be true in the end: submitted, completed or cancelled.
    :arg tail: how many of the last lines of the output come back.
    :arg lint: what becomes of mistakes in a script that is to be submitted: off, warn or refuse.
    """

    script: str | None
    job_id: str | None
    until: str
    arguments: tuple[str, ...]
    timeout: int | None
    on_timeout: str
    force: bool
    tail: int
    record: str | None
    bin_dir: str | None
    lint: str = "warn"


class Work:
    """One call of the module."""

    def __init__(self, options: Options, progress: Progress, warn: t.Callable[[str], None], check_mode: bool) -> None:
        self._options, self._progress, self._warn, self._check_mode = options, progress, warn, check_mode
        self._slurm = Slurm(options.bin_dir)
        self._settings: Settings | None = None
        self._found: Result = {}

    def run(self) -> Result:
        """Do it, and return the result.

        :raises UserError: also for a job that did not end well, where that was asked for.
        """
        try:
            if self._options.script is None:
                return self._of_job(t.cast(str, self._options.job_id))
            return dict(self._of_script(self._options.script), **self._found)
        except SlurmError as error:
            raise no_answer(error) from error

    # --- by script ---

    def _of_script(self, script: str) -> Result:
        path = self._options.record or default_path(script)
        require_trusted_place(path, "record of the submission")
        files = RecordFile(path)
        record = files.read()
        if self._options.until == "cancelled":
            if record is None:
                return dict(NO_JOB, changed=False, summary="%s has not been submitted" % script)
            return self._cancel(self._waiting(record, files))
        if self._check_mode and not os.path.lexists(script):
            # A run would write it first.
            return dict(
                NO_JOB,
                changed=True,
                summary="would submit %s, which is not there yet, so sbatch was not asked" % script,
            )
        request = request_of(script, self._options.arguments)
        if record is not None and record.is_of(request) and not self._options.force:
            if self._check_mode or (record.parts and all(is_final(part.state) for part in record.parts)):
                return self._known(self._waiting(record, files), submitted=False)
        else:
            self._lint(request)
            if self._check_mode:
                return self._would_submit(request)
        with Stop() as stop:
            made, submitted = Submission(self._slurm, files, request, self.settings, stop, self._progress).make(
                self._options.force
            )
            if submitted and record is not None and record.job_id != made.job_id:
                self._tell_of_the_one_before(record)
            return self._finish(self._waiting(made, files), stop, submitted)

    def _lint(self, request: Request) -> None:
        if self._options.lint == "off":
            return
        found = findings(request)
        self._found = {"lint": as_result(found)}
        if self._options.lint == "refuse":
            refuse(request, found)
        for finding in found:
            self._warn(as_warning(request, finding))

    def _would_submit(self, request: Request) -> Result:
        try:
            says = self._slurm.try_submit_file(request.arguments, request.path)
        except SlurmError as error:
            raise refused(request, error) from error
        return dict(NO_JOB, changed=True, summary="would submit %s: %s" % (request.path, " ".join(says.split())))

    def _tell_of_the_one_before(self, record: Record) -> None:
        # What was submitted a moment ago must not be lost over this question.
        try:
            active = [part for part in self._slurm.parts(record.job_id) if not is_final(part.state)]
        except SlurmError:
            return
        if active:
            self._warn(
                "job %s of an earlier submission of this script is still there (%s); scancel %s ends it"
                % (record.job_id, active[0].state, record.job_id)
            )

    def _waiting(self, record: Record, files: RecordFile) -> JobWait:
        self._slurm = self._slurm.on(record.elsewhere)
        follow = JobFollow(record.parts)

        def save() -> None:
            if not self._check_mode:
                files.write(record._replace(parts=tuple(follow.parts.values())))

        return JobWait(self._slurm, record.job_id, follow, lambda: self.settings, self._progress, save)

    # --- by number ---

    def _of_job(self, job: str) -> Result:
        wait = JobWait(self._slurm, job, JobFollow(), lambda: self.settings, self._progress, lambda: None)
        if self._options.until == "cancelled":
            return self._cancel(wait)
        if self._check_mode:
            return self._known(wait, submitted=False)
        with Stop() as stop:
            return self._finish(wait, stop, submitted=False)

    # --- both ---

    @property
    def settings(self) -> Settings:
        """The controller's, asked for once and only where they count."""
        if self._settings is None:
            self._settings = self._slurm.settings()
        return self._settings

    def _known(self, wait: JobWait, submitted: bool) -> Result:
        """The job as it is, judged where it has ended."""
        if not wait.follow.over:
            wait.look()
            wait.save()
        result = self._result(wait)
        if (
            self._options.until == "completed"
            and not self._check_mode
            and state_of(result["job_state"]).phase == FAILED
        ):
            error = failure_of(result)
            again = (
                ""
                if submitted
                else "; an earlier run submitted it: change the script, or submit it again with force: true"
            )
            raise UserError(error.expected, error.found, error.remedy + again, **dict(error.details, changed=submitted))
        return dict(result, changed=submitted)

    def _finish(self, wait: JobWait, stop: Stop, submitted: bool) -> Result:
        if self._options.until == "submitted":
            return self._known(wait, submitted)
        why = wait.until_over(stop, self._options.timeout)
        if not why:
            return self._known(wait, submitted)
        result = dict(self._result(wait), changed=submitted)
        job = wait.job
        if wait.follow.held is not None:
            remedy = (
                "see scontrol show job %s; mend what the reason names and run it again to wait on, or scancel %s"
                % (job, job)
            )
        elif self._options.on_timeout == "cancel":
            self._slurm.cancel([job])
            wait.until_over(stop, _ENDING, patience=True)
            result = dict(self._result(wait), changed=submitted)
            remedy = "give it more time (timeout); it has been cancelled"
        else:
            remedy = "run it again to wait on; the job goes on, scancel %s ends it" % job
        raise UserError("job %s to end" % job, "%s; %s" % (why, result["summary"]), remedy, **result)

    def _cancel(self, wait: JobWait) -> Result:
        wait.look()
        if wait.follow.over or self._check_mode:
            return dict(self._result(wait), changed=not wait.follow.over)
        self._slurm.cancel([wait.job])
        with Stop() as stop:
            why = wait.until_over(stop, self._options.timeout or _ENDING, patience=True)
        result = dict(self._result(wait), changed=True)
        if why:
            found = "%s; %s" % (why, result["summary"])
            raise UserError("job %s to be gone after scancel" % wait.job, found, "look at its nodes", **result)
        return result

    def _result(self, wait: JobWait) -> Result:
        parts = wait.follow.parts
        for name, part in parts.items():
            parts[name] = part._replace(
                stdout=_path(part.stdout, part, wait.job), stderr=_path(part.stderr, part, wait.job)
            )
        return result_of(wait.job, wait.follow, lambda path: tail_of(path, self._options.tail))


def _path(path: str, part: Part, job: str) -> str:
    return output_path(path, part, job) if path else ""
