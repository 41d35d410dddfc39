# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the programs that a job script starts, through srun, images, bash -c and variables. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ..bash.command_text import Text
from ..bash.shell_words import Command, Word, split_line
from .programs import base_name, is_starter, is_training, srun_options, started

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?\})\Z")
# The option of a shell before its commands: bash -lc.
_CODE = re.compile(r"-[a-z]*c")
_GIVEN = ("$@", "$*", "${@}")
_DECLARES = ("export", "declare", "typeset", "local", "readonly")
SHELLS = ("bash", "sh", "zsh", "ksh", "dash")
# Programs that start another one, with too many options to read them all, and the words that say so.
_WRAPPERS: t.Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("apptainer", "singularity"), ("exec", "run", "shell")),
    **dict.fromkeys(("docker", "podman", "podman-hpc"), ("exec", "run")),
    **dict.fromkeys(("conda", "mamba", "micromamba", "pixi", "poetry", "uv"), ("run",)),
    **dict.fromkeys(
        (
            "aprun ch-run coverage enroot ibrun jsrun mpiexec mpirun mpirun_rsh ncu nsys parallel pdsh prun rocprof "
            "shifter ssh sudo xargs"
        ).split(),
        (),
    ),
}
# Scripts of a site's or a user's that set something and start the words after it: srun ./bind.sh python train.py.
_OWN_WRAPPER = re.compile(r"wrapper|(?:^|/)(?:apptainer|singularity)_\w+\Z|^\.{0,2}/.*\.sh\Z|^\./")
# A variable may hold a variable, and a shell may start a shell.
_DEEPEST = 6
_MOST_WORDS = 2000


class Call(t.NamedTuple):
    """A program that the script starts.

    :arg line: the command in which it is.
    :arg at: where in the line.
    :arg words: the program and its arguments, with what the script put into variables; empty for assignments alone.
    :arg assignments: of variables for it.
    :arg within: the programs that start it, the outermost first: ``("srun", "bash")``.
    :arg background: whether ``&`` ends the command.
    """

    line: Text
    at: int
    words: tuple[Word, ...]
    assignments: tuple[Word, ...]
    within: tuple[str, ...]
    background: bool

    @property
    def program(self) -> str:
        """Its name without the folder."""
        return base_name(self.words[0].text)

    @property
    def arguments(self) -> list[str]:
        """The words after the program."""
        return [word.text for word in self.words[1:]]


def calls_of(commands: t.Sequence[Text]) -> list[Call]:
    """The programs that commands start, in the order of the script.

    ``A='torchrun x.py'; srun bash -c "$A"`` starts srun, within it bash, and within both torchrun.
    """
    reader = _Calls()
    for line in commands:
        for command in split_line(line.text).commands:
            reader.read(line, command)
    return reader.calls + reader.of_variables()


class _Value(t.NamedTuple):
    """What a variable holds: a text, or the elements of an array."""

    line: Text
    word: Word
    elements: tuple[Word, ...] | None = None

    def words(self) -> tuple[Word, ...]:
        """Its words, each with its own place."""
        if self.elements is not None:
            return tuple(word if word.line else word._replace(line=self.line.line) for word in self.elements)
        commands = split_line(self.word.text.partition("=")[2]).commands
        # A substitution in it is a command before it.
        first = next((command.words for command in commands if command.words[0].at == 0), ())
        return tuple(Word(one.text, self.word.at, self.word.end, self.line.line) for one in first)


