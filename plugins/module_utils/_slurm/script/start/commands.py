# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the command, each after the programs that start it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ...._common.errors import UserError, shown
from .plan import AGENTS, Plan

# The first words of lines that are shell code; a launcher needs a program.
_NO_PROGRAM = re.compile(
    r"(if|for|while|until|case|select|function|time|cd|export|set|unset|source|eval|exec|trap|ulimit|module|wait|exit"
    r"|srun|mpirun|mpiexec|torchrun|accelerate|deepspeed|\.|!|\{|\(|\[|\[\[)(?=\s|;|$)|[A-Za-z_]\w*\+?=|[({&|;<>]"
)


def commands(lines: str, plan: Plan) -> list[str]:
    """Render the command: one program a line, each after the programs that start it.

    :raises UserError: a line of shell code instead of a program.
    """
    found: list[str] = []
    waited_for = plan.checkpoint is not None and plan.kind != "lightning"
    front = "run_to_checkpoint " if waited_for else ""
    for line in _programs("command", lines):
        if waited_for and _operators(line) and not line.startswith("#"):
            # The signal would reach a subshell, or no process.
            raise UserError(
                "command to be one program a line without | & ; with checkpoint_seconds",
                shown(line),
                "redirect its output with > FILE, or use a script",
            )
        found.append(front + '"${launcher[@]}" ' + _program(line, plan.launcher) if _starts(line) else line)
    return found


def once_per_node(lines: str) -> list[str]:
    """Render the programs that run once on each node, each after the step that starts it.

    :raises UserError: a line of shell code instead of a program.
    """
    return ['"${on_each_node[@]}" ' + line if _starts(line) else line for line in _programs("once_per_node", lines)]


def _starts(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _programs(option: str, lines: str) -> t.Iterator[str]:
    whole = re.sub(r"\\\n[ \t]*", " ", lines)
    for line in (text.strip() for text in whole.split("\n")):
        if _starts(line) and _NO_PROGRAM.match(line):
            raise UserError(
                "%s to be one program a line, because a launcher, srun or a container starts it" % option,
                shown(line),
                "put shell code in pre and post, variables in exports, and launchers in launcher and srun",
            )
        yield line


def _operators(line: str) -> bool:
    """Whether a line of shell starts more than one program; redirections do not count."""
    words = shlex.shlex(re.sub(r"\d*[<>]&\d*-?|&>>?", ">", line), posix=True, punctuation_chars=";|&()")
    words.whitespace_split = True
    try:
        return any(word and set(word) <= set(";|&()") for word in words)
    except ValueError:
        # An open quote: bash reports it.
        return False


def _program(line: str, launcher: str) -> str:
    """A line of the command for the launcher: agents run ``train.py``, not ``python train.py``."""
    if launcher not in AGENTS:
        return line
    script = re.match(r"python3?(?:\.\d+)?\s+(?!-)(.*)", line)
    module = re.match(r"python3?(?:\.\d+)?\s+-m\s+(.*)", line)
    if script:
        return script[1]
    if module:
        return ("--module " if launcher == "deepspeed" else "-m ") + module[1]
    return line if re.match(r"\S+\.py(\s|$)", line) else "--no_python " + line
