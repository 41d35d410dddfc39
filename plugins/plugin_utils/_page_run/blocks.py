# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the commands of a rendered page back. No I/O. Private to hpc.pytorch.

A command is a fence below a comment that names it, in Markdown that anybody may have edited::

    <!-- run submit on=login as=user wait=job -->
    ```bash
    sbatch test.sh
    ```

The other comments are ``not run ID: REASON``, ``file ID name=NAME on=login`` and ``output ID``. Blank lines between a
comment and its fence, and an indentation (of an admonition or a list), change nothing. What is in another fence or in
a comment of several lines is no block.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of

from .marker import Marker, looks_like_one, marker_of

_COMMENT = re.compile(r"<!--(.*?)-->\s*\Z")
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)\Z")
# A list's or a quote's sign in front of a comment: renderers take it for a part of the text.
_QUOTED = re.compile(r"(?:>\s*)+<!--(.*?)-->\s*\Z")
_SHELLS = ("bash", "sh", "shell", "")


class Block(t.NamedTuple):
    """A marked fence of a page.

    :arg marked: the line of its marker, counted from 1.
    :arg line: the line on which its text begins.
    :arg text: what is in the fence, without its indentation; each line ends with a line feed.
    """

    marker: Marker
    marked: int
    line: int
    text: str

    @property
    def kind(self) -> str:
        """One of run, not run, file and output."""
        return self.marker.kind

    @property
    def id(self) -> str:
        """The name of the block on its page."""
        return self.marker.id


class _Fence(t.NamedTuple):
    """A fence.

    :arg first: the index of the line that opens it; ``last`` of the one that closes it.
    """

    first: int
    last: int
    info: str
    text: str


def read_page(page: str, text: str) -> list[Block]:
    """The marked blocks of a page, in their order.

    :arg page: its name, for errors.
    :arg text: its Markdown.
    :raises UserError: a fence or a comment never closes, a marker is not understood or has no fence, or an ID is used
        twice; with the line.
    """
    lines = lines_of(text[1:] if text.startswith("\ufeff") else text)
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("<!--") and "-->" not in line:
            at = _end_of_comment(page, lines, at) + 1
            continue
        if _FENCE.match(line):
            at = _fence(page, lines, at).last + 1
            continue
        found = _COMMENT.match(line)
        if found:
            at = _marked(page, lines, at, found.group(1).strip(), blocks)
            continue
        quoted = _QUOTED.match(line)
        if quoted and looks_like_one(quoted.group(1).strip()):
            raise _error(page, at, "a marker outside of a block quote", shown(line), "take its fence out of the quote")
        at += 1
    _check(page, blocks)
    return blocks


def commands(blocks: t.Iterable[Block]) -> list[tuple[str, ...]]:
    """What is executed of a page, in its order, to compare the languages of one page.

    Two pages are the same if these are. A line of a file that is only a comment may be in the page's language.
    """
    return [
        (block.kind, block.id, *block.marker.settings(), _without_comments(block.text))
        for block in blocks
        if block.kind != "output"
    ]


def _marked(page: str, lines: t.Sequence[str], at: int, comment: str, blocks: list[Block]) -> int:
    """Add the block below a comment, if the comment is a marker. Returns where to read on."""
    below = at + 1
    while below < len(lines) and not lines[below].strip():
        below += 1
    has_fence = below < len(lines) and bool(_FENCE.match(lines[below].strip()))
    try:
        marker = marker_of(comment, has_fence)
    except UserError as error:
        raise _error(page, at, error.expected, error.found, error.remedy) from None
    if marker is None:
        return at + 1
    if not has_fence:
        raise _error(
            page,
            at,
            "a fence (```) below the marker of %s" % marker.id,
            "none",
            "put the fence on the next line, or remove the marker",
        )
    fence = _fence(page, lines, below)
    if marker.kind == "run" and _language(fence.info) not in _SHELLS:
        raise _error(
            page,
            below,
            "a fence of bash, as %s is to be run" % marker.id,
            shown(fence.info),
            "write ```bash, or mark the block as not run, with the reason",
        )
    blocks.append(Block(marker, at + 1, below + 2, fence.text))
    return fence.last + 1


def _fence(page: str, lines: t.Sequence[str], at: int) -> _Fence:
    """The fence that opens on a line.

    :raises UserError: it never closes.
    """
    indent = _indent(lines[at])
    opening = _FENCE.match(lines[at].strip())
    sign, info = (opening.group(1), opening.group(2).strip()) if opening else ("", "")
    if sign.startswith("`") and "`" in info:
        # A code span of one line, such as ```` ```a``` ````.
        return _Fence(at, at, "", "")
    closing = re.compile(r"%s{%d,}\Z" % (re.escape(sign[0]), len(sign)))
    for end in range(at + 1, len(lines)):
        if closing.match(lines[end].strip()) and _indent(lines[end]) <= indent + 3:
            text = "".join(_without_indent(line, indent) + "\n" for line in lines[at + 1 : end])
            return _Fence(at, end, info, text)
    raise _error(page, at, "a fence that closes", "no line with %s after it" % sign, "add a line with %s" % sign)


def _end_of_comment(page: str, lines: t.Sequence[str], at: int) -> int:
    for end in range(at + 1, len(lines)):
        if "-->" in lines[end]:
            return end
    raise _error(page, at, "a comment that closes", "no --> after it", "add -->")


def _check(page: str, blocks: t.Sequence[Block]) -> None:
    """Refuse an ID that is used twice, and an output of no command."""
    seen: dict[str, Block] = {}
    outputs: dict[str, Block] = {}
    for block in blocks:
        names = outputs if block.kind == "output" else seen
        if block.id in names:
            raise _error(
                page,
                block.marked - 1,
                "each ID once",
                "%s, which line %d has too" % (block.id, names[block.id].marked),
                "give one of the two another ID",
            )
        names[block.id] = block
    for block in outputs.values():
        if block.id not in seen or seen[block.id].kind != "run":
            raise _error(
                page,
                block.marked - 1,
                "the output of a block that is run",
                "no such block with the ID %s" % block.id,
                "remove the output, or mark its command as run",
            )


def _language(info: str) -> str:
    """``bash`` for each of ``bash``, ``bash title="x"``, ``{.bash}`` and ``bash hl_lines="2"``."""
    words = info.strip("{} ").split()
    return words[0].lstrip(".").lower() if words else ""


def _indent(line: str) -> int:
    """The columns of white space in front of a line. A tab reaches to the next multiple of four."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _without_indent(line: str, columns: int) -> str:
    """*line* without so much of its white space; the tabs of a text that is not indented stay."""
    if not columns:
        return line
    text = line.lstrip(" \t")
    return " " * max(0, _indent(line) - columns) + text


def _without_comments(text: str) -> str:
    kept = [line for line in lines_of(text) if not re.match(r"\s*#(?!!|SBATCH)", line)]
    return "\n".join(line for line in kept if line.strip())


def _error(page: str, index: int, expected: str, found: str, remedy: str) -> UserError:
    return UserError("%s in %s, line %d" % (expected, page, index + 1), found, remedy)
