# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds mistakes in the directive lines of a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..._common.errors import shown
from ..._common.spelling import distance
from ..model.gres import parse_request
from ..sbatch.script_text import DASHES, Batch, Directive, is_usage
from ..sbatch.table import BY_DIRECTIVE, COMMAND_LINE_ONLY, FLAGS, GONE, KNOWN, PLUGINS, SHORT, VALUE_ATTACHED
from ..sbatch.taken import is_known, is_known_in, verdict, words
from ..sbatch.together import clashes
from ..sbatch.verdicts import REFUSED, RIGHT, releases
from .by_version import LAST_MAIL_TYPE, NO_FOLDER, Version
from .finding import Found

_FREE = ("job-name", "comment")
_PATHS = ("output", "error", "chdir")
# Folders that every machine has.
_FOLDERS = ("", ".", "/", "/tmp", "/var/tmp", "/dev/shm")
# What is not known before the job is submitted.
_OF_THE_JOB = re.compile(r"%\d*[AaJjNnst]")
_NAMES = sorted([*BY_DIRECTIVE, *KNOWN])
# All of sbatch's letters; plugins bring long names only.
_LETTERS = frozenset([*SHORT, *"bBdFhHikOQsSvVW"])


def check(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    """Find the mistakes in comments and directives."""
    for number, text in batch.unread:
        yield number, "open-quote", "a quote is not closed: %s" % shown(text), "close the quote"
    for number, text in batch.late:
        yield (
            number,
            "directive-ignored",
            "%s is after the first command, where sbatch does not read directives" % shown(text.strip()),
            "move it above the first command",
        )
    yield from _comments(batch)
    for before, directive in zip([None, *batch.directives], batch.directives):
        yield from _directive(directive, before, slurm)
    yield from _together(batch, slurm)
    yield from _repeated(batch, slurm)
    yield from _missing(batch)
    yield from _gpus_twice(batch)
    yield from _output(batch, slurm)


def _comments(batch: Batch) -> t.Iterator[Found]:
    for number, text in batch.comments:
        word = re.match(r"(\s*)#(\s*)([A-Z]+|sbatch)\s+[-%s]+[A-Za-z]" % DASHES, text)
        if not word or distance(word[3].upper(), "SBATCH") > 2:
            continue
        if word[3] == "SBATCH" and not word[1]:
            yield (
                number,
                "commented-directive",
                "%s is a comment, because of the blank before SBATCH" % shown(text.strip()),
                "write #SBATCH, or ##SBATCH for a comment",
            )
        elif not (word[3] == "sbatch" and (word[2] or is_usage(text.strip()[len("#sbatch") :]))):
            yield (
                number,
                "misspelt-sbatch",
                "%s is not a directive for sbatch" % shown(text.strip()),
                "write #SBATCH at the start of the line",
            )


def _directive(directive: Directive, before: Directive | None, slurm: Version) -> t.Iterator[Found]:
    number, name, value, given = directive.line, directive.name, directive.value, directive.given
    if given[:1] in DASHES:
        yield (
            number,
            "dash",
            "%s begins with a dash that is not a hyphen" % shown(given),
            "write it with two plain hyphens",
        )
        return
    if not given.startswith("-") or given == "-":
        yield (
            number,
            "misspelt-option",
            "%s has no hyphens, so it is not an option for sbatch" % shown(given),
            _of_stray_word(given, before if before and before.line == number else None),
        )
        return
    if given.startswith("--") and (name not in COMMAND_LINE_ONLY) and not (name in _NAMES and is_known(name, slurm)):
        remedy = _of_unknown(name, slurm)
        if remedy:
            yield number, "misspelt-option", "sbatch does not know --%s" % name, remedy
        return
    if not given.startswith("--") and given[1:2] not in _LETTERS:
        # -gres=gpu:1
        remedy = (
            "write -%s" % given
            if given[1:].partition("=")[0] in _NAMES
            else "write an option of sbatch, or leave it out"
        )
        yield number, "misspelt-option", "sbatch does not know -%s" % given[1:2], remedy
        return
    if name not in _NAMES:
        return
    judged = verdict(name, value, slurm)
    severity = "error" if judged == REFUSED else "warning"
    if name not in _FREE and value and (re.search(r"[$`]", value) or (name in _PATHS and value.startswith("~"))):
        yield (
            number,
            "variable-in-directive",
            "--%s=%s: sbatch does not expand variables, ~ or backticks" % (name, value),
            "write out the value; in paths, %x, %j and %u are the job's name, its id and the user",
            severity,
        )
    elif judged != RIGHT and name in FLAGS and name not in VALUE_ATTACHED:
        yield number, "bad-value", "--%s takes no value" % name, "write --%s alone" % name, severity
    elif judged != RIGHT:
        expected, example = words(name)
        message = "--%s=%s is not %s" % (name, shown(value or ""), expected)
        yield number, "bad-value", message, "give for example --%s=%s" % (name, example), severity


def _of_unknown(name: str, slurm: Version) -> str:
    """What to write for a name that sbatch does not know; empty if a site's plugin may have it."""
    if name in GONE:
        return "write --%s" % GONE[name] if GONE[name] else "leave the option out"
    if name in _NAMES:
        return "leave the option out: this release does not have it"
    if name[:1] in _LETTERS and re.fullmatch(r"[A-Za-z]\d*", name, re.ASCII):
        return "write -%s, with one hyphen" % name
    begun = sorted(other for other in _NAMES if name and other.startswith(name) and other not in PLUGINS)
    if begun:
        # One that is not short for several names in each release may be a short name.
        several = [len([other for other in begun if is_known_in(other, release)]) > 1 for release in releases(slurm)]
        return "write one of --%s" % ", --".join(begun) if all(several) else ""
    near = [other for other in _NAMES if _near(name, other)]
    return "write --%s" % near[0] if near else ""


def _together(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    """Find options that sbatch refuses together."""
    array = batch.last("array") if batch.parts > 1 else None
    if array:
        remedy = "leave --array out, or submit a job without hetjob for each task"
        yield array.line, "contradiction", "--array and hetjob: a heterogeneous job is no array", remedy
    for part in range(batch.parts):
        last = {one.name: one for one in batch.directives if one.part == part}
        for names, why, remedy in clashes({name: one.value for name, one in last.items()}, slurm):
            if "nodelist" in names and "nodes" in names:
                # That is nodelist-too-long.
                continue
            message = "%s: %s" % (" and ".join("--" + name for name in names), why)
            yield max(last[name].line for name in names), "contradiction", message, remedy


def _of_stray_word(word: str, before: Directive | None) -> str:
    """The remedy for a word that sbatch takes for an option."""
    if word.partition("=")[0] in _NAMES:
        return "write --%s" % word
    if before and before.name in VALUE_ATTACHED and before.value is None:
        return "write --%s=%s" % (before.name, word)
    if before and before.value is not None and before.given.startswith("-"):
        return "put the whole value of %s in quotes, or write # before a comment" % before.given.partition("=")[0]
    return "leave it out, or write # before it if it is a comment"


def _near(name: str, other: str) -> bool:
    bare = name.lower().replace("_", "-")
    return bare == other or distance(bare, other) <= (1 if len(other) < 8 else 2)


def _repeated(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    seen: dict[tuple[int, str], Directive] = {}
    for directive in batch.directives:
        before = seen.get((directive.part, directive.name))
        if before and before.value != directive.value and directive.name == "mail-type":
            who = LAST_MAIL_TYPE.of(slurm)
            if who:
                yield (
                    directive.line,
                    "repeated-directive",
                    "--mail-type is given again, and %s does not use line %d" % (who, before.line),
                    "give all events once: --mail-type=%s" % ",".join(dict.fromkeys(_events(batch, directive.part))),
                )
        elif before and before.value != directive.value:
            yield (
                directive.line,
                "repeated-directive",
                "--%s is given again, and line %d has no effect" % (directive.name, before.line),
                "keep one of them",
            )
        seen[directive.part, directive.name] = directive


def _events(batch: Batch, part: int) -> list[str]:
    """The events of every --mail-type, in their order."""
    given = [one.value or "" for one in batch.directives if one.name == "mail-type" and one.part == part]
    return [event.upper() for event in ",".join(given).split(",") if event]


def _missing(batch: Batch) -> t.Iterator[Found]:
    if not any(batch.last(name) for name in ("mem", "mem-per-cpu", "mem-per-gpu")):
        yield (
            1,
            "no-mem",
            "no memory is requested: the site's default applies, often too little or all of the node",
            "give --mem",
        )
    if not batch.last("time"):
        yield (
            1,
            "no-time",
            "no time limit is given: the partition's limit applies, and the job starts later",
            "give --time",
        )


def _gpus_twice(batch: Batch) -> t.Iterator[Found]:
    for part in range(batch.parts):
        of_part = batch._replace(directives=[directive for directive in batch.directives if directive.part == part])
        by = [name for name in ("gpus", "gpus-per-node", "gpus-per-task") if of_part.last(name)]
        if by and any(one.name == "gpu" for one in parse_request(of_part.value("gres"))):
            by.insert(0, "gres")
            last = max(directive.line for directive in of_part.directives if directive.name in by)
            message = "%s both request GPUs" % " and ".join("--" + name for name in by)
            yield last, "gpus-twice", message, "keep one of them"


def _too_late(batch: Batch, folder: str) -> str:
    """What to add if the script itself makes the folder: it starts after the file was to be opened."""
    makes = re.compile(r"\bmkdir\b[^;&|\n]*[\s\"'/]%s[\s\"'/]" % re.escape(folder))
    for number, text in batch.commands:
        if "mkdir" in text and makes.search(text + " "):
            return "; the mkdir in line %d is too late for that" % number
    return ""


def _output(batch: Batch, slurm: Version) -> t.Iterator[Found]:
    for name in ("output", "error"):
        directive = batch.last(name)
        if not directive or not directive.value or directive.value.startswith(("/dev/", "~")) or "$" in directive.value:
            continue
        if directive.value.lower() == "none":
            # slurm_opt.c, arg_set_output: /dev/null.
            continue
        folder = os.path.dirname(directive.value)
        who = NO_FOLDER.of(slurm)
        if who and folder not in _FOLDERS:
            yield (
                directive.line,
                "output-folder",
                "--%s goes to the folder %s: %s does not make it, and without it the job ends without a message%s"
                % (name, folder, who, _too_late(batch, folder)),
                "name a folder that exists, and put %s in the file's name" % "_".join(_OF_THE_JOB.findall(folder))
                if _OF_THE_JOB.search(folder)
                else "make the folder before the job is submitted; the script itself starts too late for that",
            )
        array = bool(batch.last("array"))
        # Each task of an array has a job's id of its own.
        unique = re.search(r"%\d*[jJa]" if array else r"%\d*[jJA]", directive.value)
        if not unique and batch.value("open-mode") != "append":
            yield (
                directive.line,
                "output-overwritten",
                "--%s=%s is the same for every %s, so each one overwrites the output of the last"
                % (name, directive.value, "task" if array else "job"),
                "put %A_%a in it" if array else "put %j in it",
            )
