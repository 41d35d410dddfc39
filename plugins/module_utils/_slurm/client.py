# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slurm's own commands, and what they print as plain data. Private to hpc.pytorch.

Only what every Slurm since 18.08 prints the same way is asked for: no --json, no --yaml.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import typing as t

from .._common.errors import UserError
from .._common.trust import require_trusted
from .model.cluster import Cluster, parse_cluster
from .model.pairs import parse_config, parse_pairs

# A controller under load answers late; one that is away makes its clients try again for as long as MessageTimeout.
_SECONDS = 120
# What a person sets for all their jobs and what these want as well; the rest (SBATCH_WAIT, SBATCH_ARRAY_INX, ...) would
# change what is submitted.
_KEPT = ("SBATCH_ACCOUNT", "SBATCH_QOS", "SBATCH_RESERVATION")


class SlurmError(Exception):
    """A command of Slurm's that did not do what it was asked to: in Slurm's own words."""


class SlurmSilent(SlurmError):
    """A command that gave no answer in time: what it was asked for may have been done all the same."""


class Task(t.NamedTuple):
    """A line of squeue.

    :arg job: number of the array, or of the job.
    :arg index: index in the array, None for a job that is none.
    :arg wanted: the nodes that the task is bound to.
    """

    job: str
    index: int | None
    state: str
    reason: str
    nodes: str
    wanted: str


class Node(t.NamedTuple):
    """A line of sinfo.

    :arg state: as sinfo writes it out, with the sign behind it: ``idle``, ``drained``, ``down*``.
    :arg reason: why somebody, or Slurm itself, took it out; empty when nobody did.
    :arg partitions: the partitions it is in, as far as the user may see them; Slurm's default one comes first.
    """

    state: str
    reason: str
    partitions: tuple[str, ...] = ()


