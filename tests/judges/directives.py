# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes job scripts for sbatch and for our linter, from the table of options and the YAML files of this folder.

The same seed makes the same scripts.
"""

from __future__ import annotations

import functools
import pathlib
import random
import typing as t

import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import table
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.others import NOT_BEFORE

FOLDER = pathlib.Path(__file__).parent


class Given(t.NamedTuple):
    """An option and its value, None without one."""

    option: str
    value: str | None


class Script(t.NamedTuple):
    """A job script, and the options that were put into it.

    :arg plain: whether it has these options and no others, so that the module can be asked for them.
    """

    text: str
    given: tuple[Given, ...]
    plain: bool = False


_KINDS = {
    "count": "ntasks ntasks-per-node ntasks-per-core cpus-per-task cpus-per-gpu threads-per-core wait-all-nodes mincpus"
    " ntasks-per-gpu ntasks-per-socket cores-per-socket sockets-per-node core-spec thread-spec resv-ports segment nice"
    " tasks-per-node priority gid uid delay-boot switches",
    "memory": "mem mem-per-cpu mem-per-gpu tmp",
    "time": "time time-min immediate deadline begin",
    "gpus": "gpus gpus-per-node gpus-per-task gpus-per-socket",
    "path": "output error chdir input nodefile export-file bbf",
    "hosts": "nodelist exclude",
    "name": "partition account qos reservation licenses wckey mcs-label",
}
_LETTERS = {option.directive: option.short for option in table.OPTIONS if option.short} | {
    "hold": "H", "overcommit": "O", "quiet": "Q", "wait": "W", "oversubscribe": "s", "verbose": "v",
    "extra-node-info": "B", "nodefile": "F", "core-spec": "S", "begin": "b", "input": "i", "no-kill": "k",
}  # fmt: skip
# Letters that take no value.
_SWITCHES = frozenset("HOQWsv")


@functools.lru_cache(maxsize=None)
def load(name: str) -> t.Any:
    """The content of a YAML file of this folder."""
    # Every value is text: 1:30 is no number.
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


@functools.lru_cache(maxsize=None)
def options() -> list[str]:
    """Every option that we know, and those of older releases."""
    known = set(table.BY_DIRECTIVE) | table.KNOWN | set(table.ALIASES) | set(table.GONE)
    return sorted(known)


def catalog() -> list[Given]:
    """Every option with every value that is listed for it, and without one."""
    values = load("values.yml")
    found: list[Given] = []
    for option in options():
        own = list(values["every"]) + list(values["options"].get(option, []))
        for kind, names in _KINDS.items():
            if option in names.split():
                own += values["kinds"][kind]
        found += [Given(option, value) for value in dict.fromkeys(own)] + [Given(option, None)]
    return found


def _quoted(value: str, chance: random.Random) -> str:
    """One word of a directive, in one of the ways to write it."""
    plain = bool(value) and not any(char in value for char in " \t\"'\\#")
    way = (
        chance.choice(["plain"] * 4 + ["double", "single", "escaped"]) if plain else chance.choice(["double", "single"])
    )
    if way == "plain":
        return value
    if way == "escaped":
        at = chance.randrange(len(value))
        return value[:at] + "\\" + value[at:]
    quote = '"' if way == "double" else "'"
    escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + escaped + quote


def written(given: Given, chance: random.Random) -> str:
    """A directive in one of the forms that getopt takes: ``--nodes=2``, ``--nodes 2``, ``-N2``, ``--node=2``."""
    name, value = given
    letter = _LETTERS.get(name)
    long = "--" + name
    # What a release does not have has no abbreviation there.
    if len(name) > 6 and name not in (*NOT_BEFORE, *table.GONE, *table.PLUGINS) and chance.random() < 0.05:
        short = name[: chance.randrange(4, len(name))]
        long = long if short in options() else "--" + short
    if value is None:
        return "-" + letter if letter and chance.random() < 0.3 else long
    word = _quoted(value, chance)
    if name in table.FLAGS and name not in table.VALUE_ATTACHED:
        return long + "=" + word
    forms = [long + "=" + word] * 6 + [long + " " + word] * 2
    if letter and letter not in _SWITCHES:
        forms += ["-%s %s" % (letter, word)] * 3 + ["-%s%s" % (letter, word)] * 2 + ["-%s=%s" % (letter, word)]
    return chance.choice(forms)


def _changed(value: str, chance: random.Random) -> str:
    """The value with a mistake of a typist."""
    at = chance.randrange(len(value) + 1)
    way = chance.choice(["add", "drop", "swap", "case", "double"])
    if way == "add":
        return value[:at] + chance.choice("0149aGkx:,-=@%*&|[]() .;/_+") + value[at:]
    if way == "drop":
        return value[:at] + value[at + 1 :]
    if way == "swap":
        return value[:at] + value[at + 1 : at + 2] + value[at : at + 1] + value[at + 2 :]
    if way == "case":
        return value[:at] + value[at : at + 1].swapcase() + value[at + 1 :]
    return value[:at] + value[at : at + 1] * 2 + value[at + 1 :]


def make(seed: int, count: int) -> list[Script]:
    """Make that many scripts: half with one listed value, the others with a changed value, several, or in a shape."""
    chance = random.Random(seed)
    listed = catalog()
    chance.shuffle(listed)
    shapes = load("shapes.yml")
    right = [
        Given(name, None if value == "~" else value) for name, values in shapes["right"].items() for value in values
    ]
    found: list[Script] = []
    for number in range(count):
        turn = number % 8
        if turn < 4 and listed:
            found.append(script([listed.pop()], chance))
        elif turn < 6:
            one = chance.choice(right)
            value = one.value if one.value is None else _changed(one.value, chance)
            found.append(script([one._replace(value=value)], chance))
        elif turn == 6:
            found.append(script(_several(right, chance.randrange(2, 5), chance), chance))
        else:
            found.append(_shaped(chance.choice(shapes["shapes"]), right, chance))
    return found


def _several(right: t.Sequence[Given], count: int, chance: random.Random) -> list[Given]:
    """That many different options."""
    names = chance.sample(sorted({one.option for one in right}), count)
    return [chance.choice([one for one in right if one.option == name]) for name in names]


def script(given: t.Sequence[Given], chance: random.Random) -> Script:
    """A script with a line for each option."""
    lines = ["#SBATCH " + written(one, chance) for one in given]
    return Script("\n".join(["#!/bin/bash", *lines, "true", ""]), tuple(given), plain=True)


def _shaped(shape: str, right: t.Sequence[Given], chance: random.Random) -> Script:
    """A shape whose every @ is a directive."""
    parts = shape.split("@")
    given = _several(right, len(parts) - 1, chance)
    text = parts[0] + "".join(written(one, chance) + part for one, part in zip(given, parts[1:]))
    return Script(text, tuple(given))
