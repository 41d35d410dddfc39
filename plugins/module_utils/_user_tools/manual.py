# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a tool's ``--help`` and man page, and its options. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import argparse
import textwrap
import typing as t

from .._common.errors import UserError

_WIDTH = 79


class Flag(t.NamedTuple):
    """An option of a tool.

    :arg value: what it takes, such as ``FILE``; empty for a switch.
    :arg settings: keywords of ``ArgumentParser.add_argument``.
    """

    name: str
    value: str
    text: str
    settings: t.Mapping[str, t.Any]

    @property
    def shown(self) -> str:
        """``--slurm VERSION``"""
        return "%s %s" % (self.name, self.value) if self.value else self.name


class Manual(t.NamedTuple):
    """What a person reads about a tool.

    :arg usage: command lines, without the tool's name.
    :arg operand: the name of the arguments that are not options; empty for a tool without.
    :arg status: exit status and its meaning.
    :arg examples: command line and what it does.
    """

    name: str
    summary: str
    usage: tuple[str, ...]
    description: tuple[str, ...]
    operand: str
    flags: tuple[Flag, ...]
    status: tuple[tuple[str, str], ...]
    examples: tuple[tuple[str, str], ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """The parts that are lists: title, and pairs of a term and its text."""
        flags = tuple((flag.shown, flag.text) for flag in self.flags)
        return (
            (
                "Options",
                (*flags, ("--version", "Print the version of hpc.pytorch."), ("--help", "Show this text.")),
            ),
            ("Exit status", self.status),
            ("Examples", self.examples),
        )


class _Parser(argparse.ArgumentParser):
    """Its help is the manual, and a mistake is a UserError."""

    def __init__(self, manual: Manual) -> None:
        super().__init__(prog=manual.name, allow_abbrev=False)
        self._manual = manual

    def format_help(self) -> str:
        return help_text(self._manual)

    def error(self, message: str) -> t.NoReturn:
        raise UserError(
            "options and arguments of %s" % self.prog, message, "correct them; %s --help explains them" % self.prog
        )


def parse(manual: Manual, arguments: t.Sequence[str], version: str) -> argparse.Namespace:
    """Read a command line. ``--help`` prints the manual, ``--version`` the version; both end the program.

    :arg version: of the collection.
    :raises UserError: the command line is wrong.
    """
    parser = _Parser(manual)
    parser.add_argument("--version", action="version", version="%s (hpc.pytorch) %s" % (manual.name, version))
    for flag in manual.flags:
        parser.add_argument(flag.name, **dict(flag.settings, **({"metavar": flag.value} if flag.value else {})))
    if manual.operand:
        parser.add_argument("operands", metavar=manual.operand, nargs="*")
    return parser.parse_args(arguments)


def help_text(manual: Manual) -> str:
    """The manual for a terminal of 80 columns."""
    lines = ["%s - %s" % (manual.name, manual.summary), "", "Usage:"]
    lines += ["  %s" % " ".join((manual.name, usage)).strip() for usage in manual.usage]
    for paragraph in manual.description:
        lines += ["", *textwrap.wrap(paragraph, _WIDTH, break_on_hyphens=False)]
    for title, pairs in manual.sections:
        lines += ["", "%s:" % title]
        for term, text in pairs:
            lines += [
                "  " + term,
                *(" " * 6 + line for line in textwrap.wrap(text, _WIDTH - 6, break_on_hyphens=False)),
            ]
    return "\n".join(lines) + "\n"


def man_page(manual: Manual) -> str:
    """The manual as a page of section 1, for the program man."""
    lines = [
        '.TH "%s" 1 "" hpc.pytorch "User Commands"' % _roff(manual.name.upper()),
        ".SH NAME",
        "%s \\- %s" % (_roff(manual.name), _roff(manual.summary)),
        ".SH SYNOPSIS",
        ".nf",
        *(_roff("%s %s" % (manual.name, usage)).strip() for usage in manual.usage),
        ".fi",
        ".SH DESCRIPTION",
    ]
    for paragraph in manual.description:
        lines += [".PP", _roff(paragraph)]
    for title, pairs in manual.sections:
        lines.append(".SH %s" % title.upper())
        for term, text in pairs:
            lines += [".TP", "\\fB%s\\fR" % _roff(term), _roff(text)]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """*text* for a line of roff, where a leading dot or quote is a request and a bare hyphen typographic."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + escaped if escaped.startswith(".") else escaped