class Slurm:
    """Slurm's commands on this machine.

    :arg folder: where they lie; None looks along PATH.
    :arg seconds: how long one of them may take to answer.
    """

    def __init__(self, folder: str | None = None, seconds: float = _SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds

    def submit(self, arguments: t.Sequence[str], script: str) -> str:
        """Hand *script* (its text) to sbatch and return the job's number."""
        said = self._run("sbatch", ["--parsable"] + list(arguments), script).stdout.strip().splitlines()
        number = said[-1].partition(";")[0] if said else ""
        if not number.isdigit():
            raise SlurmError("sbatch gave no job number but %r" % " ".join(said)[:200])
        return number

    def try_submit(self, arguments: t.Sequence[str], script: str) -> str:
        """What sbatch says to such a submission, which it does not make."""
        done = self._run("sbatch", ["--test-only"] + list(arguments), script)
        return (done.stderr.strip() or done.stdout.strip()).replace("sbatch: ", "")

    def queue(self, jobs: t.Sequence[str]) -> list[Task]:
        """The tasks of *jobs* that Slurm knows, ended ones among them. A job that it has forgotten has none."""
        arguments = [
            "--noheader",
            "--array",
            "--states=all",
            "--format=%A|%F|%K|%T|%N|%n|%r",
            "--jobs=" + ",".join(jobs),
        ]
        try:
            said = self._run("squeue", arguments).stdout
        except SlurmError as error:
            if "invalid job id" in str(error).lower():
                return []
            raise
        return parse_queue(said)

    def nodes(self) -> dict[str, Node]:
        """Every node and its state."""
        return parse_nodes(self._run("sinfo", ["--noheader", "--Node", "--format=%N|%T|%P|%E"]).stdout)

    def config(self) -> dict[str, str]:
        """The settings of the controller."""
        return parse_config(self._run("scontrol", ["show", "config"]).stdout)

    def cluster(self) -> Cluster:
        """Partitions and nodes."""
        asked = (["show", "config"], ["--oneliner", "show", "partition"], ["--oneliner", "show", "node"])
        return parse_cluster(*(self._run("scontrol", arguments).stdout for arguments in asked))

    def show_job(self, job: str) -> list[dict[str, str]]:
        """What Slurm knows about a job, one mapping for each of its tasks."""
        said = self._run("scontrol", ["--oneliner", "show", "job", job]).stdout
        return [parse_pairs(line) for line in said.splitlines() if line.startswith("JobId=")]

    def jobs(self) -> list[dict[str, str]]:
        """What Slurm knows about every job that it has not forgotten, those of hidden partitions too."""
        said = self._run("scontrol", ["--all", "--oneliner", "show", "job"]).stdout
        return [parse_pairs(line) for line in said.splitlines() if line.startswith("JobId=")]

    def batch_script(self, job: str) -> str:
        """The script that a batch job runs; empty where Slurm does not show it, which it says with exit status 0."""
        said = self._start("scontrol", ["write", "batch_script", job, "-"], "").stdout
        return said if said.startswith("#!") else ""

    def control(self, lines: t.Sequence[str]) -> list[str]:
        """Give scontrol many commands in one process: what it complained about. Each is carried out by itself."""
        done = self._start("scontrol", [], "".join(line + "\n" for line in lines))
        # Without a terminal it repeats each line behind its prompt.
        told = (done.stdout + "\n" + done.stderr).splitlines()
        return [line.strip() for line in told if line.strip() and not line.startswith("scontrol:")]

    def cancel(self, jobs: t.Sequence[str]) -> None:
        """End jobs, all their tasks. One that has ended already is no error."""
        self._run("scancel", ["--quiet"] + list(jobs))

    def _run(
        self, command: str, arguments: t.Sequence[str], text: str = "", folder: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        done = self._start(command, arguments, text, folder)
        if done.returncode:
            raise SlurmError(in_short(command, done))
        return done

    def _start(
        self, command: str, arguments: t.Sequence[str], text: str, folder: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a session of its own: a Ctrl-C is for this process, which has to tidy up with these commands."""
        argv = [self._path(command)] + list(arguments)
        try:
            with subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=self._environment(command),
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            ) as process:
                try:
                    out, err = process.communicate(text, self._seconds)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()
                    raise SlurmSilent("%s did not answer within %d s" % (command, self._seconds)) from None
        except OSError as error:
            raise SlurmError("%s cannot be started: %s" % (argv[0], error.strerror or error)) from error
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def _environment(self, command: str) -> dict[str, str]:
        """The variables that *command* is started with."""
        del command
        return slurm_environment(os.environ)

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


def slurm_environment(variables: t.Mapping[str, str]) -> dict[str, str]:
    """*variables* without those that would change what sbatch and squeue are asked, and in English."""
    foreign = re.compile(r"SBATCH_|SQUEUE_|SINFO_|SCONTROL_|SLURM_(TIME_FORMAT|ARRAY_)|LC_ALL$")
    kept = {name: value for name, value in variables.items() if name in _KEPT or not foreign.match(name)}
    return dict(kept, LC_ALL="C.UTF-8")


def in_short(command: str, done: t.Any) -> str:
    """Why a command failed, on one line, in Slurm's words."""
    said = [line.strip() for line in (done.stderr or done.stdout or "").splitlines() if line.strip()]
    prefix = re.compile(r"^%s: (error: |fatal: )?" % re.escape(command))
    return "%s: %s" % (
        command,
        "; ".join(prefix.sub("", line) for line in said[-3:]) or "exit status %d" % done.returncode,
    )


def parse_queue(text: str) -> list[Task]:
    """Lines of ``%A|%F|%K|%T|%N|%n|%r``."""
    tasks = []
    for line in text.splitlines():
        parts = line.split("|", 6)
        if len(parts) != 7:
            continue
        number, array, index, state, nodes, wanted, reason = (part.strip() for part in parts)
        # A throttled or whole array that has not been taken apart shows "0-3%2"; none of its tasks has a line of its own.
        tasks.append(
            Task(array or number, int(index) if index.isdigit() else None, state, reason, _empty(nodes), _empty(wanted))
        )
    return tasks


def parse_nodes(text: str) -> dict[str, Node]:
    """Lines of ``%N|%T|%P|%E``; a node stands there once for each of its partitions."""
    nodes: dict[str, Node] = {}
    for line in text.splitlines():
        parts = line.split("|", 3)
        if len(parts) == 4:
            name, state, partition, reason = (part.strip() for part in parts)
            partitions = nodes[name].partitions if name in nodes else ()
            # A star is Slurm's default partition.
            partitions = (partition[:-1], *partitions) if partition.endswith("*") else (*partitions, partition)
            nodes[name] = Node(state, "" if reason.lower() in ("none", "(null)") else reason, partitions)
    return nodes


def _empty(value: str) -> str:
    return "" if value in ("(null)", "N/A") else value
