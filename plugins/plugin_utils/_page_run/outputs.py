# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the text that a page shows from what a command has written. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import without_credentials

# The name that the founding guide gives its reader.
READER = "your-id"
# A longer output is cut in its middle; a page is to be read.
_FIRST, _LAST = 40, 20
_COLUMNS = 400
# Of a name: alice. ends a sentence, alice.old is another one.
_WORD_END = r"(?![\w-]|\.\w)"
# CSI, OSC and the other sequences of a terminal.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
# How bash names a line of a block's file; at a prompt it does not.
_STEP = re.compile(
    r"(?m)^((?:-?bash|/\S+/bash): )\S*/\.hpc_pytorch\.guide/\S+/steps/[0-9]+(?:-outer)?\.sh: line [0-9]+: "
)
_TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
# What two runs of one command may print differently, and what takes its place when two outputs are compared.
_VOLATILE = tuple(
    (re.compile(pattern, re.MULTILINE), "<%s>" % name)
    for name, pattern in (
        ("time", r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]%s)?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?" % _TIME),
        (
            "time",
            r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]{1,2} "
            r"%s(?: [A-Z]{3,4})?(?: [0-9]{4})?" % _TIME,
        ),
        ("time", r"(?<![\w:.])%s(?![\w:])" % _TIME),
        ("seconds", r"(?<![\w.])[0-9]+(?:\.[0-9]+)? ?(?:ms|us|s|sec|secs|seconds|it/s)\b"),
        ("seconds", r"(?<=seconds=)[0-9.]+|(?<=\btime=)[0-9.]+"),
        ("job", r"(?i:(?<=\bjob )|(?<=\bjobid=)|(?<=\bjob_id=)|(?<=\bjob id ))[0-9]+"),
        ("job", r"(?<=\bslurm-)[0-9]+(?:_[0-9]+)?(?=\.)|(?<=-)[0-9]+(?=\.(?:out|err|log)\b)"),
        # squeue and sacct begin a line with it.
        ("job", r"^ *[0-9]+(?:_[0-9]+|_\[[0-9,%-]+\]|\.(?:batch|extern|[0-9]+))?(?= )"),
        ("process", r"(?i:(?<=\bpid )|(?<=\bpid=)|(?<=\bpid: ))[0-9]+|^\[[0-9]+\] [0-9]+$"),
        ("address", r"\b0x[0-9a-fA-F]{6,}\b"),
        # A loss, an accuracy: the last digits depend on the processor.
        ("number", r"(?<![\w.])[0-9]+\.[0-9]{3,}(?:e[+-]?[0-9]+)?(?![\w.])"),
        ("file", r"(?<=/tmp/)[\w.+-]+|(?<=\btmp[._-])\w+"),
    )
)


# srun and salloc write it if they have to wait.
_WAITED = re.compile(
    r"(?m)^(?:srun|salloc): (?:(?i:job) [0-9]+ (?:queued and waiting for|has been allocated) resources"
    r"|(?i:job) step .*|(?:Pending|Granted) job allocation [0-9]+)\n"
)


class Reader(t.NamedTuple):
    """Who has run the commands.

    :arg homes: the home directories that stand for that user's own, the longest first.
    """

    user: str
    homes: tuple[str, ...]


def reader_of(answer: t.Mapping[str, t.Any]) -> Reader:
    """The reader, from the module's answer."""
    homes = {str(answer[name]).rstrip("/") for name in ("home", "own_home") if answer.get(name)}
    return Reader(str(answer["user"]), tuple(sorted(homes - {""}, key=len, reverse=True)))


def shown_output(written: str, reader: Reader, commands: str) -> str:
    """The output of a command as a page shows it.

    No sequences of a terminal, no progress bars, no credentials, no name of a user and no more than 60 lines.

    :arg commands: all commands of the page. A name of a user that is a word of theirs stays.
    """
    text = _STEP.sub(r"\1", _SEQUENCE.sub("", written.replace("\r\n", "\n")))
    lines = [visible(_overwritten(line), _COLUMNS).rstrip() for line in lines_of(text)]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    if len(lines) > _FIRST + _LAST:
        lines[_FIRST:-_LAST] = ["[...]"]
    text = "\n".join(lines)
    # The folder of the home directories is the site's and no secret.
    readers = reader.homes[-1].rpartition("/")[0] + "/" + READER if reader.homes else ""
    for home in reader.homes:
        text = re.sub(re.escape(home) + _WORD_END, lambda _found: readers, text)
    name = r"(?<![\w.-])" + re.escape(reader.user) + _WORD_END
    if reader.user and not re.search(name, commands):
        text = re.sub(name, READER, text)
    text = without_credentials(text)
    return text + "\n" if text else ""


def is_same(one: str, other: str) -> bool:
    """Whether two outputs differ only in what two runs of one command print differently: times, jobs, addresses."""
    return one == other or _shape(one) == _shape(other)


def merged(old: t.Mapping[str, str], new: t.Mapping[str, str], order: t.Sequence[str]) -> dict[str, str]:
    """The outputs to keep.

    :arg old: those of the last run; one that is the same is kept as it is.
    :arg order: the IDs of all commands of the page. An output of another ID is dropped.
    """
    found: dict[str, str] = {}
    for name in order:
        if name in new:
            found[name] = old[name] if name in old and is_same(old[name], new[name]) else new[name]
        elif name in old:
            found[name] = old[name]
    return found


def _shape(text: str) -> str:
    text = _WAITED.sub("", text)
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    # A column moves with the width of a number.
    return re.sub(r"[ \t]+", " ", text)


def _overwritten(line: str) -> str:
    r"""What a terminal shows at the end of ``10%\r50%\r100%``, and of ``ab\bc``."""
    shown = [part for part in line.split("\r") if part]
    text = shown[-1] if shown else ""
    while "\b" in text:
        text = re.sub(r"[^\x08]\x08|\A\x08+", "", text)
    return text
