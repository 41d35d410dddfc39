# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands in a block of code: without prompts and output, continued lines joined. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from .format.blocks import Block, against

# ``$ ``, ``(base) $ ``, ``[user@node ~]$ ``, ``(env) user@host:~> ``, ``% ``.
_PROMPT = re.compile(
    r"^\s*(?:\([\w./-]+\)\s*)?(?:\[[^\]\n]{1,60}\]\s*|[\w.-]+@[\w.-]+(?:[:\s][^\s$#%>]*)?\s*|[\w.~/-]{1,20}(?=[$%]\s))?[$%❯]\s+(?=\S)"
    r"|^\s*\([\w./-]+\)\s*[$%>#]?\s*(?=\S)|^\s*\[[\w.-]+@[^\]\n]{1,60}\]\s*[#>]?\s*(?=\S)"
)
_PROGRAM = r"conda|mamba|micromamba|pip[\d.]*|python[\d.]*|uv|source|sudo|module|ml|srun"
_LESS = re.compile(r"^\s*(?:[\w.@-]+:[\w~/.-]*|\$)?>\s+(?=(?:%s)\s)" % _PROGRAM)
_BEFORE = re.compile(r"^\s*(?:RUN\s+|[!%%](?=(?:%s)\b))" % _PROGRAM)
_COMMENT = re.compile(r"^\s*(?:#|//|REM\b)(?P<text>.*)$")
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s;|&"'\\])+|&&|\|\||[;|&]|\S""", re.DOTALL)


class Word(t.NamedTuple):
    """A word as it is written, and where it is in its line."""

    raw: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """What the shell makes of it."""
        return re.sub(r"""^(["'])(.*)\1\Z""", r"\2", self.raw).replace('"', "").replace("'", "")


class Command(t.NamedTuple):
    """One command.

    :arg number: of the line where it begins.
    :arg line: the whole line without its prompt, continued lines joined.
    """

    number: int
    line: str
    words: tuple[Word, ...]


def commands_of(block: Block) -> list[Command]:
    """The commands of a block, in its order.

    In a block with prompts every other line is output. A comment that advises against something counts for the lines
    below it, up to the next blank line or comment.
    """
    prompted = any(_PROMPT.match(line.text) for line in block.lines)
    found: list[Command] = []
    refused = False
    lines = list(block.lines)
    while lines:
        number, text = lines.pop(0)
        comment = _COMMENT.match(text)
        if comment or not text.strip():
            # A directive of sbatch is no word to the reader.
            refused = bool(comment and not re.match(r"(?:SBATCH\b|!)", comment["text"]) and against(comment["text"]))
            continue
        prompt = _PROMPT.match(text) or _LESS.match(text)
        if prompted and not prompt:
            continue
        text = _BEFORE.sub("", text[prompt.end() :] if prompt else text).strip()
        while text.endswith("\\") and lines:
            text = text[:-1].rstrip() + " " + re.sub(r"^\s*>\s", "", lines.pop(0).text).strip()
        if not refused:
            found += _split(number, text)
    return found


def _split(number: int, line: str) -> list[Command]:
    words: list[Word] = []
    found: list[Command] = []
    for match in _WORD.finditer(line):
        if match.group().startswith("#"):
            if against(match.group() + line[match.end() :]) or re.search(
                r"\bnot\b", line[match.end() :], re.IGNORECASE
            ):
                return []
            line = line[: match.start()].rstrip()
            break
        if match.group() in ("&&", "||", ";", "|", "&"):
            found.append(Command(number, line, tuple(words)))
            words = []
        else:
            words.append(Word(match.group(), match.start(), match.end()))
    found.append(Command(number, line, tuple(words)))
    return [each._replace(line=line) for each in found if each.words]
