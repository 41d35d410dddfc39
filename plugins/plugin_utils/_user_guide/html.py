# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders a page of the guide as one HTML page that needs no network. Private to hpc.pytorch.

The template engine escapes everything, and the page runs no script.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib
import typing as t

import jinja2

from .blocks import Section, Text
from .inline import clean, visible
from .texts import OtherPage, Texts

FOLDER = pathlib.Path(__file__).parent / "templates"
LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}
# A longer file opens on demand.
LONGEST_OPEN = 30


def render_html(
    sections: t.Sequence[Section],
    texts: Texts,
    outputs: t.Mapping[str, str],
    other_pages: t.Sequence[OtherPage],
) -> str:
    """Render the page; the arguments are those of ``render_markdown``."""
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    return _template().render(
        sections=sections,
        outputs=outputs,
        other_pages=other_pages,
        language=LANGUAGE_TAGS[texts.language],
        language_tags=LANGUAGE_TAGS,
        style=style,
        style_hash="sha256-%s" % base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii"),
        pieces=texts.pieces,
        word=lambda key, **values: "".join(piece.text for piece in texts.pieces(Text(key, values))),
        kind=lambda block: type(block).__name__,
        clean=clean,
        visible=visible,
        longest_open=LONGEST_OPEN,
    )


@functools.lru_cache(maxsize=None)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))
