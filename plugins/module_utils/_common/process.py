# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command with a time limit. Private to hpc.pytorch."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import typing as t

from .lines import lines_of, visible

_LARGEST = 1024 * 1024


class Result(t.NamedTuple):
    """The result of a command. ``rc`` is None if it could not start or ran out of time; ``error`` says which."""

    rc: int | None
    stdout: str
    stderr: str
    error: str

    @property
    def problem(self) -> str:
        """Why the command failed, in a few words; empty if it succeeded."""
        if self.error:
            return self.error
        if self.rc:
            lines = lines_of(self.stderr.strip() or self.stdout.strip())
            return "exit status %d%s" % (self.rc, ": " + visible(lines[-1], 300) if lines else "")
        return ""


def run_limited(argv: t.Sequence[str], seconds: float, environment: t.Mapping[str, str]) -> Result:
    """Run *argv* for at most *seconds*.

    A failed GPU can hold a process in the kernel where no signal reaches it. So the output goes to files (nothing has
    to drain a pipe), and a process that survives its SIGKILL is left behind.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd="/",
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            return Result(None, "", "", "cannot start: %s" % (error.strerror or error))
        late = ""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = "no answer within %g seconds" % seconds
            _end_group(process)
        out.seek(0)
        err.seek(0)
        return Result(
            None if late else process.returncode,
            out.read(_LARGEST).decode("utf-8", "replace"),
            err.read(_LARGEST).decode("utf-8", "replace"),
            late,
        )


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the command, which leads its own session, and its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        pass
