# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The markup of the guide's texts: code, bold, links and values. No I/O. Private to hpc.pytorch.

``"Run `sbatch` in **{partition}**"`` is three pieces: plain text, code and a bold value. A value never becomes
markup: it is a piece of its own, which each format escapes.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown

_TOKEN = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<bold>[^*]+)\*\*"
    r"|\[(?P<label>[^\]]+)\]\((?P<href>https://[^)\s]+|[\w.-]+\.(?:md|html))\)"
    r"|(?<!\$)\{(?P<name>[a-z_]+)(?P<plain>:plain)?\}"
)
_VALUE = re.compile(r"(?<!\$)\{([a-z_]+)(?::plain)?\}")


class Piece(t.NamedTuple):
    """A part of a text.

    :arg kind: ``plain``, ``code``, ``bold`` or ``link``.
    :arg text: of plain text, code and links.
    :arg is_value: whether the text comes from the inventory.
    :arg parts: what is bold.
    """

    kind: str
    text: str
    is_value: bool = False
    href: str = ""
    parts: tuple[Piece, ...] = ()


def parse(text: str, values: t.Mapping[str, str]) -> tuple[Piece, ...]:
    """Split a text into its pieces.

    :arg values: by the names that the text has in braces. ``{name}`` is code, ``{name:plain}`` is not.
    :raises UserError: the text names a value that there is not.
    """
    return tuple(_pieces(text, values))


def names_in(text: str) -> set[str]:
    """The names of the values that a text asks for."""
    return set(_VALUE.findall(text))


def codes_in(text: str) -> list[str]:
    """The code in a text, in its order: what must be the same in every language."""
    return [
        match["code"] or "{%s}" % match["name"] for match in _TOKEN.finditer(text) if match["code"] or match["name"]
    ]


def clean(value: str) -> str:
    """A value on one line, without characters that a terminal or an editor would act on."""
    return visible(" ".join(value.split()))


def visible(text: str) -> str:
    """A text of several lines without such characters, and without empty lines at its end."""
    shown = (char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return "".join(shown).strip("\n")


def _pieces(text: str, values: t.Mapping[str, str]) -> t.Iterator[Piece]:
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield Piece("plain", text[end : match.start()])
        end = match.end()
        if match["code"]:
            code = _VALUE.sub(lambda name: clean(_value(name[1], values, text)), match["code"])
            yield Piece("code", code, is_value=bool(_VALUE.search(match["code"])))
        elif match["bold"]:
            yield Piece("bold", "", parts=parse(match["bold"], values))
        elif match["href"]:
            yield Piece("link", match["label"], href=match["href"])
        else:
            yield Piece(
                "plain" if match["plain"] else "code", clean(_value(match["name"], values, text)), is_value=True
            )
    if end < len(text):
        yield Piece("plain", text[end:])


def _value(name: str, values: t.Mapping[str, str], text: str) -> str:
    if name not in values:
        raise UserError(
            "a text of the guide to name only %s" % (", ".join("{%s}" % each for each in sorted(values)) or "no value"),
            "{%s} in %s" % (name, shown(text)),
            "correct the text in user_guide_texts",
        )
    return values[name]
