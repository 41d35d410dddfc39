# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Markdown: fences, indented code, HTML in it, the boxes and tabs of MkDocs. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import html
import re
import typing as t

from .blocks import CODE, HEADING, Line, Segment, with_inline

_FENCE = re.compile(r"^(?P<indent>\s*(?:(?:[-*+]|\d+[.)])\s+)?)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_HIGHLIGHT = re.compile(r"\{%-?\s*(?:highlight|code)\b.*%\}")
_END_HIGHLIGHT = re.compile(r"\{%-?\s*end(?:highlight|code)\b")
_BOX = re.compile(r"^(?P<indent>\s*)(?:!!!|\?\?\?\+?|===\+?|:::+)\s*(?P<head>.*)$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(?P<text>.+)$")
_UNDERLINE = re.compile(r"^\s{0,3}(=+|-+)\s*$")
_CODE = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)")
_STRUCK = re.compile(r"~~.*?~~|<(del|s|strike)>.*?</\1>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_QUOTE = re.compile(r"^\s{0,3}>\s?")
_CALLOUT = re.compile(r"^\s*\[!(?P<head>\w+)\]")


def segments(text: str) -> list[Segment]:
    """The parts of a page."""
    return _Reader(text).read()


class _Reader:
    """The state while the lines of a page are read."""

    def __init__(self, text: str) -> None:
        self.lines = [Line(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1)]
        self.found: list[Segment] = []
        self.paragraph: list[Line] = []
        self.note = ""
        self.box = 0

    def read(self) -> list[Segment]:
        at = self._after_front_matter()
        blank = True
        while at < len(self.lines):
            number, text = self.lines[at]
            text = self._outside(text)
            quoted = _QUOTE.sub("", text)
            fence = _FENCE.match(quoted)
            if fence:
                at = self._fenced(at + 1, fence["fence"])
            elif _HIGHLIGHT.search(text):
                at = self._until(at + 1, _END_HIGHLIGHT)
            elif re.search(r"<pre\b", text, re.IGNORECASE):
                at = self._pre(at)
            elif "<!--" in text and "-->" not in text.split("<!--", 1)[1]:
                self._end_paragraph()
                while at < len(self.lines) and "-->" not in self.lines[at].text:
                    at += 1
                at += 1
            elif blank and text.startswith(("    ", "\t")) and not self.paragraph:
                at = self._indented(at)
            else:
                self._prose(number, text)
                at += 1
            blank = not self.lines[min(at, len(self.lines)) - 1].text.strip()
        self._end_paragraph()
        return self.found

    def _after_front_matter(self) -> int:
        if not self.lines[0].text.startswith("---"):
            return 0
        for at, line in enumerate(self.lines[1:200], 1):
            if line.text.rstrip() == "---":
                return at + 1
        return 0

    def _outside(self, text: str) -> str:
        """The line without the indent of the box that it is in; a line that is less indented ends the box."""
        if self.box and text.strip():
            indent = len(text) - len(text.lstrip())
            if indent < self.box:
                self._end_paragraph()
                self.box, self.note = 0, ""
        return text[self.box :]

    def _fenced(self, at: int, fence: str) -> int:
        self._end_paragraph()
        code: list[Line] = []
        end = re.compile(r"^\s*(?:>\s?)*\s*%s{%d,}\s*$" % (re.escape(fence[0]), len(fence)))
        while at < len(self.lines) and not end.match(self.lines[at].text):
            code.append(Line(self.lines[at].number, _QUOTE.sub("", self.lines[at].text)))
            at += 1
        self._code(code)
        return at + 1

    def _until(self, at: int, end: t.Pattern[str]) -> int:
        self._end_paragraph()
        code = []
        while at < len(self.lines) and not end.search(self.lines[at].text):
            code.append(self.lines[at])
            at += 1
        self._code(code)
        return at + 1

    def _pre(self, at: int) -> int:
        self._end_paragraph()
        code = []
        while at < len(self.lines):
            number, text = self.lines[at]
            code.append(Line(number, html.unescape(_TAG.sub("", _STRUCK.sub("", text)))))
            at += 1
            if re.search(r"</pre>", text, re.IGNORECASE):
                break
        self._code(code)
        return at

    def _indented(self, at: int) -> int:
        code = []
        while at < len(self.lines):
            text = self._outside(self.lines[at].text)
            if text.strip() and not text.startswith(("    ", "\t")):
                break
            if _FENCE.match(text) or _BOX.match(text):
                break
            code.append(Line(self.lines[at].number, text))
            at += 1
        if not code:
            self._prose(*self.lines[at])
            return at + 1
        self._code(code)
        return at

    def _prose(self, number: int, text: str) -> None:
        box = _BOX.match(text)
        if box and (box["head"] or text.lstrip().startswith(":::")):
            self._end_paragraph()
            if not text.lstrip().startswith(":::"):
                self.box += len(box["indent"]) + 4
            self.note = box["head"]
            return
        heading = _HEADING.match(text)
        if heading or not text.strip():
            self._end_paragraph()
            if heading:
                self.found.append(Segment(HEADING, (Line(number, heading["text"]),)))
            return
        if _UNDERLINE.match(text) and len(self.paragraph) == 1:
            self.found.append(Segment(HEADING, (self.paragraph.pop(),)))
            return
        callout = _CALLOUT.match(_QUOTE.sub("", text))
        if callout or re.match(r"\s*(?:[-*+]|\d+[.)])\s", text):
            # Each item of a list says something of its own.
            self._end_paragraph()
        self.paragraph.append(Line(number, _STRUCK.sub("", _QUOTE.sub("", text))))

    def _end_paragraph(self) -> None:
        if self.paragraph:
            self.found += with_inline(self.paragraph, _CODE, self.note)
            self.paragraph = []

    def _code(self, code: t.Sequence[Line]) -> None:
        if any(line.text.strip() for line in code):
            self.found.append(Segment(CODE, tuple(code), self.note))
