# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Slurm's commands and runs them with the variables that do not change what they do. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import shutil
import typing as t

from .._common.errors import UserError
from .._common.process import Done, OutOfTime
from .._files.environment import roots_own
from .._files.trust import require_trusted
from .command import failure, run_command, slurm_environment
from .errors import SlurmError, SlurmSilent

# A busy controller answers late; while it is down, its clients retry for as long as MessageTimeout.
_SECONDS = 120
# Commands whose output is the answer to a question.
_ASK = ("squeue", "scontrol", "sacct", "sinfo")
_NO_ANSWER = re.compile(r"^\s*(\w+: )?(error: )?slurm_load_\w+( error)?: ", re.MULTILINE)
# Commands that take --clusters.
_OF_A_CLUSTER = ("squeue", "scontrol", "scancel", "sacct")


class Caller:
    """Runs Slurm's commands on this machine.

    :arg folder: their folder; None searches PATH.
    :arg seconds: how long one of them may take to answer.
    :arg on_cluster: the cluster of a federation that they ask about; empty for this machine's own.
    """

    def __init__(self, folder: str | None = None, seconds: float = _SECONDS, on_cluster: str = "") -> None:
        self._folder = folder
        self._seconds = seconds
        self._on_cluster = on_cluster

    def _run_for_job(self, command: str, arguments: t.Sequence[str]) -> str | None:
        """The output of *command*; None if Slurm has forgotten the job."""
        try:
            return self._run(command, arguments).stdout
        except SlurmError as error:
            if "invalid job id" in str(error).lower():
                return None
            raise

    def _run(self, command: str, arguments: t.Sequence[str], text: str = "") -> Done:
        return succeeded(command, self._start(command, arguments, text))

    def _start(
        self, command: str, arguments: t.Sequence[str], text: str = "", folder: str = "/", own_locale: bool = False
    ) -> Done:
        path = self._path(command)
        elsewhere = self._on_cluster and command in _OF_A_CLUSTER
        argv = [path, *(["--clusters=" + self._on_cluster] if elsewhere else []), *arguments]
        variables = slurm_environment(roots_own(os.environ))
        if own_locale:
            del variables["LC_ALL"]
            variables.update({name: value for name, value in os.environ.items() if name == "LC_ALL"})
        elif command != "sbatch":
            # All indices of an array, however many there are.
            variables["SLURM_BITSTR_LEN"] = "0"
        try:
            return run_command(argv, self._seconds, variables, text, folder)
        except OutOfTime:
            raise SlurmSilent("%s did not answer within %d s" % (command, self._seconds)) from None
        except OSError as error:
            raise SlurmError("%s cannot be started: %s" % (path, error.strerror or error)) from error

    def _path(self, command: str) -> str:
        folder = self._folder
        found = shutil.which(command, path=folder or os.environ.get("PATH") or os.defpath)
        if found is None:
            raise UserError(
                "Slurm's command %s%s" % (command, " in %s" % folder if folder else ""),
                "none there" if folder else "none on PATH",
                "run this on a login node of the cluster, or name the folder of Slurm's commands with bin_dir",
            )
        require_trusted(os.path.abspath(found), "Slurm's command")
        return found


def succeeded(command: str, done: Done) -> Done:
    if done.returncode:
        raise SlurmError("%s: %s" % (command, failure(command, done.returncode, done.stderr, done.stdout)))
    # Some releases, and wrappers of sites, report on standard error alone that there was no answer.
    lost = _NO_ANSWER.search(done.stderr) if command in _ASK else None
    if lost or (command in _ASK and not done.stdout.strip() and "error:" in done.stderr):
        raise SlurmError("%s: %s" % (command, failure(command, 0, done.stderr)))
    return done


def understood(command: str, output: str, found: object) -> None:
    """Refuse *output* that has text, of which nothing was understood: it is no answer.

    :arg found: what was understood.
    :raises SlurmError: nothing was.
    """
    if not found and output.strip():
        raise SlurmError("%s printed nothing that is understood but %r" % (command, " ".join(output.split())[:200]))
