# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what a step of srun, or a program in an image, does not get: CPUs, its rank, GPUs. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ..bash.shell_words import Word
from ..calls.calls import Call
from ..calls.programs import base_name, is_starter, srun_options
from ..sbatch.table import count
from .by_version import SRUN_CPUS, Version
from .finding import Found
from .view import Script

# GPUs of AMD: their devices are in /dev of the image anyway, and its ROCm needs no driver's library of the host.
_AMD = re.compile(r"(?i)rocm|\bhip|\bmi[1-3]\d\d|lumi|miopen|\bamd|\brccl|gfx9")
# Programs that prepare or report something, for which one CPU, and no GPU, is enough.
_HELPERS = frozenset(
    """
    [ [[ : basename cat cd chmod cp curl date df dirname du echo env exit export false find free git grep gunzip head
    hostname id ip ldd ls lscpu ln mkdir module ml mktemp mv nproc nvidia-smi pip pip3 printenv printf pwd read realpath
    rm rmdir rsync scontrol seq set sed sleep sort source . tail tar tee test touch true ulimit umask uname unzip wait
    wc wget which whoami zip
    """.split()
)
_ENGINES = ("apptainer", "singularity")
_STARTS_STEPS = ("srun", "mpirun", "mpiexec", "prun")
# What differs between the tasks of a step, and in the batch shell is that of the first one.
_OF_THE_TASK = re.compile(r"(\\?)\$\{?(SLURM_(?:PROCID|LOCALID|NODEID))\b")
_RANK_NAME = re.compile(r"(?i)\w*rank|CUDA_VISIBLE_DEVICES")
# Processes that meet through c10d or etcd get their ranks there, and --node_rank has no effect.
_OWN_RANKS = re.compile(r"rdzv[_-]backend[= ]\W*(?:c10d|etcd)")
_NODES_RANK = re.compile(r"(?i)(?:node|machine)[_-]?rank\W*\Z")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", re.DOTALL)


def check(script: Script, slurm: Version) -> t.Iterator[Found]:
    """Find the mistakes in steps and images."""
    if script.batch.parts == 1:
        # Each component of a heterogeneous job has its own numbers.
        yield from _srun_cpus(script, slurm)
        yield from _rank(script)
    yield from _image(script)


def _inner(script: Script, index: int) -> t.Sequence[Call]:
    """The calls within a call."""
    outer = script.calls[index]
    around = (*outer.within, outer.program)
    after = index + 1
    while after < len(script.calls):
        call = script.calls[after]
        if call.line is not outer.line or call.within[: len(around)] != around:
            break
        after += 1
    return script.calls[index + 1 : after]


def _only_helps(script: Script, index: int) -> bool:
    """Whether all that a call starts prepares or reports something."""
    inner = _inner(script, index)
    around = {name for call in inner for name in call.within}
    leaves = [call.program for call in inner if call.words and call.program not in around]
    return bool(leaves) and all(name in _HELPERS for name in leaves)


def _srun_cpus(script: Script, slurm: Version) -> t.Iterator[Found]:
    who = SRUN_CPUS.of(slurm)
    if not who or count(script.batch.value("cpus-per-task")) < 2:
        return
    known: dict[str, bool] = {}
    for index, call in enumerate(script.calls):
        if any(word.text.startswith("SRUN_CPUS_PER_TASK=") for word in call.assignments):
            return
        if call.words and call.program == "srun" and not (_has_cpus(script, call, known) or _only_helps(script, index)):
            yield (
                script.number(call),
                "srun-cpus",
                "srun does not get --cpus-per-task: %s gives its tasks one CPU each" % who,
                'add --cpus-per-task="$SLURM_CPUS_PER_TASK", or export SRUN_CPUS_PER_TASK',
            )


def _has_cpus(script: Script, call: Call, known: dict[str, bool]) -> bool:
    """Whether srun gets a number of CPUs, or starts nothing that is known to need more than one.

    :arg known: the same for variables that hold its options.
    """
    options, program = srun_options(call.words[1:])
    for option in options:
        name = re.match(r"\$\{?(\w+)", option)
        if name:
            if name[1] not in known:
                values = [text for _number, text in script.batch.commands if re.search(r"\b%s\+?=" % name[1], text)]
                # A variable of the submitting shell may hold anything.
                known[name[1]] = not values or bool(re.search(r"--cpus-per-t|[\s\"'(=]-c", " ".join(values)))
            if known[name[1]]:
                return True
        elif option.startswith("--cpus-per-t") or re.match(r"-c", option):
            return True
    return bool(program) and base_name(program[0]) in _HELPERS


def _rank(script: Script) -> t.Iterator[Found]:
    calls = script.calls
    steps = [call for call in calls if call.words and call.program in _STARTS_STEPS]
    if not steps or any("$0" in call.arguments for call in steps):
        # Without a step, or where the script itself is the step, nothing is given on.
        return
    several = _several(script)
    seen: set[str] = set()
    for index, call in enumerate(calls):
        if set(call.within) & set(_STARTS_STEPS):
            continue
        if call.words and call.program in _STARTS_STEPS and not _only_helps(script, index):
            for word in call.words:
                at, variable = (0, "") if word.line else _early(several, call.line.text[word.at : word.end])
                if variable and not _is_unused(call.line.text[: word.at + at], call.words):
                    what = "the arguments of %s contain" % call.program
                    yield _rank_finding(script, call, word.at + at, variable, what)
                    break
        for word in () if call.words else call.assignments:
            at, variable = _early(several, call.line.text[word.at : word.end])
            name = word.text.partition("=")[0].rstrip("+")
            before = name + "=" + call.line.text[word.at : word.at + at]
            if variable and name not in seen and _uses(calls[index + 1 :], name, word.text, before):
                seen.add(name)
                yield _rank_finding(script, call, word.at + at, variable, "%s is set to" % name)


