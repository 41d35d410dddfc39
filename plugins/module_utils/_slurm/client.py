# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slurm's commands on this machine; parsers are in model/. Private to hpc.pytorch.

Only output that every Slurm since 18.08 prints the same way is read: no --json, no --yaml.
"""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
import uuid

from .._common.errors import UserError
from .._common.lines import lines_of
from .caller import Caller, succeeded
from .command import failure
from .errors import SlurmError, SlurmSilent, is_denied
from .model.cluster import Cluster, parse_cluster
from .model.controller import Settings, settings_of
from .model.listing import HIDDEN, NODES_FORMAT, QUEUE_FORMAT, Node, Task, parse_nodes, parse_queue
from .model.pairs import parse_config

if t.TYPE_CHECKING:
    from .model.job.part import Part
    from .model.job.shown import Shown

# A question whose answer is optional must not hold up a play.
_SECONDS_OPTIONAL = 5


class Slurm(Caller):
    """Slurm's commands on this machine.

    :arg folder: their folder; None searches PATH.
    :arg seconds: how long one of them may take to answer.
    :arg on_cluster: the cluster of a federation that they ask about; empty for this machine's own.
    """

    def on(self, cluster: str) -> Slurm:
        """The same commands, asking about another cluster."""
        return Slurm(self._folder, self._seconds, cluster)

    # --- the cluster ---

    def nodes(self) -> dict[str, Node]:
        """Every node and its state."""
        # The user who gives a reason for draining a node does not know this word: no line of a reason begins with it.
        mark = "%s|" % uuid.uuid4().hex
        return parse_nodes(self._run("sinfo", ["--noheader", "--Node", "--format=" + mark + NODES_FORMAT]).stdout, mark)

    def hidden_nodes(self) -> dict[str, Node]:
        """Nodes of the partitions that ``nodes`` may lack, such as cloud nodes that are powered down."""
        cluster = parse_cluster("", self._run("scontrol", ["--all", "--oneliner", "show", "partition"]).stdout, "")
        inside: dict[str, list[str]] = {}
        for partition in sorted(cluster.partitions.values(), key=lambda partition: not partition.default):
            for name in partition.nodes:
                inside.setdefault(name, []).append(partition.name)
        return {name: Node(HIDDEN, "", tuple(partitions)) for name, partitions in inside.items()}

    def config(self) -> dict[str, str]:
        """The controller's configuration."""
        return parse_config(self._run("scontrol", ["show", "config"]).stdout)

    def settings(self) -> Settings:
        """The controller's settings that matter to a job."""
        settings = settings_of(self.config())
        return settings._replace(cluster=self._on_cluster or settings.cluster)

    def cluster(self) -> Cluster:
        """Partitions and nodes; no nodes if Slurm hides them from this user."""
        asked = (["show", "config"], ["--oneliner", "show", "partition"])
        config, partitions = (self._run("scontrol", arguments).stdout for arguments in asked)
        try:
            nodes = self._run("scontrol", ["--oneliner", "show", "node"]).stdout
        except SlurmError as error:
            if not is_denied(error):
                raise
            nodes = ""
        return parse_cluster(config, partitions, nodes)

    # --- submitting ---

    def submit(self, arguments: t.Sequence[str], script: str) -> str:
        """Submit *script* (its text) and return the job's number.

        :raises SlurmSilent: it is unknown whether the job was submitted.
        :raises SlurmError: sbatch reports that it was not.
        """
        return _number_of(self._start("sbatch", ["--parsable", *arguments], script))[0]

    def try_submit(self, arguments: t.Sequence[str], script: str) -> str:
        """What sbatch reports for *script* (its text) with --test-only."""
        return _reported(self._run("sbatch", ["--test-only", *arguments], script))

    def submit_file(self, arguments: t.Sequence[str], path: str) -> tuple[str, str]:
        """Submit the script at *path* in its own folder: the job's number, and the cluster where sbatch names one.

        :raises SlurmSilent: it is unknown whether the job was submitted.
        :raises SlurmError: sbatch reports that it was not.
        """
        return _number_of(self._submit_path("--parsable", arguments, path))

    def try_submit_file(self, arguments: t.Sequence[str], path: str) -> str:
        """What sbatch reports for the script at *path* with --test-only."""
        return _reported(succeeded("sbatch", self._submit_path("--test-only", arguments, path)))

    def _submit_path(self, mode: str, arguments: t.Sequence[str], path: str) -> subprocess.CompletedProcess[str]:
        # The job gets the variables of its submission, so they are the user's.
        return self._start("sbatch", [mode, *arguments, path], folder=os.path.dirname(path), own_locale=True)

    # --- jobs ---

    def queue(self, jobs: t.Sequence[str]) -> list[Task]:
        """The tasks of *jobs* that the controller knows, ended ones too; none of a job that it has forgotten."""
        arguments = ["--noheader", "--array", "--states=all", "--format=" + QUEUE_FORMAT, "--jobs=" + ",".join(jobs)]
        return parse_queue(self._run_for_job("squeue", arguments) or "")

    def parts(self, job: str) -> list[Part]:
        """The parts of a job that the controller knows; none if it has forgotten the job."""
        return self.shown(job).parts

    def shown(self, job: str, own: bool = False) -> Shown:
        """As parts, with the user who owns the job.

        :arg own: the job is this user's, so its name and comment are not another user's.
        """
        # Here and not above: modules that ask for no job start sooner without it.
        from .model.job.rows import COLUMNS, corrected, parse_rows
        from .model.job.shown import read_job

        output = self._run_for_job("scontrol", ["--oneliner", "show", "job", job])
        shown = read_job(output or "")
        if output is not None and not shown.parts:
            raise SlurmError("scontrol printed no job %s but %r" % (job, " ".join(output.split())[:200]))
        if own or shown.sure or shown.owners == {os.geteuid()}:
            return shown
        columns = ",".join("%s:%d" % column for column in COLUMNS)
        arguments = ["--all", "--noheader", "--array", "--states=all", "--Format=" + columns, "--jobs=" + job]
        output = self._run_for_job("squeue", arguments) or ""
        rows = parse_rows(output)
        if not rows and output.strip():
            # A squeue that prints something else.
            return shown
        owners = frozenset(row.owner for row in rows)
        return shown._replace(parts=corrected(shown.parts, rows), owners=owners, sure=True)

    def recorded_parts(self, job: str, owner: int | None = None) -> list[Part]:
        """The parts of a job in the accounting database.

        :arg owner: the number of the user who owns the job; None for any.
        """
        from .model.job.accounting import parse_accounting

        columns = "--format=JobID,JobName,State,ExitCode,NodeList"
        # A name may have any separator that its owner knows.
        mark = "<%s>" % uuid.uuid4().hex
        user = [] if owner is None else ["--user=%d" % owner]
        return parse_accounting(self._account([columns, "--delimiter=" + mark, "--jobs=" + job, *user]), mark)

    def recorded_since(self, name: str, since: float, owner: str = "") -> list[str]:
        """The numbers of a user's jobs called *name* that the database has since a time.

        :arg owner: name or number of the user; empty for this one.
        """
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        user = "--user=" + (owner or str(os.geteuid()))
        lines = lines_of(self._account(["--format=JobID", user, "--name=" + name, "--starttime=" + start]))
        return [line.strip() for line in lines if line.strip()]

    def _account(self, arguments: t.Sequence[str]) -> str:
        return self._run("sacct", ["--noheader", "--parsable2", "--allocations", *arguments]).stdout

    def marked(self, mark: str, owner: str = "") -> tuple[str, str] | None:
        """The number of a user's job whose comment holds *mark*, and its cluster; None if the controller knows none.

        :arg owner: name or number of the user; empty for this one.
        """
        from .model.job.marks import FORMAT, marked

        return marked(self._all_of(owner, FORMAT), mark, self._on_cluster)

    def unmarked(self, path: str, since: float, mark: str, owner: str = "") -> str | None:
        """The number of a user's job of the script at *path* that was submitted since a time and has no mark at all.

        :arg mark: what every mark begins with.
        :arg owner: as in marked.
        """
        from .model.job.marks import FORMAT_OF_SCRIPTS, unmarked

        return unmarked(self._all_of(owner, FORMAT_OF_SCRIPTS), path, since, mark)

    def _all_of(self, owner: str, columns: str) -> str:
        """squeue's lines of a user's jobs, those of hidden partitions too."""
        user = "--user=" + (owner or str(os.geteuid()))
        return self._run("squeue", ["--all", "--noheader", "--states=all", user, "--format=" + columns]).stdout

    def show_job(self, job: str) -> list[dict[str, str]]:
        """What Slurm knows about a job, one mapping for each of its tasks."""
        return self._pairs(["--oneliner", "show", "job", job])

    def jobs(self) -> list[dict[str, str]]:
        """What Slurm knows about every job that it has not forgotten, those of hidden partitions too."""
        return self._pairs(["--all", "--oneliner", "show", "job"])

    def _pairs(self, arguments: t.Sequence[str]) -> list[dict[str, str]]:
        from .model.job.shown import show_pairs

        return show_pairs(self._run("scontrol", arguments).stdout)

    def batch_script(self, job: str) -> str:
        """The script of a batch job; empty if Slurm does not show it, which it reports with exit status 0."""
        script = self._start("scontrol", ["write", "batch_script", job, "-"]).stdout
        return script if script.startswith("#!") else ""

    def control(self, lines: t.Sequence[str]) -> list[str]:
        """Give scontrol many commands in one process and return its complaints. A failed one does not stop the rest."""
        done = self._start("scontrol", [], "".join(line + "\n" for line in lines))
        # Without a terminal it repeats each line after its prompt.
        output = lines_of(done.stdout + "\n" + done.stderr)
        return [line.strip() for line in output if line.strip() and not line.startswith("scontrol:")]

    def cancel(self, jobs: t.Sequence[str]) -> None:
        """End jobs and all their tasks. A job that has ended already is no error."""
        self._run("scancel", ["--quiet", *jobs])


