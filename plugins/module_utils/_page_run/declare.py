# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the blocks of a page in their order, until one fails. Private to hpc.pytorch."""

from __future__ import annotations

import os
import pwd
import socket
import typing as t

from .._common.errors import UserError
from .._files.progress import Progress
from .._files.scratch import scratch_folder
from .._slurm.poll import Stop
from .jobs import Jobs
from .place import Place, new_place, write_file
from .request import Block, Options
from .shell import End, Interrupted, Shell

# How long the login shell may take to start, in seconds.
_START = 120
# How long it may take to answer a question later.
_ANSWER = 10
_INTERRUPTED = "run it again; nothing of the page's commands is left running"


class _Failed(Exception):
    """A block failed. What it left stays on disk."""


def run_page(options: Options, progress: Progress) -> dict[str, t.Any]:
    """Run the page, and return its outputs.

    :return: ``blocks``, a dict with id, status, output, failed (lines) and problem for each block that was run, the
        failed one last; ``folder``, which stays if one failed; ``home`` of the commands, and ``user``.
    :raises UserError: root runs it, the login shell does not start, or the run was interrupted.
    """
    if os.geteuid() == 0:
        raise UserError(
            "an ordinary user to run the commands of the page",
            "root",
            "connect as a user of the cluster, or set become_user to one",
        )
    account = pwd.getpwuid(os.geteuid())
    own_home = os.environ.get("HOME") or account.pw_dir
    result: dict[str, t.Any] = {"user": account.pw_name, "own_home": own_home, "host": socket.gethostname()}
    blocks: list[dict[str, t.Any]] = []
    try:
        with new_place(own_home, options.page, options.links) as place:
            result.update(folder=place.folder, home=place.home)
            with scratch_folder() as pipes, Stop() as stop:
                shell = Shell(place.home, account.pw_name, place.steps, pipes, lambda: stop.wait(0))
                with shell:
                    _run(options, progress, place, shell, blocks)
    except _Failed:
        return dict(result, blocks=blocks, kept=True)
    except Interrupted as error:
        raise UserError("no interruption of the run", str(error), _INTERRUPTED) from error
    return dict(result, blocks=blocks, kept=False)


def _run(options: Options, progress: Progress, place: Place, shell: Shell, done: list[dict[str, t.Any]]) -> None:
    path = shell.path(_START)
    if path is None:
        raise UserError(
            "a login shell (bash -l -i) that takes commands within %d seconds" % _START,
            "none",
            "check /etc/profile and the files in /etc/skel for a command that waits or ends the shell",
        )
    jobs = Jobs(path, lambda: shell.path(_ANSWER), progress)
    try:
        for number, block in enumerate(options.blocks):
            progress.report("run %s" % block.id, options.page, number, len(options.blocks))
            if block.kind == "file":
                write_file(place.home, block.name, block.text)
                continue
            wrapper = ["srun", *options.srun] if block.on == "compute" else []
            end = _with_jobs(shell.run(block.text, options.seconds, wrapper), block, jobs, options.seconds)
            done.append(dict(end._asdict(), id=block.id, failed=list(end.failed)))
            if has_failed(end, block.expect):
                raise _Failed
    finally:
        jobs.end()


def has_failed(end: End, expect: int) -> bool:
    """Whether a block did not end as it should.

    Where an error is expected, only the last command counts.
    """
    return bool(end.problem) or end.status != expect or (expect == 0 and bool(end.failed))


def _with_jobs(end: End, block: Block, jobs: Jobs, seconds: int) -> End:
    """The same end, after the end of the jobs that the block has submitted."""
    submitted = jobs.note(end.output, block.wait, answers=end.status is not None)
    if not block.wait or has_failed(end, block.expect):
        return end
    if not submitted:
        return end._replace(problem="no line 'Submitted batch job NUMBER' in its output")
    problems = [problem for problem in (jobs.wait(job, seconds) for job in submitted) if problem]
    return end._replace(problem="; ".join(problems))
