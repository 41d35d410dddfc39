# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of the linter read: a script, and the programs that it starts. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..calls.calls import Call, calls_of
from ..calls.programs import is_training, srun_options
from ..model.gres import parse_gpu_request, parse_request
from ..sbatch.script_text import Batch
from ..sbatch.table import count

# Programs that start something on every node, or connect the nodes themselves.
_EVERY_NODE = frozenset(
    """
    srun horovodrun mpirun_rsh mpirun mpiexec mpiexec.hydra prun aprun ibrun jsrun pdsh clush pbsdsh ssh deepspeed ray
    dask charmrun snakemake nextflow
    """.split()
)
# Programs that start several processes on a node.
_EVERY_TASK = _EVERY_NODE | frozenset(("torchrun", "accelerate", "parallel", "xargs"))
# Options with the nodes of the job, for programs that connect to them: mpirun, parallel, deepspeed, julia.
_HOSTS = re.compile(r"--?(?:ssh\w*|host-?file|host_file|machine-?file|machine_file)\b")
# More GPUs than this are a whole node nearly everywhere.
_WHOLE_NODE = 8
# Options with which Slurm lets no other job onto the node; the last two in slurmctld's job_mgr.c.
EXCLUSIVE = ("exclusive", "core-spec", "thread-spec")
# Options that give a job its CPUs.
CPUS = ("cpus-per-task", "cpus-per-gpu", "mincpus", *EXCLUSIVE)


class Script(t.NamedTuple):
    """A job script in bash.

    :arg calls: the programs that it starts.
    """

    batch: Batch
    calls: t.Sequence[Call]

    def number(self, call: Call, at: int | None = None) -> int:
        """The number of the line of a call, or of another place in its text."""
        first = call.words[0] if call.words and at is None else None
        line = call.line._replace(line=first.line) if first and first.line else call.line
        return self.batch.line_at(line, call.at if at is None else at)

    def nodes(self) -> int:
        """The smallest number of nodes that it asks for; 0 if it does not say."""
        return count(re.split(r"[-,]", self.batch.value("nodes"))[0])

    def tasks(self) -> int:
        """The number of tasks that it asks for, of one node if it gives only that; 0 if it does not say."""
        return count(self.batch.value("ntasks")) or max(self.nodes(), 1) * count(self.batch.value("ntasks-per-node"))

    def most(self, pattern: str) -> int:
        """The largest number that srun gets for an option: ``most("-n|--ntasks")`` is 4 for ``srun -n 4 x``."""
        found = [0]
        for call in self.calls:
            if call.words and call.program == "srun":
                program = srun_options(call.words[1:])[1]
                text = " ".join(word.text for word in call.words[1 : len(call.words) - len(program)])
                found += [count(number) for number in re.findall(r"(?:^|\s)(?:%s)[= ]?(\d+)\b" % pattern, text)]
        return max(found)

    def gpus_per_node(self) -> int:
        """The number of GPUs on a node, as far as it says; of the job, if that is all it says."""
        batch = self.batch
        of_gres = sum(one.count for one in parse_request(batch.value("gres")) if one.name == "gpu")
        whole = batch.value("gpus-per-node", "gpus", "gpus-per-task")
        return of_gres or (sum(one.count for one in parse_gpu_request(whole)) if whole else 0)

    def has_gpus(self) -> bool:
        """Whether it asks for GPUs."""
        per = ("gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket")
        return self.gpus_per_node() > 0 or any(self.batch.last(name) for name in per)

    def has_whole_nodes(self) -> bool:
        """Whether no other job is on its nodes: exclusive, all memory, or all GPUs."""
        batch = self.batch
        exclusive = any(batch.last(name) and batch.value(name).lower() not in ("user", "mcs") for name in EXCLUSIVE)
        return exclusive or batch.value("mem") == "0" or self.gpus_per_node() >= _WHOLE_NODE

    def has_cpus(self) -> bool:
        """Whether it asks for CPUs, or srun does: then the site gives it enough, or Slurm refuses the step."""
        batch = self.batch
        given = any(batch.last(name) for name in CPUS) or "cpu" in batch.value("tres-per-task")
        return given or self.most("-c|--cpus-per-task") > 1

    def reaches_every_node(self) -> bool:
        """Whether it starts something that runs on every node."""
        return any(
            call.words and (call.program in _EVERY_NODE or any(_HOSTS.match(word) for word in call.arguments))
            for call in self.calls
        )

    def starts_tasks(self) -> bool:
        """Whether it starts something that makes several processes."""
        return any(
            call.words and (call.program in _EVERY_TASK or "torch.distributed" in " ".join(call.arguments[:3]))
            for call in self.calls
        )

    def trains_alone(self) -> bool:
        """Whether it starts a training by itself, so that no other script does it out of sight."""
        return any(call.words and is_training(call.program) for call in self.calls) and not any(
            call.words and _is_script(call) for call in self.calls
        )


def script_of(batch: Batch) -> Script:
    """A job script in bash, with its calls."""
    return Script(batch, calls_of(batch.commands))


def _is_script(call: Call) -> bool:
    """Whether a call runs another script, which may start anything: ``bash run.sh`` or ``./run``."""
    if call.program in ("bash", "sh", "zsh"):
        return not any(re.fullmatch(r"-\w*c", word) for word in call.arguments)
    return call.program.endswith(".sh") or call.words[0].text.startswith(("./", "../"))
