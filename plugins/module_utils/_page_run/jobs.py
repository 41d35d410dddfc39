# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that the commands of a page submit: waited for, and none is left. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import shutil
import typing as t

from .._common.errors import UserError
from .._files.progress import Progress
from .._slurm.job.call import Options
from .._slurm.job.declare import Work

# What sbatch prints, and what it prints with --parsable.
_SUBMITTED = re.compile(r"^Submitted batch job ([0-9]+)|^([0-9]+)(?:;\S+)?$", re.MULTILINE)


class Jobs:
    """The jobs of one page.

    :arg path: gives PATH of the page's shell as it is now. A page may have loaded a module that has Slurm's commands.
    :arg first: PATH when the shell began.
    """

    def __init__(self, first: str, path: t.Callable[[], str | None], progress: Progress) -> None:
        self._path, self._progress = path, progress
        # Of Slurm's commands; None to search the PATH of the module.
        self._folder = _folder_on(first)
        self._left: list[str] = []

    def note(self, output: str, parsable: bool, answers: bool) -> list[str]:
        """The numbers of the jobs that a block has submitted according to its output.

        :arg parsable: whether a line that is only a number is one.
        :arg answers: whether the shell does; a block that hangs has it.
        """
        numbers = [first or (second if parsable else "") for first, second in _SUBMITTED.findall(output)]
        jobs = [job for job in dict.fromkeys(numbers) if job]
        self._left += jobs
        if jobs and answers:
            self._folder = _folder_on(self._path() or "") or self._folder
        return jobs

    def wait(self, job: str, seconds: int) -> str:
        """Wait for the end of a job. Returns why it did not succeed; an empty string if it did."""
        try:
            self._work(job, "completed", seconds)
        except UserError as error:
            # With the end of its output.
            return error.found
        self._left.remove(job)
        return ""

    def end(self) -> None:
        """Cancel the jobs that nobody has waited for: their folder is about to go."""
        while self._left:
            try:
                self._work(self._left.pop(), "cancelled", 60)
            except UserError:
                # It may have ended, and the error that matters is the page's.
                continue

    def _work(self, job: str, state: str, seconds: int) -> None:
        params: dict[str, t.Any] = dict.fromkeys(Options._fields)
        params.update(job_id=job, state=state, timeout=seconds, arguments=(), relies_on=(), bin_dir=self._folder)
        params.update(on_timeout="cancel", force=False, tail=20, lint="off")
        Work(Options.from_params(params), self._progress, lambda _text: None, check_mode=False).run()


def _folder_on(path: str) -> str | None:
    found = shutil.which("scontrol", path=path)
    return os.path.dirname(os.path.abspath(found)) if found else None
