# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds lines after which another Python, or other packages, than the environment's run. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ..bash.command_text import Text
from ..sbatch.script_text import Batch
from .finding import Found

_COMMAND = r"(?:^|[;&|({]|\b(?:then|do|else)\s)\s*(?:\w+=\S*\s+)*"
_ACTIVATES = re.compile(
    _COMMAND + r"(?:(?:conda|mamba|micromamba)\s+activate|(?:source|\.)\s+(?:\S*/)?activate)\s+[^\s;&|]"
)
# In another branch of a condition nothing is active; after these words it may be another branch, or another function.
_LEAVES = re.compile(r"\b(?:deactivate|else|elif|fi|esac)\b|;;|^\s*}|\bconda\s+run\b")
_NO_LOAD = "purge list avail av spider keyword unload del swap use unuse show help whatis save restore reset"
_LOADS = re.compile(
    _COMMAND
    + r"(?:module\s+(?:--?\w+\s+)*(?:load|add)|ml(?:\s+(?:load|add))?(?!\s+(?:%s)\b))\s+(?P<names>[^;&|)]+)"
    % _NO_LOAD.replace(" ", "|")
)
_BRINGS_PYTHON = re.compile(
    r"(?i)(?:\S+/)?(?:(?:ana|mini)conda\d*|conda|mamba|micromamba|mini-?forge\d*|mamba-?forge\d*|python\d?)(?:/\S*)?\Z"
)
_BASE_FIRST = re.compile(
    _COMMAND + r"(?:export\s+)?PATH=[\"']?[^:\s\"']*(?:anaconda|miniconda|miniforge|mambaforge)\d*/bin/?:"
)
_RUNS_PYTHON = re.compile(r"\b(?:python[\d.]*|torchrun|accelerate|deepspeed|pip\d?)\b")
_PYTHONPATH = re.compile(_COMMAND + r"(?:export\s+)?PYTHONPATH=(?P<value>[^\s;&|]+)")
_PACKAGES = re.compile(r"/(?:site|dist)-packages\b")
_USERS_PACKAGES = re.compile(r"/\.local/lib/")
_VENV = re.compile(_COMMAND + r"(?:source|\.)\s+\S*/activate\b")
_OWN_PACKAGES = re.compile(r"\$\{?(?:CONDA_PREFIX|VIRTUAL_ENV)\b|/envs/|/\.?venv/")
_PIP_USER = re.compile(_COMMAND + r"(?:\S*python[\d.]*\s+-m\s+)?pip[\d.]*\s+install\b[^;|&#]*\s--user\b")


def check(batch: Batch) -> t.Iterator[Found]:
    """Find the mistakes in lines of shell code."""
    lines = list(_lines(batch))
    yield from _python_after_activation(lines)
    for number, text in lines:
        if "PYTHONPATH=" in text:
            others = _packages_of_others(lines, text)
            if others:
                yield (
                    number,
                    "pythonpath",
                    "PYTHONPATH names the packages of another Python (%s): they are imported before the environment's"
                    % others[0],
                    "take that entry out, and install what you need from there into the environment",
                )
        if "--user" in text and _PIP_USER.search(text):
            if not any("PYTHONUSERBASE=" in other for _number, other in lines):
                yield (
                    number,
                    "pip-user",
                    "pip install --user writes to ~/.local, whose packages every Python of that version imports before "
                    "its environment's",
                    "install into an environment of your own, once, before you submit the job",
                )


def _lines(batch: Batch) -> t.Iterator[Text]:
    """The commands, those over several lines of quoted text line by line."""
    for command in batch.commands:
        at = 0
        for part in command.text.split("\n"):
            yield Text(batch.line_at(command, at), part)
            at += len(part) + 1


def _packages_of_others(lines: t.Sequence[Text], text: str) -> list[str]:
    """The entries of PYTHONPATH that hold packages of another Python than the environment's."""
    path = _PYTHONPATH.search(text)
    entries = path["value"].strip("\"'").split(":") if path else []
    others = [entry for entry in entries if _PACKAGES.search(entry) and not _OWN_PACKAGES.search(entry)]
    # Without an environment they are the usual way to add to the Python of a module.
    has_env = any(_ACTIVATES.search(other) or _VENV.search(other) for _number, other in lines)
    return [entry for entry in others if has_env or _USERS_PACKAGES.search(entry)]


def _python_after_activation(lines: t.Sequence[Text]) -> t.Iterator[Found]:
    first = next((index for index, line in enumerate(lines) if "activate" in line.text), len(lines))
    commands = [(number, part) for number, text in lines[first:] for part in re.split(r"[;&|]+", text)]
    active = False
    for index, (number, text) in enumerate(commands):
        if active and _LEAVES.search(text):
            active = False
        if "activate" in text and _ACTIVATES.search(text):
            active = True
            continue
        what = _brings_python(text) if active else ""
        if what and any(_RUNS_PYTHON.search(later) for _number, later in commands[index + 1 :]):
            if not any(_ACTIVATES.search(later) for _number, later in commands[index + 1 :]):
                yield (
                    number,
                    "python-after-activation",
                    "%s after the environment was activated: its Python comes first in PATH, and runs instead of the "
                    "environment's" % what,
                    "move that command before the activation",
                )
            return


def _brings_python(text: str) -> str:
    """What in a line puts another Python in front: ``module load anaconda3``. Empty if nothing does."""
    if "m" not in text and "PATH=" not in text:
        return ""
    loads = _LOADS.search(text)
    for name in loads["names"].split() if loads else []:
        if _BRINGS_PYTHON.match(name):
            return "module load %s" % name
    return "PATH gets a conda base" if _BASE_FIRST.search(text) else ""
