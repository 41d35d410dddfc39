# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slurm's commands on this machine; parsers are in model/. Private to hpc.pytorch.

Only output that every Slurm since 18.08 prints the same way is read: no --json, no --yaml.
"""

from __future__ import annotations

import os
import re
import shutil
import typing as t
import uuid

from .._common.errors import UserError
from .._common.lines import lines_of
from .._common.process import Done
from .caller import succeeded, understood
from .command import failure
from .errors import SlurmError, SlurmSilent, is_denied
from .job_questions import JobQuestions
from .model.cluster import Cluster, parse_cluster
from .model.controller import Settings, settings_of
from .model.listing import HIDDEN, NODES_FORMAT, Node, parse_nodes
from .model.pairs import parse_config

# A question whose answer is optional must not hold up a play.
_SECONDS_OPTIONAL = 5

# Any of them shows that an answer is a configuration.
_IN_EVERY_CONFIG = frozenset(("AccountingStorageType", "ClusterName", "MinJobAge", "SLURM_VERSION"))


class Slurm(JobQuestions):
    """Slurm's commands on this machine.

    :arg folder: their folder; None searches PATH.
    :arg seconds: how long one of them may take to answer.
    :arg on_cluster: the cluster of a federation that they ask about; empty for this machine's own.
    """

    def on(self, cluster: str) -> Slurm:
        """The same commands, asking about another cluster."""
        return Slurm(self._folder, self._seconds, cluster)

    # --- the cluster ---

    def ping(self, seconds: float) -> int:
        """Whether a controller answers: 0 if one does within *seconds*.

        Otherwise as ``timeout`` ends: 124 without an answer in time, 127 without scontrol, 126 if it does not start; or
        with its own exit status.

        :raises UserError: as root, another user could have written scontrol.
        """
        if shutil.which("scontrol", path=self._folder or os.environ.get("PATH") or os.defpath) is None:
            return 127
        try:
            return Slurm(self._folder, seconds, self._on_cluster)._start("scontrol", ["ping"]).returncode
        except SlurmSilent:
            return 124
        except SlurmError:
            return 126

    def nodes(self) -> dict[str, Node]:
        """Every node and its state."""
        # The user who gives a reason for draining a node does not know this word: no line of a reason begins with it.
        mark = "%s|" % uuid.uuid4().hex
        output = self._run("sinfo", ["--noheader", "--Node", "--format=" + mark + NODES_FORMAT]).stdout
        nodes = parse_nodes(output, mark)
        understood("sinfo", output, nodes)
        return nodes

    def hidden_nodes(self) -> dict[str, Node]:
        """Nodes of the partitions that ``nodes`` may lack, such as cloud nodes that are powered down."""
        cluster = parse_cluster("", self._listed("partition", "--all"), "")
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
        config = self.config()
        if not _IN_EVERY_CONFIG.intersection(config):
            raise SlurmError("scontrol printed no configuration")
        settings = settings_of(config)
        return settings._replace(cluster=self._on_cluster or settings.cluster)

    def cluster(self, access: bool = False) -> Cluster:
        """Partitions and nodes; no nodes if Slurm hides them from this user.

        :arg access: whether to read who may use each partition, and what jobs may have of each node.
        """
        config, partitions = self._run("scontrol", ["show", "config"]).stdout, self._listed("partition")
        try:
            nodes = self._listed("node")
        except SlurmError as error:
            if not is_denied(error):
                raise
            nodes = ""
        return parse_cluster(config, partitions, nodes, access)

    def _listed(self, what: str, *options: str) -> str:
        """The lines of scontrol about each node or partition."""
        output = self._run("scontrol", [*options, "--oneliner", "show", what]).stdout
        understood("scontrol", output, re.search(r"^(%sName=|No %ss )" % (what.title(), what), output, re.MULTILINE))
        return output

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

    def _submit_path(self, mode: str, arguments: t.Sequence[str], path: str) -> Done:
        # The job gets the variables of its submission, so they are the user's.
        return self._start("sbatch", [mode, *arguments, path], folder=os.path.dirname(path), own_locale=True)

    # --- jobs ---

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


def _number_of(done: Done) -> tuple[str, str]:
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


def _reported(done: Done) -> str:
    return (done.stderr.strip() or done.stdout.strip()).replace("sbatch: ", "")
