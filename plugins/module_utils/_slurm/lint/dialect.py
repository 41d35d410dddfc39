# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what the shell of a script does not read: placeholders, syntax errors, bash in /bin/sh. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ..bash.command_text import Text
from ..sbatch.script_text import Batch
from .finding import Found

# Prints what bash -n prints about a text, without running it.
Syntax = t.Callable[[str], str]

_MESSAGE = re.compile(r"^\S*bash: (?:-c: |line )*(?:line )?(\d+): (.+)$", re.MULTILINE)
# Quotes and brackets, whose text is not the shell's, or a word in angle brackets.
_PLACEHOLDER = re.compile(
    r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'|\(\([^)]{0,200}\)\)|\[\[.{0,200}?\]\]"
    r"|(?<![<>&\d])(?P<name><(?P<text>[A-Za-z](?:[\w ./-]{0,60}[\w./-])?)>)(?P<end>(?=\s*(?:$|[;|&)\n])))?",
    re.DOTALL,
)
_MEANT = re.compile(
    r"[A-Z][A-Z0-9_ -]+\Z|(?i:your|path|my|name|insert|the|some|project|user|env|account)(?:[ _-][\w -]*)?\Z"
)
# What dash, the /bin/sh of Debian and Ubuntu, does not have. Tried with dash 0.5.12.
_BASHISMS: t.Mapping[str, t.Pattern[str]] = {
    name: re.compile(pattern, re.MULTILINE)
    for name, pattern in {
        "source": r"(?:^|[;&|({]|\b(?:then|do|else)\s)\s*source\s",
        "[[": r"(?:^|[;&|({!]|\b(?:if|elif|while|until|then|do)\s)\s*\[\[\s",
        "an array": r"(?:^|[;&|]\s*|\b(?:export|declare)\s+)\w+\+?=\(|\$\{[#!]?\w+\[",
        "{1..3}": r"(?:^|\s)\S*\{\w+\.\.\w+\}",
        "&>": r"(?:^|\s)&>>?\s*[\w./$\"-]",
        "<<<": r"<<<",
        "<(": r"(?:^|\s)[<>]\(",
        "((": r"(?:^|[;&|]|\b(?:if|while|for|do|then)\s)\s*\(\(",
        "function": r"^\s*function\s+\w+",
        "${X/a/b}": r"\$\{\w+(?:/|\^|,|:\d)",
        "set -o pipefail": r"^\s*set\s+[^;&|]*\bpipefail\b",
        "declare": r"(?:^|[;&|]\s*)(?:declare|typeset|shopt|mapfile|readarray|pushd|popd)\s",
    }.items()
}


def interpreter(shebang: str) -> str:
    """The name of the program in a first line: ``interpreter("#!/usr/bin/env python3")`` is ``"python3"``."""
    words = [word.rpartition("/")[2] for word in shebang[2:].split() if shebang.startswith("#!")]
    if words[:1] == ["env"]:
        words = [word for word in words[1:] if word[:1] != "-" and "=" not in word]
    return words[0] if words else ""


def is_bourne(shebang: str) -> bool:
    """Whether a script is for a shell that reads bash's words; so is one without an interpreter."""
    return interpreter(shebang) in ("", "bash", "sh", "dash", "ksh", "zsh", "ash")


def check(batch: Batch, text: str, syntax: Syntax | None) -> t.Iterator[Found]:
    """Find what the shell does not read.

    :arg syntax: runs bash -n; None where bash is not known to be.
    """
    lines: set[int] = set()
    for command in batch.commands:
        for number, found in _placeholders(batch, command):
            lines.add(number)
            yield found
    if interpreter(batch.shebang) in ("bash", "sh") and syntax:
        yield from _errors(syntax(text), lines, text.count("\n") + 1)
    if interpreter(batch.shebang) == "sh":
        yield from _bashisms(batch)


def _placeholders(batch: Batch, command: Text) -> t.Iterator[tuple[int, Found]]:
    if "<" not in command.text or "<<" in command.text:
        return
    for found in _PLACEHOLDER.finditer(command.text):
        if found["name"] and (found["end"] is not None or _MEANT.match(found["text"])):
            number = batch.line_at(command, found.start())
            yield (
                number,
                (
                    number,
                    "not-bash",
                    "%s is a placeholder: for bash it is a redirection, or an error" % found["name"],
                    "write what it stands for",
                ),
            )
            return


def _errors(output: str, lines: t.Collection[int], last: int) -> t.Iterator[Found]:
    found = _MESSAGE.search(output)
    if found and len(found[1]) < 9:
        number = min(max(int(found[1]), 1), last)
        if not any(abs(number - line) <= 1 for line in lines):
            yield number, "not-bash", "bash cannot read the script: %s" % found[2], "correct the line, and try bash -n"


def _bashisms(batch: Batch) -> t.Iterator[Found]:
    for command in batch.commands:
        bare = re.sub(r"'[^']*'", "''", command.text)
        for name, pattern in _BASHISMS.items():
            found = pattern.search(bare)
            if found:
                yield (
                    command.line,
                    "sh-bashism",
                    "/bin/sh does not know %s on Debian and Ubuntu, where it is not bash" % name,
                    "make #!/bin/bash the first line",
                )
                return