class _Calls:
    """Reads commands one by one, and remembers what variables hold."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._variables: dict[str, _Value] = {}
        self._used: set[str] = set()

    def read(self, line: Text, command: Command) -> None:
        """Read a command of the script."""
        if command.array:
            self._set_array(command.array, line, command.words)
        else:
            self._read(line, command, (), 0)

    def of_variables(self) -> list[Call]:
        """The trainings in variables that no command is known to use: a function or a loop may."""
        found = _Calls()
        for name, value in self._variables.items():
            words = value.words() if name not in self._used else ()
            if words and is_training(words[0].text):
                found._read(value.line, Command(words, False), ("variable",), _DEEPEST)
        return found.calls

    def _set_array(self, assignment: str, line: Text, elements: tuple[Word, ...]) -> None:
        name = assignment.rstrip("+=").partition("[")[0]
        before = self._variables.get(name) if assignment.endswith("+=") else None
        if before:
            elements = (before.words() + tuple(word._replace(line=line.line) for word in elements))[:_MOST_WORDS]
        self._variables[name] = _Value(line, elements[0], elements)

    def _read(self, line: Text, command: Command, within: tuple[str, ...], depth: int) -> None:
        assignments, words = started(command._replace(words=self._expanded(command.words)))
        declares = bool(words) and words[0].text in _DECLARES
        given = tuple(words[1:]) if declares else tuple(assignments)
        if words and not declares:
            self._call(Call(line, words[0].at, tuple(words), given, within, command.background), depth)
        elif given:
            for word in given:
                name, equals, value = word.text.partition("=")
                if equals and value != "()" and name.isidentifier():
                    self._variables[name] = _Value(line, word)
            self.calls.append(Call(line, given[0].at, (), given, within, command.background))

    def _expanded(self, words: tuple[Word, ...], depth: int = 0) -> tuple[Word, ...]:
        """The words, with what the script itself put into variables."""
        if depth > 3 or not any(word.text[:1] == "$" for word in words):
            return words
        found: list[Word] = []
        for before, word in zip((None, *words), words):
            # The text of bash -c is one word.
            name = None if before and _CODE.fullmatch(before.text) else _VARIABLE.match(word.text)
            known = self._variables.get(name[1] or name[2]) if name else None
            if name and known and len(found) < _MOST_WORDS:
                self._used.add(name[1] or name[2])
                found += self._expanded(known.words(), depth + 1)
            else:
                found.append(word)
        return tuple(found)

    def _call(self, call: Call, depth: int) -> None:
        self.calls.append(call)
        if depth >= _DEEPEST:
            return
        program, words = call.program, call.words
        inside = (*call.within, program)
        inner: tuple[Word, ...] = ()
        if program == "srun":
            rest = srun_options(words[1:])[1]
            inner = words[len(words) - len(rest) :] if rest else ()
        elif program in SHELLS:
            self._body(call, inside, depth)
        elif program == "eval":
            self._text(call, " ".join(call.arguments), words[0], call.within, depth)
        elif _OWN_WRAPPER.search(words[0].text) or (
            program in _WRAPPERS and (not _WRAPPERS[program] or set(_WRAPPERS[program]) & set(call.arguments))
        ):
            at = next((at for at, word in enumerate(words) if at and is_starter(word.text)), 0)
            inner = words[at:] if at else ()
        if inner:
            self._read(call.line, Command(inner, call.background), inside, depth + 1)

    def _body(self, call: Call, within: tuple[str, ...], depth: int) -> None:
        """Read the commands of bash -c."""
        for at, word in enumerate(call.words[2:], 2):
            option = call.words[at - 1].text
            if _CODE.fullmatch(option):
                # The word after the text is $0.
                self._text(call, word.text, word, within, depth, call.words[at + 2 :])
            if not option.startswith("-") or option.endswith("c"):
                return

    def _text(
        self,
        call: Call,
        text: str,
        whole: Word,
        within: tuple[str, ...],
        depth: int,
        given: tuple[Word, ...] = (),
    ) -> None:
        """Read the commands of a text.

        :arg given: what "$@" in it stands for.
        """
        name = _VARIABLE.match(text)
        if name:
            known = self._variables.get(name[1] or name[2])
            self._used.add(name[1] or name[2])
            text = known.word.text.partition("=")[2] if known else ""
        for command in split_line(text).commands:
            words: list[Word] = []
            for word in command.words:
                words += given if given and word.text in _GIVEN else [self._placed(call, word, whole)]
            self._read(call.line, command._replace(words=tuple(words[:_MOST_WORDS])), within, depth + 1)

    def _placed(self, call: Call, word: Word, whole: Word) -> Word:
        """A word of a quoted text with its place in the line, or the place of the text if it is not found."""
        # Escapes make the text in the line longer, never shorter.
        found = call.line.text.find(word.text, whole.at + word.at, whole.end) if not whole.line else -1
        return Word(word.text, found if found >= 0 else whole.at, whole.end, whole.line)