def _several(script: Script) -> set[str]:
    """The variables that are not the same in every task."""
    nodes = max(script.nodes(), script.most("-N|--nodes"), 1)
    tasks = max(script.tasks(), script.most("-n|--ntasks"), nodes * script.most("--ntasks-per-node"))
    known = {"SLURM_PROCID": max(tasks, nodes) > 1, "SLURM_NODEID": nodes > 1, "SLURM_LOCALID": tasks > nodes}
    return {name for name, differs in known.items() if differs}


def _early(several: set[str], raw: str) -> tuple[int, str]:
    """Where in a part of a line the batch shell expands a variable of a task, and which; no name if it does not.

    :arg several: the variables that differ between tasks.
    """
    if "SLURM_" not in raw:
        return 0, ""
    kept = _QUOTED.sub(lambda part: " " * len(part[0]) if part[0][0] == "'" else part[0], raw)
    early = (found for found in _OF_THE_TASK.finditer(kept) if not found[1] and found[2] in several)
    return next(((found.start(), found[2]) for found in early), (0, ""))


def _is_unused(before: str, words: t.Iterable[Word]) -> bool:
    """Whether the launcher in *words* does not use the rank of a node, to which the text *before* belongs."""
    text = " ".join(word.text for word in words)
    return _NODES_RANK.search(before) is not None and _OWN_RANKS.search(text) is not None


def _uses(later: t.Sequence[Call], name: str, assignment: str, before: str) -> bool:
    """Whether a step uses a rank that the batch shell has set.

    :arg before: the assignment up to the rank.
    """
    inside = [call for call in later if set(call.within) & set(_STARTS_STEPS)]
    if any(_is_unused(before, call.words) for call in inside):
        return False
    if any(word.text.startswith(name + "=") for call in inside for word in call.assignments):
        # The step sets it again.
        return False
    given_on = any(re.search(r"\$\{?%s\b" % name, call.line.text) for call in inside)
    if not _RANK_NAME.fullmatch(name):
        # Not a rank, but options that contain it.
        return given_on and re.search(r"rank[= ]\S*\$\{?SLURM_", assignment) is not None
    programs = [call for call in inside if call.words and call.program not in ("bash", "sh", *_ENGINES)]
    return given_on or any(not _gives_ranks(call) and call.program not in _HELPERS for call in programs)


def _gives_ranks(call: Call) -> bool:
    """Whether a launcher gives its processes their ranks, whatever the environment says."""
    return call.program in ("torchrun", "accelerate", "deepspeed") or "torch.distributed" in " ".join(
        call.arguments[:4]
    )


def _rank_finding(script: Script, call: Call, at: int, variable: str, what: str) -> Found:
    return (
        script.number(call, at),
        "rank-in-batch",
        "%s $%s of the batch shell, which is 0: every task gets the same" % (what, variable),
        "let each task expand it, within single quotes: srun bash -c 'RANK=$SLURM_PROCID exec python train.py'",
    )


def _image(script: Script) -> t.Iterator[Found]:
    if not script.has_gpus() or any(_AMD.search(text) for _number, text in script.batch.commands):
        return
    found: list[Call] = []
    for index, call in enumerate(script.calls):
        if any(re.match(r"(?:APPTAINER|SINGULARITY)_(?:NV|NVCCLI|ROCM)=", word.text) for word in call.assignments):
            return
        if not call.words or call.program not in _ENGINES:
            continue
        words = call.arguments
        if any(re.match(r"--(?:nv|nvccli|rocm)\b", word) for word in words):
            return
        at = next((at for at, word in enumerate(words) if word in ("exec", "run", "shell")), None)
        if at is None or _unknown_options(words[at + 1 :]):
            continue
        trains = [inner for inner in _inner(script, index) if inner.words and inner.program not in ("bash", "sh")]
        if words[at] == "run" or any(inner.program not in _HELPERS for inner in trains):
            found.append(call)
    for call in found[:1]:
        yield (
            script.number(call),
            "image-without-gpu",
            "%s gives the image no GPU, although the job asks for GPUs" % call.program,
            "add --nv after exec or run (--rocm for GPUs of AMD), unless the site's configuration does so",
        )


def _unknown_options(words: t.Sequence[str]) -> bool:
    """Whether the options of an engine, or the image, are in a variable that the script does not set.

    Where a site sets it, the site's image may have what it needs.
    """
    program = next((at for at, word in enumerate(words) if is_starter(word)), len(words))
    options = words[:program]
    return any(
        re.fullmatch(r"\$\W?\w+\W*", word) and before[:1] != "-" for before, word in zip(("", *options), options)
    )