def read_cluster(required: bool) -> Cluster | None:
    """Ask Slurm briefly for the cluster; None where no Slurm answers.

    :arg required: whether that is an error.
    :raises UserError: it is required, and no Slurm answers.
    """
    try:
        return Slurm(seconds=_SECONDS_OPTIONAL).cluster()
    except UserError as error:
        why = error.found
    except SlurmError as error:
        why = str(error)
    if required:
        raise UserError(
            "an answer from Slurm on this machine, as check_cluster is true",
            why,
            "run this on a login node, or leave check_cluster out",
        )
    return None


def _number_of(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """The number and the cluster that sbatch printed.

    :raises SlurmSilent: it is unknown whether the job was submitted.
    :raises SlurmError: sbatch reports that it was not.
    """
    # Here and not above: a module that submits nothing starts sooner without it.
    from .sbatch.answer import job_number, may_have_arrived, was_not_sent

    found = job_number(done.stdout) if done.returncode == 0 else None
    if found is not None:
        return found
    if done.returncode == 0:
        # Slurm has it, under a number that sbatch does not say.
        raise SlurmSilent("sbatch printed no job number but %r" % " ".join(done.stdout.split())[:200])
    message = "sbatch: %s" % failure("sbatch", done.returncode, done.stderr, done.stdout)
    if may_have_arrived(done.returncode, done.stderr):
        raise SlurmSilent(message, sent=not was_not_sent(done.stderr))
    raise SlurmError(message)


def _reported(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip()).replace("sbatch: ", "")
