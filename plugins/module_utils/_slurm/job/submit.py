# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a script to Slurm, once. Private to hpc.pytorch."""

from __future__ import annotations

import time

from ..._common.errors import UserError
from ..._common.progress import Progress
from ..client import Slurm, SlurmError, SlurmSilent
from ..model.controller import Settings
from ..stop import Stop
from .record import Mark, Record, RecordFile
from .request import Request

# A sbatch that is still at work is given up after two minutes, and killed; see client.py.
_LATE = 150.0
_PAUSE = 1.0


class Submission:
    """One script's way into the queue."""

    def __init__(
        self, slurm: Slurm, files: RecordFile, request: Request, settings: Settings, stop: Stop, progress: Progress
    ) -> None:
        self._slurm, self._files, self._request = slurm, files, request
        self._settings, self._stop, self._progress = settings, stop, progress

    def make(self, force: bool) -> tuple[Record, bool]:
        """The job of the script, and whether it was submitted now.

        :arg force: submit also where the record says that it has been.
        :raises UserError: Slurm does not take it, or nobody can tell whether an earlier submission arrived.
        """
        while True:
            record = self._files.read()
            if record is not None and record.is_of(self._request) and not force:
                self._require_same_cluster(record)
                return record, False
            mark = self._files.mark()
            if mark is not None:
                self._settle(mark)
                continue
            mark = self._files.begin(self._request)
            if mark is not None:
                record = self._submit(mark)
                if record is not None:
                    return record, True

    def _submit(self, mark: Mark) -> Record | None:
        comment = " ".join(part for part in (self._request.comment, mark.token) if part)
        try:
            job, elsewhere = self._slurm.submit_file(
                [*self._request.arguments, "--comment=" + comment], self._request.path
            )
        except SlurmSilent:
            # It may have arrived: the mark stays, and whoever finds it asks the queue.
            return None
        except SlurmError as error:
            self._files.end(mark)
            raise refused(self._request, error) from error
        return self._keep(mark, job, elsewhere)

    def _keep(self, mark: Mark, job: str, elsewhere: str) -> Record:
        record = Record(job, mark.digest, mark.arguments, elsewhere or self._settings.cluster, elsewhere, mark.since)
        self._files.write(record)
        self._files.end(mark)
        return record

    def _settle(self, mark: Mark) -> None:
        """Somebody submits at this moment, or was killed while doing so: find out, or wait a moment."""
        job = self._slurm.marked(mark.token)
        age = time.time() - mark.since
        if job is not None and age >= _PAUSE:
            self._keep(mark, job, "")
        elif age < _LATE:
            self._progress.report("submit", "another run is submitting %s" % self._request.path)
            why = self._stop.wait(_PAUSE)
            if why:
                raise UserError(
                    "to see whether another run submits %s" % self._request.path,
                    "an interruption (%s)" % why,
                    "run it again",
                )
        elif age < self._settings.remembers or self._not_recorded(mark):
            # Slurm would know it.
            self._files.end(mark)
        else:
            raise UserError(
                "to know whether a submission arrived that was interrupted %d minutes ago" % (age / 60),
                "no job of that mark in the queue, and Slurm forgets a job %d s after its end"
                % self._settings.remembers,
                "look for its output; then remove %s.submitting to submit it again" % self._files.path,
            )

    def _not_recorded(self, mark: Mark) -> bool:
        """Whether there is a database, and no such job in it."""
        return self._settings.accounting and not self._slurm.recorded_since(mark.job_name, mark.since - 60)

    def _require_same_cluster(self, record: Record) -> None:
        if (
            record.cluster
            and self._settings.cluster
            and not record.elsewhere
            and record.cluster != self._settings.cluster
        ):
            raise UserError(
                "the job of %s at cluster %s" % (self._request.path, self._settings.cluster),
                "a record that it was submitted to cluster %s" % record.cluster,
                "submit it here too with force: true, or keep a record for each cluster with record",
            )


def refused(request: Request, error: SlurmError) -> UserError:
    """sbatch did not take the script."""
    return UserError("sbatch to take %s" % request.path, str(error), "correct the option that it names")
