# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which program a command starts, behind words such as ``time -p`` or ``env A=b``, and the options of srun. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ..bash.shell_words import Command, Word, is_assignment
from ..sbatch.table import FLAGS, VALUE_ATTACHED

_KEYWORDS = frozenset("then do else elif if while until ! {".split())


class _Prefix(t.NamedTuple):
    """A command that starts another one.

    :arg with_value: its options that take the next word.
    :arg arguments: how many words stand between its options and the other command.
    """

    with_value: tuple[str, ...] = ()
    arguments: int = 0


_PREFIXES: t.Mapping[str, _Prefix] = {
    "builtin": _Prefix(),
    "command": _Prefix(),
    "env": _Prefix(("-u", "--unset", "-C", "--chdir")),
    "exec": _Prefix(("-a",)),
    "ionice": _Prefix(("-c", "--class", "-n", "--classdata")),
    "nice": _Prefix(("-n", "--adjustment")),
    "nohup": _Prefix(),
    "numactl": _Prefix(
        ("-i", "--interleave", "-m", "--membind", "-N", "--cpunodebind", "-C", "--physcpubind", "-p", "--preferred")
    ),
    "setsid": _Prefix(),
    "stdbuf": _Prefix(("-i", "--input", "-o", "--output", "-e", "--error")),
    "taskset": _Prefix((), 1),
    "time": _Prefix(("-f", "--format", "-o", "--output")),
    "timeout": _Prefix(("-k", "--kill-after", "-s", "--signal"), 1),
    "unbuffer": _Prefix(),
}

# srun(1): letters that take a value, with or without a blank before it.
_SRUN_LETTERS = "AaBbcCdDeGiJLmMnNopqrStTwWx"
_SRUN_FLAGS = (FLAGS - {"wait"}) | frozenset(
    """
    disable-status exact external interactive label multi-prog no-allocate overlap preserve-env pty unbuffered
    whole kill-on-bad-exit
    """.split()
)


# Programs that train, or start what trains.
_TRAININGS = re.compile(
    r"(?:python|pypy)[\d.]*|torchrun|accelerate|deepspeed|horovodrun|composer|fairseq-\w+|lightning|fabric|colossalai"
)
_STARTERS = frozenset("srun mpirun mpiexec bash sh apptainer singularity numactl nsys env".split())


class Started(t.NamedTuple):
    """A program that a command starts.

    :arg assignments: of variables for it: ``A=b``.
    :arg words: the program and its arguments; empty if the command only sets variables.
    """

    assignments: list[Word]
    words: list[Word]


def base_name(text: str) -> str:
    """A program without its folder: ``base_name("/usr/bin/srun")`` is ``"srun"``."""
    return text.rpartition("/")[2]


def is_training(text: str) -> bool:
    """Whether a program trains or starts what trains: ``is_training("/opt/env/bin/python3.11")``."""
    return _TRAININGS.fullmatch(base_name(text)) is not None


def is_starter(text: str) -> bool:
    """Whether a program trains, or starts another one."""
    return is_training(text) or base_name(text) in _STARTERS


def started(command: Command) -> Started:
    """The program behind keywords, assignments and prefixes: for ``time -p env A=b x -y`` it is ``x -y``."""
    words, assignments = list(command.words), []
    while words:
        if is_assignment(words[0]):
            assignments.append(words.pop(0))
        elif words[0].text in _KEYWORDS:
            words.pop(0)
        elif base_name(words[0].text) in _PREFIXES and len(words) > 1:
            prefix = _PREFIXES[base_name(words.pop(0).text)]
            while words and words[0].text.startswith("-"):
                option = words.pop(0).text
                if option in prefix.with_value and words:
                    words.pop(0)
            del words[: prefix.arguments]
        else:
            break
    return Started(assignments, words)


def srun_options(words: t.Sequence[Word]) -> tuple[list[str], list[str]]:
    """Tell the options of srun from its program: ``-n 2 python -c x`` gives ``["-n"]`` and ``["python", "-c", "x"]``.

    :arg words: those after ``srun``.
    """
    options: list[str] = []
    rest = [word.text for word in words]
    while rest and rest[0].startswith(("-", "$")):
        option = rest.pop(0)
        while option[:1] == "-" and option[1:2] not in _SRUN_LETTERS + "-" and len(option) > 2:
            # Letters without a value may stand before another one: -lc4.
            options.append(option[:2])
            option = "-" + option[2:]
        options.append(option)
        if option == "--":
            break
        if option.startswith("--"):
            name, equals, _value = option[2:].partition("=")
            waits = not equals and name not in _SRUN_FLAGS and name not in VALUE_ATTACHED
        else:
            waits = len(option) == 2 and option[0] == "-" and option[1] in _SRUN_LETTERS
        if waits and rest:
            rest.pop(0)
    return options, rest
