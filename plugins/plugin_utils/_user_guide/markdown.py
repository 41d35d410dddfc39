# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders a page of the guide as Markdown, for MkDocs with Material's admonitions. Private to hpc.pytorch.

Each command has an HTML comment directly above its fence, which says whether and where it is executed.
"""

from __future__ import annotations

import functools
import pathlib
import re
import typing as t

import jinja2

from .blocks import Cell, Code, Command, File, Section, Text
from .inline import Piece, clean, visible
from .texts import OtherPage, Texts

TEMPLATE = pathlib.Path(__file__).parent / "templates" / "page.md.j2"
# Where a value has one of these, it is written with entities instead of a code span: no flavour of Markdown reads
# those as markup, also not in a table.
_NOT_IN_SPAN = re.compile(r"[`|\\]|^\s|\s$|^$")


def render_markdown(
    sections: t.Sequence[Section], texts: Texts, outputs: t.Mapping[str, str], other_pages: t.Sequence[OtherPage]
) -> str:
    """Render the page.

    :arg outputs: what the commands printed, by their ids.
    :arg other_pages: the same page in other languages.
    """
    return _template().render(
        sections=sections,
        outputs=outputs,
        other_pages=other_pages,
        inline=lambda text: "".join(map(_piece, texts.pieces(text))),
        cell=lambda cell: _cell(cell, texts),
        kind=lambda block: type(block).__name__,
        marker=lambda block: marker(block, texts),
        fence=fence,
    )


def marker(block: Command | File, texts: Texts) -> str:
    """The comment above the fence of a command or file."""
    if isinstance(block, File):
        return "<!-- file %s name=%s on=%s -->" % (block.id, block.name, block.on)
    if block.reason is not None:
        reason = "".join(piece.text for piece in texts.pieces(block.reason))
        return "<!-- not run %s: %s -->" % (block.id, reason.replace("--", "- -"))
    words = ["run", block.id, "on=%s" % block.on, "as=user"]
    words += ["wait=%s" % block.wait] if block.wait else []
    words += ["expect=%d" % block.expect] if block.expect else []
    return "<!-- %s -->" % " ".join(words)


def fence(content: str, language: str) -> str:
    """A fenced block that no line of its content ends."""
    lines = visible(content).split("\n")
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join([ticks + language, *lines, ticks])


def _cell(cell: Cell, texts: Texts) -> str:
    if isinstance(cell, Code):
        return _code(clean(cell.value))
    return "".join(map(_piece, texts.pieces(cell))) if isinstance(cell, Text) else ""


def _piece(piece: Piece) -> str:
    if piece.kind == "code":
        return _code(piece.text)
    if piece.kind == "bold":
        return "**%s**" % "".join(map(_piece, piece.parts))
    if piece.kind == "link":
        return "[%s](%s)" % (_plain(piece.text), piece.href)
    return _entities(piece.text) if piece.is_value else _plain(piece.text)


def _code(text: str) -> str:
    return "<code>%s</code>" % _entities(text) if _NOT_IN_SPAN.search(text) else "`%s`" % text


def _plain(text: str) -> str:
    return re.sub(r"[\\`*_\[\]<>&|]", lambda match: "&#%d;" % ord(match[0]), text)


def _entities(text: str) -> str:
    return re.sub(r"[!-/:-@\[-`{-~]", lambda match: "&#%d;" % ord(match[0]), text)


@functools.lru_cache(maxsize=None)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
