# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds mistakes in the command lines of a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..sbatch.script_text import Batch, Text
from ..sbatch.shell_words import Word, split_line
from ..sbatch.table import count
from .by_version import SRUN_CPUS, Version
from .finding import Found
from .programs import srun_options, started

# The start of a command: at the start of a line, after an operator, in brackets, or after a word such as then.
_START = r"(?:^|[;&|({]|\$\(|\b(?:then|do|else|exec|time|nohup|command)\s)\s*(?:\w+=\S*\s+)*"
# Programs that prepare or report something, for which one CPU is enough.
_HELPERS = frozenset(
    """
    cat chmod cp date df du echo env free hostname id ls lscpu ln mkdir mv nvidia-smi printenv pwd rm rsync scontrol
    sleep tar touch true ulimit uname unzip which whoami
    """.split()
)
_EVERY_NODE = re.compile(
    r"\b(srun|horovodrun|mpirun_rsh|mpirun|mpiexec|prun|aprun|ibrun|jsrun|pdsh|clush|ssh|deepspeed|ray)\b"
)
_EVERY_TASK = re.compile(
    r"\b(srun|horovodrun|mpirun_rsh|mpirun|mpiexec|prun|aprun|ibrun|jsrun|torchrun|torch\.distributed|accelerate|deepspeed|parallel)\b"
)
# A GPU for each task, the devices that Slurm gave, or no GPU on purpose.
_OWN_DEVICES = re.compile(r"LOCALID|LOCAL_RANK|PROCID|CUDA_VISIBLE_DEVICES|^(?:-1|NoDevFiles)$")
_PORT = re.compile(r"(?i)(?:(?:\b|_)port[= ]\s*[\"']?|rdzv[_-]endpoint[= ]\S+:)(\d{4,5})\b")
_SECRETS = (
    re.compile(
        r"(?i)\b(\w*(?:api_?key|password|passwd|secret|secret_key|access_key))[= ]\s*[\"']?(?![$/~<\"'])[^\s\"']{8,}"
    ),
    re.compile(r"(?i)\b(\w*token)[= ]\s*[\"']?(?![$/~<\"'])(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"']{12,}"),
    re.compile(r"\b(wandb login)\s+(?:--\S+\s+)*[0-9a-f]{32,}"),
    re.compile(r"\b(hf_)[A-Za-z0-9]{20,}|\b(gh[pousr]_)[A-Za-z0-9]{20,}|\b(AKIA)[0-9A-Z]{16}"),
)
_HOOK = re.compile(
    r"conda\.sh|mamba\.sh|shell\.bash|shell hook|bashrc|bash_profile|bin/activate"
    r"|module (?:load|add)\b.*(?:conda|mamba|forge|python)"
)


def check(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    """Find the mistakes in lines of shell code."""
    everything = "\n".join(text for _number, text in batch.commands)
    if batch.parts == 1:
        # Each component of a heterogeneous job has its own numbers.
        yield from _srun_cpus(batch, slurm)
        yield from _tasks(batch, everything)
        yield from _nodes(batch, everything)
    yield from _conda(batch)
    yield from _end(batch)
    yield from _visible_devices(batch)
    # Where no other job is on the node, none needs the port.
    alone = batch.last("exclusive") and batch.value("exclusive").lower() in ("", "exclusive")
    for number, text in batch.commands:
        command = Text(number, text)
        port = _PORT.search(text)
        if port and not alone:
            yield (
                batch.line_at(command, port.start(1)),
                "fixed-port",
                "port %s is fixed: the next job on the node needs it too" % port[1],
                "calculate one from the job's id, such as $((20000 + SLURM_JOB_ID % 10000))",
            )
        if "bashrc" in text and re.search(r"(?:^|[;&|]\s*)(?:source|\.)\s+\S*\.bashrc\b", text):
            yield (
                number,
                "bashrc",
                "~/.bashrc is for interactive shells: in a script many return at once, or fail with set -u",
                "load modules and activate the environment in the script",
            )
        secrets = [match for secret in _SECRETS for match in secret.finditer(text)]
        names = [group for match in secrets for group in match.groups() if group]
        if names:
            yield (
                batch.line_at(command, secrets[0].start()),
                "secret",
                "the script contains a secret (%s): every user who can read the script, or ask Slurm for it, gets it"
                % names[0],
                "read it from a file that only you can read",
            )


def _srun_cpus(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    who = SRUN_CPUS.of(slurm)
    if not who or count(batch.value("cpus-per-task")) < 2:
        return
    for number, text in batch.commands:
        if re.search(r"\bSRUN_CPUS_PER_TASK=", text):
            return
        for command in split_line(text).commands if "srun" in text else []:
            words = started(command).words
            if words and words[0].text.rpartition("/")[2] == "srun" and _lacks_cpus(batch, words[1:]):
                yield (
                    batch.line_at(Text(number, text), words[0].at),
                    "srun-cpus",
                    "srun does not get --cpus-per-task: %s gives its tasks one CPU each" % who,
                    'add --cpus-per-task="$SLURM_CPUS_PER_TASK", or export SRUN_CPUS_PER_TASK',
                )


def _lacks_cpus(batch: Batch, words: t.Sequence[Word]) -> bool:
    """Whether srun starts a training without its CPUs."""
    options, program = srun_options(words)
    for option in options:
        name = re.match(r"\$\{?(\w+)", option)
        if name:
            values = [text for _number, text in batch.commands if re.search(r"\b%s\+?=" % name[1], text)]
            # A variable of the submitting shell may hold anything.
            if not values or re.search(r"--cpus-per-t|[\s\"'(=]-c", " ".join(values)):
                return False
        elif option.startswith("--cpus-per-t") or re.match(r"-c", option):
            return False
    return not program or program[0].rpartition("/")[2] not in _HELPERS


def _visible_devices(batch: Batch) -> t.Iterator[Found]:
    found: list[tuple[int, bool]] = []
    for line in batch.commands:
        for command in split_line(line.text).commands if "CUDA_VISIBLE_DEVICES=" in line.text else []:
            assignments, words = started(command)
            exports = words[1:] if words and words[0].text in ("export", "declare", "typeset") else []
            for word in [*assignments, *exports]:
                value = word.text.partition("=")[2]
                if word.text.startswith("CUDA_VISIBLE_DEVICES=") and value and not _OWN_DEVICES.search(value):
                    found.append((batch.line_at(line, word.at), bool(words) and not exports and command.background))
    if any(background for _number, background in found):
        # Each of several processes gets a GPU of its own.
        return
    for number, _background in found:
        yield (
            number,
            "cuda-visible-devices",
            "CUDA_VISIBLE_DEVICES is set by hand: Slurm sets it to the GPUs of the job",
            "take the assignment out, and leave the rest of the line as it is",
        )


def _tasks(batch: Batch, everything: str) -> t.Iterator[Found]:
    directive = next(
        (
            found
            for found in (batch.last("ntasks"), batch.last("ntasks-per-node"))
            if found and count(found.value or "") > 1
        ),
        None,
    )
    if not directive or _EVERY_TASK.search(everything) or _several_nodes(batch):
        return
    number = directive.value
    if directive.name == "ntasks" and not batch.last("cpus-per-task"):
        yield (
            directive.line,
            "ntasks-as-cpus",
            "--ntasks=%s requests %s processes, and the script starts one" % (number, number),
            "for one process with {0} CPUs, give ntasks 1 and cpus-per-task {0}; for {0} processes, start the command "
            "with srun".format(number),
        )
    else:
        yield (
            directive.line,
            "tasks-without-srun",
            "--%s=%s requests several processes, and nothing starts them" % (directive.name, number),
            "start the command with srun",
        )


def _several_nodes(batch: Batch) -> bool:
    return count(re.split(r"[-,]", batch.value("nodes"))[0]) > 1


def _nodes(batch: Batch, everything: str) -> t.Iterator[Found]:
    directive = batch.last("nodes")
    if directive and _several_nodes(batch) and not _EVERY_NODE.search(everything):
        yield (
            directive.line,
            "nodes-without-srun",
            "--nodes=%s requests several nodes, and the script runs only on the first one" % directive.value,
            "start the command with srun",
        )


def _conda(batch: Batch) -> t.Iterator[Found]:
    if re.search(r"\s-\w*l", batch.shebang):
        # A login shell has read the profile, which may contain the hook.
        return
    for number, text in batch.commands:
        if _HOOK.search(text):
            return
        if re.search(_START + r"(?:conda|mamba|micromamba) activate\b", text):
            yield (
                number,
                "conda-hook",
                "conda activate is a function that a batch shell does not have",
                "source PREFIX/etc/profile.d/conda.sh first",
            )
            return


def _end(batch: Batch) -> t.Iterator[Found]:
    if any(re.search(_START + r"wait\b", text) for _number, text in batch.commands):
        return
    for number, text in reversed(batch.commands):
        command = _without_ends(text)
        if re.search(r"(?:^|[^&>|])&$", command):
            yield (
                number,
                "no-wait",
                "the last command runs in the background: the script ends, and Slurm ends the command with it",
                "put wait on the last line",
            )
        if command:
            return


def _without_ends(text: str) -> str:
    """A line without the ends of loops, conditions and groups, which are not commands: ``"a & done)"`` is ``"a &"``."""
    # A loop, because a pattern for it takes the square of the line's length.
    while True:
        text = text.rstrip(" \t;})")
        word = re.search(r"(?:^|[^\w-])(done|fi)$", text[-5:])
        if not word:
            return text
        text = text[: -len(word[1])]
