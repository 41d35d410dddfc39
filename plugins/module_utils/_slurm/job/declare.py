# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submits, waits for, or cancels one job. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._files.progress import Progress
from ..._files.trust import require_trusted_place
from ..client import Slurm
from ..errors import SlurmError, no_answer
from ..model.controller import Settings
from ..model.reasons import remedy_of
from ..model.states import FAILED, is_final, state_of
from ..poll import Stop
from .call import Options
from .identity import is_another, of_record
from .lint import as_result, as_warning, findings, refuse
from .parts import JobParts
from .record import Record, RecordFile, default_path
from .request import Request, request_of
from .result.result import NO_JOB, Result, failure_of, result_of
from .submit import Submission, refused
from .wait import JobWait

# A cancelled job is gone after KillWait and its epilog.
_ENDING = 300.0
# Seconds in which a controller that is there answers.
_PATIENCE = 5.0


class Work:
    """One call of the module."""

    def __init__(self, options: Options, progress: Progress, warn: t.Callable[[str], None], check_mode: bool) -> None:
        self._options, self._progress, self._warn, self._check_mode = options, progress, warn, check_mode
        self._slurm = Slurm(options.bin_dir)
        self._settings: Settings | None = None
        self._found: Result = {}

    def run(self) -> Result:
        """Do what the options ask for, and return the result.

        :raises UserError: also for a job that failed, if state is completed.
        """
        try:
            if self._options.script is None:
                return self._by_number(t.cast(str, self._options.job_id))
            return dict(self._by_script(self._options.script), **self._found)
        except SlurmError as error:
            raise no_answer(error) from error

    # --- by script ---

    def _by_script(self, script: str) -> Result:
        if self._options.state == "checked":
            request_of(script, self._options.arguments, self._options.relies_on)
            ping = self._slurm.ping(_PATIENCE)
            return dict(NO_JOB, changed=False, script=script, ping=ping, summary="%s can be submitted" % script)
        path = self._options.record or default_path(script)
        require_trusted_place(path, "record of the submission")
        files = RecordFile(path)
        record = files.read()
        if self._options.state == "cancelled":
            if record is None:
                return dict(NO_JOB, changed=False, summary="%s has not been submitted" % script)
            return self._cancel(self._wait_for(record, files))
        if self._check_mode and not os.path.lexists(script):
            # A run would write it first.
            return dict(
                NO_JOB,
                changed=True,
                summary="would submit %s, which is not there yet, so sbatch was not asked" % script,
            )
        request = request_of(script, self._options.arguments, self._options.relies_on)
        if record is not None and record.is_of(request) and not self._options.force:
            if self._check_mode or (record.parts and all(is_final(part.state) for part in record.parts)):
                return self._known(self._wait_for(record, files), submitted=False)
        else:
            self._lint(request)
            if self._check_mode:
                return self._would_submit(request)
        with Stop() as stop:
            made, submitted = Submission(self._slurm, files, request, self.settings, stop, self._progress).make(
                self._options.force
            )
            if submitted and record is not None and record.job_id != made.job_id:
                self._warn_of_earlier_job(record)
            return self._finish(self._wait_for(made, files), stop, submitted)

    def _lint(self, request: Request) -> None:
        if self._options.lint == "off":
            return
        found = findings(request, self._version)
        self._found = {"lint": as_result(found)}
        if self._options.lint == "refuse":
            refuse(request, found)
        for finding in found:
            self._warn(as_warning(request, finding))

    def _version(self) -> t.Sequence[int]:
        try:
            return self.settings.version
        except SlurmError:
            # The submission has its own words for a controller that does not answer.
            return ()

    def _would_submit(self, request: Request) -> Result:
        try:
            output = self._slurm.try_submit_file(request.arguments, request.path)
        except SlurmError as error:
            raise refused(request, error) from error
        return dict(NO_JOB, changed=True, summary="would submit %s: %s" % (request.path, " ".join(output.split())))

    def _warn_of_earlier_job(self, record: Record) -> None:
        # If this question fails, the job that was just submitted must still be recorded and waited for.
        try:
            shown = self._slurm.shown(record.job_id)
        except SlurmError:
            return
        active = [part for part in shown.parts if not is_final(part.state)]
        if active and not is_another(record, shown, os.geteuid() if _is_own(record) else None):
            self._warn(
                "job %s of an earlier submission of this script is still there (%s); scancel %s ends it"
                % (record.job_id, active[0].state, record.job_id)
            )

    def _wait_for(self, record: Record, files: RecordFile) -> JobWait:
        self._slurm = self._slurm.on(record.elsewhere)
        known = JobParts(record.parts)

        def save() -> None:
            if not self._check_mode:
                elsewhere = wait.elsewhere or record.elsewhere
                files.write(record._replace(parts=tuple(known.parts.values()), elsewhere=elsewhere))

        own = _is_own(record)
        another = of_record(record, os.geteuid() if own else None)
        wait = JobWait(self._slurm, record.job_id, known, lambda: self.settings, self._progress, save, own, another)
        return wait

    # --- by number ---

    def _by_number(self, job: str) -> Result:
        wait = JobWait(self._slurm, job, JobParts(), lambda: self.settings, self._progress, lambda: None)
        if self._options.state == "cancelled":
            return self._cancel(wait)
        if self._check_mode:
            return self._known(wait, submitted=False)
        with Stop() as stop:
            return self._finish(wait, stop, submitted=False)

    # --- both ---

    @property
    def settings(self) -> Settings:
        """The controller's settings, read once and only if they are needed."""
        if self._settings is None:
            self._settings = self._slurm.settings()
        return self._settings

    def _known(self, wait: JobWait, submitted: bool) -> Result:
        """The job as it is.

        :raises UserError: it failed, and state is completed.
        """
        if not wait.known.over:
            wait.poll()
            wait.save()
        result = self._result(wait)
        failed = state_of(result["job_state"]).phase == FAILED
        if self._options.state != "completed" or self._check_mode or not failed:
            return dict(result, changed=submitted)
        error = failure_of(result)
        again = "; an earlier run submitted it: change the script, or submit it again with force: true"
        remedy = error.remedy + ("" if submitted else again)
        raise UserError(error.expected, error.found, remedy, **dict(error.details, changed=submitted))

    def _finish(self, wait: JobWait, stop: Stop, submitted: bool) -> Result:
        if self._options.state == "submitted":
            return self._known(wait, submitted)
        why = wait.until_over(stop, self._options.timeout)
        if not why:
            return self._known(wait, submitted)
        result = self._result(wait)
        job = wait.job
        if wait.known.held is not None:
            of_state = state_of(wait.known.held.state).remedy
            remedy = "%s; scancel %s ends it" % (of_state, job) if of_state else remedy_of(wait.known.held.reason, job)
        elif self._options.on_timeout == "cancel" and not wait.reused:
            wait.cancel()
            wait.until_over(stop, _ENDING, patience=True)
            result = self._result(wait)
            remedy = "give it more time (timeout); it has been cancelled"
        else:
            remedy = "run it again to wait on; the job continues, scancel %s ends it" % job
        found = "%s; %s" % (why, result["summary"])
        raise UserError("the end of job %s" % job, found, remedy, **dict(result, changed=submitted))

    def _cancel(self, wait: JobWait) -> Result:
        wait.poll()
        if wait.known.over or wait.reused or self._check_mode:
            return dict(self._result(wait), changed=not wait.known.over and not wait.reused)
        wait.cancel()
        with Stop() as stop:
            why = wait.until_over(stop, self._options.timeout or _ENDING, patience=True)
        result = dict(self._result(wait), changed=True)
        if why:
            found = "%s; %s" % (why, result["summary"])
            raise UserError("the end of job %s after scancel" % wait.job, found, "check its nodes", **result)
        return result

    def _result(self, wait: JobWait) -> Result:
        return result_of(wait.job, wait.known, self._options.tail, wait.owner)


def _is_own(record: Record) -> bool:
    """Whether the job is the caller's own: root may submit for another user."""
    return not any(argument.partition("=")[0] == "--uid" for argument in record.arguments)
