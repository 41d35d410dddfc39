# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads reStructuredText: literal blocks, code directives, boxes. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

from .blocks import CODE, HEADING, Line, Segment, with_inline

_DIRECTIVE = re.compile(r"^(?P<indent>\s*)\.\.\s+(?P<name>[\w:-]+?)::\s*(?P<rest>.*)$")
_COMMENT = re.compile(r"^(?P<indent>\s*)\.\.(?:\s+(?![\w:-]+::|_|\[|\|).*)?$")
_CODE_NAMES = ("code-block", "code", "sourcecode", "prompt", "parsed-literal", "highlight-block", "console")
_RULE = re.compile(r"^\s*([=\-`:.'\"~^_*+#])\1{2,}\s*$")
_INLINE = re.compile(r"(?:``|(?<=:code:)`|(?<=:command:)`|(?<=:kbd:)`)(?P<code>[^`]+)``?")


def segments(text: str) -> list[Segment]:
    """The parts of a page."""
    lines = [Line(number, line.rstrip("\r").expandtabs(8)) for number, line in enumerate(text.split("\n"), 1)]
    found: list[Segment] = []
    paragraph: list[Line] = []
    note, box = "", -1

    def end() -> None:
        if paragraph:
            found.extend(with_inline(paragraph, _INLINE, note))
            paragraph.clear()

    at = 0
    while at < len(lines):
        number, line = lines[at]
        directive, comment = _DIRECTIVE.match(line), _COMMENT.match(line)
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent <= box:
            end()
            note, box = "", -1
        if directive and directive["name"] in _CODE_NAMES:
            end()
            at = _body(lines, at + 1, indent, found, note)
            continue
        if directive:
            end()
            note, box = "%s %s" % (directive["name"], directive["rest"]), indent
        elif comment:
            end()
            at = _skip(lines, at + 1, indent)
            continue
        elif not line.strip():
            end()
        elif _RULE.match(line) and len(paragraph) == 1:
            found.append(Segment(HEADING, (paragraph.pop(),)))
        elif not _RULE.match(line):
            if re.match(r"\s*(?:[-*+]|#\.|\d+[.)])\s", line):
                end()
            paragraph.append(Line(number, line))
            if line.rstrip().endswith("::"):
                end()
                at = _body(lines, at + 1, indent, found, note)
                continue
        at += 1
    end()
    return found


def _skip(lines: list[Line], at: int, indent: int) -> int:
    """The place after what is indented more than *indent*."""
    while at < len(lines):
        text = lines[at].text
        if text.strip() and len(text) - len(text.lstrip()) <= indent:
            break
        at += 1
    return at


def _body(lines: list[Line], at: int, indent: int, found: list[Segment], note: str) -> int:
    """Add the code that is indented more than *indent*; the place after it."""
    end = _skip(lines, at, indent)
    body = lines[at:end]
    while body and re.match(r"\s*:[\w-]+:", body[0].text):
        body = body[1:]
    if any(line.text.strip() for line in body):
        found.append(Segment(CODE, tuple(body), note))
    return end
