# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submits a script to Slurm, once. Private to hpc.pytorch."""

from __future__ import annotations

import time

from ..._common.errors import UserError
from ..._files.progress import Progress
from ..client import Slurm
from ..errors import SlurmError, SlurmSilent, no_answer
from ..model.controller import Settings
from ..poll import Stop
from ..sbatch.answer import remedy_of_refusal
from .record import TOKEN, Mark, Record, RecordFile
from .request import Request

# An sbatch that has not answered is killed after two minutes; see client.py.
_LATE = 150.0
_PAUSE = 1.0
# Seconds by which the clocks of this machine and of the controller may differ.
_SKEW = 60.0


class Submission:
    """The submission of one script."""

    def __init__(
        self, slurm: Slurm, files: RecordFile, request: Request, settings: Settings, stop: Stop, progress: Progress
    ) -> None:
        self._slurm, self._files, self._request = slurm, files, request
        self._settings, self._stop, self._progress = settings, stop, progress

    def make(self, force: bool) -> tuple[Record, bool]:
        """The job of the script, and whether it was submitted now.

        :arg force: submit also if the record says that it has been.
        :raises UserError: Slurm refuses it, or it is unknown whether an earlier submission arrived.
        """
        lost = 0
        while True:
            record = self._files.read()
            if record is not None and record.is_of(self._request) and not force:
                self._require_same_cluster(record)
                return record, False
            mark = self._files.mark()
            if mark is not None:
                self._resolve(mark)
                continue
            mark = self._files.begin(self._request)
            if mark is not None:
                record = self._submit(mark, last=bool(lost))
                if record is not None:
                    return record, True
                lost += 1

    def _submit(self, mark: Mark, last: bool) -> Record | None:
        """Submit it; None if it is unknown whether Slurm has it: then the mark stays, to search the queue for it.

        :arg last: raise an error rather than to leave that to the next turn.
        """
        comment = " ".join(part for part in (self._request.comment, mark.token) if part)
        try:
            job, elsewhere = self._slurm.submit_file(
                [*self._request.arguments, "--comment=" + comment], self._request.path
            )
        except SlurmSilent as error:
            if not error.sent:
                self._files.note_end(mark)
            if last or not error.sent:
                raise no_answer(error) from error
            return None
        except SlurmError as error:
            return self._refused(mark, error)
        return self._keep(mark, job, elsewhere)

    def _refused(self, mark: Mark, error: SlurmError) -> Record:
        """The job all the same, if Slurm has it.

        :raises UserError: Slurm refused it.
        """
        self._files.note_end(mark)
        try:
            found = self._find(mark)
        except SlurmError:
            # The mark stays: the next run asks.
            raise refused(self._request, error) from error
        if found is None:
            self._files.end(mark)
            raise refused(self._request, error) from error
        return self._keep(mark, *found)

    def _find(self, mark: Mark) -> tuple[str, str] | None:
        """The number of the job that has the mark, and the other cluster that it is on; None if Slurm has none."""
        for cluster in mark.clusters.split(","):
            found = self._slurm.on(cluster.strip()).marked(mark.token, mark.owner)
            if found is not None:
                return found
        return None

    def _keep(self, mark: Mark, job: str, elsewhere: str) -> Record:
        cluster = elsewhere or self._settings.cluster
        record = Record(job, mark.digest, mark.arguments, cluster, elsewhere, mark.since, (), mark.token)
        self._files.write(record)
        self._files.end(mark)
        return record

    def _resolve(self, mark: Mark) -> None:
        """Find out what became of another run's submission, or wait a moment for it."""
        # Before the question: what its answer does not have, had not arrived by then.
        age = time.time() - mark.since
        found = self._find(mark)
        if found is not None and (mark.over or age >= _PAUSE):
            self._keep(mark, *found)
        elif mark.over:
            # sbatch said so, and the queue agrees.
            self._files.end(mark)
        elif age < _LATE:
            self._progress.report("submit", "another run is submitting %s" % self._request.path)
            why = self._stop.wait(_PAUSE)
            if why:
                raise UserError(
                    "no interruption of the wait for another run that submits %s" % self._request.path,
                    "an interruption (%s)" % why,
                    "run it again",
                )
        elif age < self._settings.remembers or self._not_recorded(mark):
            # Slurm would know the job.
            self._require_no_unmarked(mark)
            self._files.end(mark)
        else:
            raise UserError(
                "a job of the submission that was interrupted %d minutes ago, or a proof that there is none"
                % (age / 60),
                "no job with its mark in the queue, and Slurm forgets a job %d s after its end"
                % self._settings.remembers,
                "look for its output; then remove %s.submitting to submit it again" % self._files.path,
            )

    def _require_no_unmarked(self, mark: Mark) -> None:
        """Submit nothing if the job may be there without its mark: a site may write a comment of its own over it."""
        for cluster in mark.clusters.split(","):
            slurm = self._slurm.on(cluster.strip())
            job = slurm.unmarked(self._request.path, mark.since - _SKEW, TOKEN, mark.owner)
            if job is not None:
                raise UserError(
                    "no other job of %s since its submission was interrupted" % self._request.path,
                    "job %s of the same script without a mark in its comment, which the site may have written over"
                    % job,
                    "if it is the job of that submission, wait for it with job_id: %s, or scancel it; then remove"
                    " %s.submitting to submit the script again" % (job, self._files.path),
                )

    def _not_recorded(self, mark: Mark) -> bool:
        """Whether there is a database, and no such job in it."""
        if not self._settings.accounting:
            return False
        clusters = self._slurm.on(mark.clusters)
        return not clusters.recorded_since(mark.job_name, mark.since - 60, mark.owner)

    def _require_same_cluster(self, record: Record) -> None:
        here = self._settings.cluster
        if record.cluster and here and not record.elsewhere and record.cluster != here:
            raise UserError(
                "a record of the job of %s on cluster %s" % (self._request.path, here),
                "a record that it was submitted to cluster %s" % record.cluster,
                "submit it here too with force: true, or keep a record for each cluster with record",
            )


def refused(request: Request, error: SlurmError) -> UserError:
    """The error of a script that sbatch refuses."""
    message = str(error)
    return UserError(
        "a job script that sbatch accepts at %s" % request.path, message, remedy_of_refusal(message, request.path)
    )
