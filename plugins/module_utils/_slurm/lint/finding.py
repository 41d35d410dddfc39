# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes of the linter of job scripts, and a finding. No I/O. Private to hpc.pytorch.

``make generate`` writes the table of docs/job-lint.md from the codes.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError, some

# Line, code, message, remedy, and the severity where it is not that of the code.
Found = t.Union[t.Tuple[int, str, str, str], t.Tuple[int, str, str, str, str]]


class Code(t.NamedTuple):
    """A kind of mistake; the texts are Markdown for docs/job-lint.md.

    :arg severity: ``error``, sbatch refuses the script, or ``warning``.
    :arg mistake: what is wrong, with the share of public scripts that make the mistake.
    """

    name: str
    severity: str
    mistake: str
    remedy: str


CODES: tuple[Code, ...] = (
    Code(
        "no-shebang",
        "error",
        "the first line is not `#!/bin/bash`: sbatch refuses the script",
        "make it the first line",
    ),
    Code("crlf", "error", "the lines end as on Windows: sbatch refuses the script", "`sed -i 's/\\r$//' job.sh`"),
    Code(
        "misspelt-sbatch",
        "warning",
        "`#SBTACH`, `#sbatch`, or white space before `#`: for sbatch a comment",
        "write `#SBATCH` at the start of the line",
    ),
    Code(
        "dash",
        "error",
        "an en dash or another dash instead of a hyphen, copied from a web page",
        "write two plain hyphens",
    ),
    Code(
        "misspelt-option",
        "error",
        "`--gers`, `--job_name`, `--walltime`, or no hyphens (2%, with the two above)",
        "the remedy names the option",
    ),
    Code("open-quote", "error", "a quote in a directive is not closed", "close it"),
    Code(
        "bad-value", "error", "a value that the option does not take, such as `--gres=1`", "the remedy gives an example"
    ),
    Code(
        "contradiction",
        "error",
        "options that sbatch refuses together, such as `--mem` and `--mem-per-cpu`, or `--mem-per-gpu` without GPUs",
        "keep one of them, or give the missing one",
    ),
    Code(
        "variable-in-directive",
        "error",
        "`$HOME`, `~` or backticks: no shell reads directives (in paths and other free text a warning)",
        "write it out; `%x`, `%j` and `%u` work in paths",
    ),
    Code(
        "directive-ignored",
        "warning",
        "a directive after the first command, where sbatch does not read it",
        "move it up",
    ),
    Code(
        "nodelist-too-long",
        "error",
        "`--nodelist` names more nodes than `--nodes` allows: sbatch of 22.05 refuses it (otherwise a warning)",
        "the number of the nodes that it names",
    ),
    Code(
        "commented-directive",
        "warning",
        "`# SBATCH`, with a blank: a comment, intended or not",
        "`#SBATCH`, or `##SBATCH` for a comment",
    ),
    Code(
        "repeated-directive",
        "warning",
        "an option twice with two values: the last one counts (of `--mail-type` since Slurm 25.05)",
        "keep one",
    ),
    Code(
        "no-mem",
        "warning",
        "no memory is requested (34%): the site's default applies",
        "`--mem`, `--mem-per-cpu` or `--mem-per-gpu`",
    ),
    Code(
        "no-time", "warning", "no time limit (20%): the partition's limit applies, and the job starts later", "`--time`"
    ),
    Code("no-cpus", "warning", "no CPUs are requested (16%): one core loads the data", "`--cpus-per-task`"),
    Code(
        "gpus-without-nodes",
        "warning",
        "`--gpus=4` without `--nodes`: Slurm may take GPUs of several nodes, and the script runs on the first",
        "`--nodes=1`",
    ),
    Code(
        "srun-cpus",
        "warning",
        "`--cpus-per-task` does not reach `srun` (17%): Slurm 22.05 to 23.02 gives each task one CPU",
        '`srun --cpus-per-task="$SLURM_CPUS_PER_TASK"`',
    ),
    Code(
        "ntasks-as-cpus",
        "warning",
        "`--ntasks=16` for 16 CPUs (7%): 16 copies under `srun`, and Lightning stops",
        "`--ntasks=1 --cpus-per-task=16`",
    ),
    Code("tasks-without-srun", "warning", "several tasks and nothing that starts them (4%)", "`srun`"),
    Code(
        "nodes-without-srun", "warning", "several nodes and nothing that reaches them (2%): the others idle", "`srun`"
    ),
    Code(
        "rank-in-batch",
        "warning",
        "`$SLURM_PROCID` or `$SLURM_NODEID` is expanded in the batch shell, not in the step (1%): every rank is 0",
        "`srun bash -c '...'`, in single quotes",
    ),
    Code(
        "image-without-gpu",
        "warning",
        "an image of Apptainer or Singularity without `--nv` in a job with GPUs (2%): it sees none",
        "`--nv`, or `--rocm`",
    ),
    Code(
        "nodes-over-tasks",
        "warning",
        "fewer `--ntasks` than `--nodes`: sbatch warns, and reduces the number of nodes",
        "`--ntasks-per-node`",
    ),
    Code("gpus-twice", "warning", "`--gres=gpu:...` and `--gpus...` (2%)", "keep one"),
    Code(
        "output-folder",
        "warning",
        "output goes to a folder (38%): Slurm before 23.02 does not make it, and without it the job ends silently",
        "make the folder first",
    ),
    Code(
        "output-overwritten",
        "warning",
        "output without `%j`, or an array's without `%a` or `%j` (16%): each job overwrites the output of the last one",
        "`%x-%j.out`, `%A_%a.out`",
    ),
    Code(
        "fixed-port",
        "warning",
        "a fixed port (12%): the next job on the node needs it too",
        "`$((20000 + SLURM_JOB_ID % 10000))`",
    ),
    Code(
        "default-port",
        "warning",
        "`torchrun`, `accelerate` or `deepspeed` without a port (6%): the next job on the node may need port 29500 too",
        "`torchrun --standalone`, or a port from the job's id",
    ),
    Code(
        "bashrc",
        "warning",
        "`~/.bashrc` is sourced (7%): it is for interactive shells",
        "load modules and activate the environment in the script",
    ),
    Code(
        "conda-hook",
        "warning",
        "`conda activate` without its hook (5%): a function that a batch shell does not have",
        "`source PREFIX/etc/profile.d/conda.sh` first",
    ),
    Code(
        "python-after-activation",
        "warning",
        "a module with Python or conda is loaded after the environment was activated: its Python runs instead",
        "load it before",
    ),
    Code(
        "pythonpath",
        "warning",
        "`PYTHONPATH` names the `site-packages` of another Python, which precede the environment's",
        "leave it out",
    ),
    Code(
        "pip-user",
        "warning",
        "`pip install --user` in the job: what is in `~/.local` precedes the packages of every environment",
        "install into the environment, before you submit",
    ),
    Code("cuda-visible-devices", "warning", "`CUDA_VISIBLE_DEVICES` by hand (5%): Slurm sets it", "take it out"),
    Code(
        "no-wait",
        "warning",
        "the last command ends in `&`: the job ends at once and takes the command with it",
        "`wait` on the last line",
    ),
    Code(
        "not-bash",
        "warning",
        "a `<placeholder>`, or what `bash -n` refuses (1%): the script ends there, or never begins",
        "correct the line",
    ),
    Code(
        "sh-bashism",
        "warning",
        "`#!/bin/sh` with `source`, arrays or others of bash's own (1%): Debian and Ubuntu have another `/bin/sh`",
        "`#!/bin/bash`",
    ),
    Code(
        "unknown-ignore",
        "warning",
        "a mark `# sbatch-lint: ignore=...` without a code of this table",
        "the code of a finding",
    ),
    Code(
        "secret",
        "warning",
        "a key, a token or a password (1%): every user who can read the script, or ask Slurm for it, gets it",
        "read it from a file of yours",
    ),
)
SEVERITIES = {code.name: code.severity for code in CODES}


class Finding(t.NamedTuple):
    """A mistake in a script.

    :arg severity: ``error``, sbatch refuses the script, or ``warning``.
    """

    line: int
    code: str
    severity: str
    message: str
    remedy: str


def known_codes(given: t.Iterable[str]) -> frozenset[str]:
    """The codes to ignore.

    :raises UserError: the linter has no such code.
    """
    codes = frozenset(given)
    unknown = sorted(codes - set(SEVERITIES))
    if unknown:
        raise UserError("ignore to hold codes of findings", some(unknown), "choose from %s" % ", ".join(SEVERITIES))
    return codes
