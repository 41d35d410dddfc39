# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads HTML: what is in pre and code, without the tags that colour it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import html.parser
import re
import typing as t

from .blocks import CODE, HEADING, INLINE, PROSE, Line, Segment

_SKIPPED = ("script", "style", "template", "del", "s", "strike", "nav", "button", "svg", "title")
_PARAGRAPH = (
    "p",
    "li",
    "td",
    "th",
    "dd",
    "dt",
    "div",
    "section",
    "article",
    "ul",
    "ol",
    "table",
    "tr",
    "blockquote",
    "main",
    "aside",
    "summary",
)
_VOID = ("br", "img", "hr", "input", "meta", "link", "wbr", "col", "source", "area", "base", "embed", "track", "param")
# Classes of what is next to code and not part of it.
_NUMBERS = re.compile(r"\b(lineno|linenos|linenodiv|line-numbers?|gutter|rouge-gutter|hljs-ln-numbers|copy\w*)\b")
_BOX = re.compile(r"\b(admonition|alert|callout|warning|danger|caution|deprecated|error)\b")


def segments(text: str) -> list[Segment]:
    """The parts of a page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_page()
    return reader.found


class _Reader(html.parser.HTMLParser):
    """Collects the text of each paragraph and of each pre."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Segment] = []
        self.paragraph: list[list[t.Any]] = []
        self.codes: list[Segment] = []
        self.code: list[list[t.Any]] | None = None
        # Tags that are open, each with whether its text counts, and the box that it begins.
        self.open: list[tuple[str, bool, str]] = []
        self.heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._write("\n")
        if tag in _VOID:
            return
        classes = dict(attrs).get("class") or ""
        self.open.append(
            (tag, tag in _SKIPPED or bool(_NUMBERS.search(classes)), classes if _BOX.search(classes) else "")
        )
        if tag == "pre" or (tag in ("code", "tt", "kbd") and not self._inside("pre")):
            if tag == "pre":
                self.end_paragraph()
            self.code = [[self.getpos()[0], ""]]
        elif self.code is None and (tag in _PARAGRAPH or re.match(r"h[1-6]\Z", tag)):
            self.end_paragraph()
            self.heading = tag[0] == "h"

    def handle_endtag(self, tag: str) -> None:
        if tag not in [name for name, _skipped, _box in self.open]:
            return
        while self.open:
            name = self.open.pop()[0]
            if name == tag:
                break
        if tag == "pre":
            self._end_code(CODE)
        elif tag in ("code", "tt", "kbd") and not self._inside("pre"):
            self._end_code(INLINE)
        elif self.code is not None and tag in ("div", "p", "tr", "li"):
            self._write("\n")
        elif tag in _PARAGRAPH or re.match(r"h[1-6]\Z", tag):
            self.end_paragraph()

    def handle_data(self, data: str) -> None:
        if not any(skipped for _name, skipped, _box in self.open):
            self._write(data)

    def end_page(self) -> None:
        """Add what no tag has ended."""
        if self.code is not None:
            self._end_code(CODE)
        self.end_paragraph()

    def end_paragraph(self) -> None:
        """Add the paragraph, and the code within it after it."""
        lines = tuple(Line(number, text) for number, text in self.paragraph if text.strip())
        if lines:
            self.found.append(Segment(HEADING if self.heading else PROSE, lines, self._note()))
        self.found += self.codes
        self.paragraph, self.codes, self.heading = [], [], False

    def _write(self, data: str) -> None:
        number = self.getpos()[0]
        for into in (self.code, self.paragraph if self.code is None or not self._inside("pre") else None):
            if into is None:
                continue
            for at, part in enumerate(data.split("\n")):
                if at or not into:
                    into.append([number, ""])
                if part and not into[-1][1]:
                    into[-1][0] = number + at
                into[-1][1] += part

    def _end_code(self, kind: str) -> None:
        lines = tuple(Line(number, text.replace("\xa0", " ")) for number, text in self.code or ())
        self.code = None
        if not any(line.text.strip() for line in lines):
            return
        if kind == CODE:
            self.found.append(Segment(CODE, lines, self._note()))
        else:
            # Some pages have a block in code without pre.
            self.codes.append(Segment(INLINE if len(lines) == 1 else CODE, lines, self._note()))

    def _note(self) -> str:
        return " ".join(box for _name, _skipped, box in self.open if box)

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _skipped, _box in self.open)
