# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slurm's commands for one job of a person: submitted from its file, found again, followed. Private to hpc.pytorch."""

from __future__ import annotations

import os
import time
import typing as t

from ..client import Slurm, SlurmError, SlurmSilent, parse_config
from .facts import Part, parse_accounting, parse_job

_OF_A_CLUSTER = ("squeue", "scontrol", "scancel", "sacct")


class Settings(t.NamedTuple):
    """What of the controller's settings counts here.

    :arg cluster: its name.
    :arg remembers: for how many seconds it knows a job that has ended.
    :arg accounting: whether it writes jobs to a database, which sacct asks.
    """

    cluster: str
    remembers: float
    accounting: bool


class JobSlurm(Slurm):
    """Slurm's commands on this machine.

    :arg cluster: the cluster that jobs are asked for at, where it is not this machine's own.
    """

    def __init__(self, folder: str | None = None, cluster: str = "") -> None:
        super().__init__(folder)
        self.cluster = cluster

    def submit_file(self, arguments: t.Sequence[str], path: str) -> tuple[str, str]:
        """Hand the script at *path* to sbatch, in its own folder: the job's number, and the cluster where sbatch names one.

        :raises SlurmSilent: nobody knows whether it was submitted.
        """
        try:
            done = self._run("sbatch", ["--parsable", *arguments, path], folder=os.path.dirname(path))
        except SlurmError as error:
            if "timed out" in str(error).lower():
                raise SlurmSilent(str(error)) from error
            raise
        said = done.stdout.strip().splitlines()
        number, _sign, cluster = said[-1].partition(";") if said else ("", "", "")
        if not number.isdigit():
            raise SlurmError("sbatch gave no job number but %r" % " ".join(said)[:200])
        return number, cluster

    def try_submit_file(self, arguments: t.Sequence[str], path: str) -> str:
        """What sbatch says to such a submission, which it does not make."""
        done = self._run("sbatch", ["--test-only", *arguments, path], folder=os.path.dirname(path))
        return (done.stderr.strip() or done.stdout.strip()).replace("sbatch: ", "")

    def settings(self) -> Settings:
        """Some of the controller's settings."""
        config = parse_config(self._run("scontrol", ["show", "config"]).stdout)
        storage = config.get("AccountingStorageType", "").lower()
        seconds = config.get("MinJobAge", "300").split()[0]
        return Settings(
            self.cluster or config.get("ClusterName", ""),
            float(seconds) if seconds.isdigit() else 300.0,
            storage not in ("", "(null)", "none", "accounting_storage/none"),
        )

    def parts(self, job: str) -> list[Part]:
        """What the controller knows of a job: of each of its parts. Nothing, where it knows no such job any more."""
        try:
            said = self._run("scontrol", ["--oneliner", "show", "job", job]).stdout
        except SlurmError as error:
            if "invalid job id" in str(error).lower():
                return []
            raise
        return parse_job(said)

    def recorded_parts(self, job: str) -> list[Part]:
        """What the accounting database knows of a job."""
        arguments = [
            "--noheader",
            "--parsable2",
            "--allocations",
            "--format=JobID,JobName,State,ExitCode,NodeList",
            "--jobs=" + job,
        ]
        return parse_accounting(self._run("sacct", arguments).stdout)

    def recorded_since(self, name: str, since: float) -> list[str]:
        """The numbers of this user's jobs of that name which the database has since a time."""
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        arguments = ["--noheader", "--parsable2", "--allocations", "--format=JobID", "--user=%d" % os.geteuid()]
        said = self._run("sacct", [*arguments, "--name=" + name, "--starttime=" + start]).stdout
        return [line.strip() for line in said.splitlines() if line.strip()]

    def marked(self, mark: str) -> str | None:
        """The number of this user's job whose comment holds *mark*; None where the controller knows none."""
        said = self._run(
            "squeue", ["--noheader", "--states=all", "--user=%d" % os.geteuid(), "--format=%A|%F|%k"]
        ).stdout
        for line in said.splitlines():
            number, array, comment = (line.split("|", 2) + ["", ""])[:3]
            if mark in comment:
                return array.strip() or number.strip()
        return None

    def expand(self, nodes: str) -> list[str]:
        """The nodes that ``titan[01-04]`` stands for."""
        if "[" not in nodes:
            return [name for name in nodes.split(",") if name]
        # No cluster is asked for this.
        return super()._run("scontrol", ["show", "hostnames", nodes]).stdout.split()

    def _run(self, command: str, arguments: t.Sequence[str], text: str = "", folder: str = "/") -> t.Any:
        elsewhere = ["--clusters=" + self.cluster] if self.cluster and command in _OF_A_CLUSTER else []
        return super()._run(command, [*elsewhere, *arguments], text, folder)

    def _environment(self, command: str) -> dict[str, str]:
        variables = super()._environment(command)
        # However many tasks an array has, all of their indices.
        variables["SLURM_BITSTR_LEN"] = "0"
        if command == "sbatch":
            # A job gets the variables that its submission had.
            del variables["SLURM_BITSTR_LEN"], variables["LC_ALL"]
            if "LC_ALL" in os.environ:
                variables["LC_ALL"] = os.environ["LC_ALL"]
        return variables
