# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tail of a shell's rc file: the user's text, then the managed blocks in a fixed order. Private to hpc.pytorch.

Plain bytes, no I/O. The marker of a block holds a digest of each of its lines, which tells managed lines from others: a
line that a user wrote or edited between the markers has no digest there, and stays the user's.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

from .._common.errors import UserError, one_line

# The order in the file. The last one has no end marker: its last line is the last line of the file.
BLOCKS = ("cuda", "conda")

_BEGIN = re.compile(rb"# >>> hpc\.pytorch (cuda|conda) ([0-9a-f]{12}(?:,[0-9a-f]{12})*) >>>[^\n]*")
_END = re.compile(rb"# <<< hpc\.pytorch (cuda|conda) <<<[^\n]*")
_BEGIN_TEXT = {
    "cuda": b"# >>> hpc.pytorch cuda %s >>> written by Ansible, kept near the end",
    "conda": b"# >>> hpc.pytorch conda %s >>> written by Ansible, kept as the end",
}
_END_TEXT = {"cuda": b"# <<< hpc.pytorch cuda <<<"}

# The guide's line, which a user may have put last before there was a managed block.
_CONDA_BY_HAND = re.compile(
    rb"""export PATH=(["']?)/[^:"'$]*(?:conda|mamba|forge)[^:"'$]*/bin/?:\$(?:PATH|\{PATH\})\1\s*"""
)


class Parsed(t.NamedTuple):
    """The parts of an rc file: the user's lines (with line ends) and the lines of the blocks (without)."""

    user: list[bytes]
    blocks: dict[str, list[bytes]]


def render_tail(
    old: bytes,
    blocks: t.Mapping[str, t.Sequence[str]],
    is_top_level: t.Callable[[bytes], bool] = lambda before: False,
) -> bytes:
    """The file's new content.

    :arg old: the present content, b"" if there is no file.
    :arg blocks: block name to its lines; no lines remove the block. Other blocks stay.
    :arg is_top_level: whether the text before a line is complete shell, so that the line is outside any construct.
        An exact copy of a managed line is removed only if this is true, or if nothing follows it.
    """
    parsed = parse(old)
    wanted = dict(parsed.blocks)
    for name, lines in blocks.items():
        wanted[name] = [line.encode("utf-8") for line in lines]
    ours = [line for lines in wanted.values() for line in lines]
    user = _without_copies(parsed.user, ours, is_top_level)
    by_hand: list[bytes] = []
    if any(wanted.values()):
        user = _ended(user)
        if not wanted.get("conda") and user and _CONDA_BY_HAND.fullmatch(user[-1]):
            by_hand = [user[-1]]
            user = user[:-1]
    return b"".join(user + [_block(name, wanted[name]) for name in BLOCKS if wanted.get(name)] + by_hand)


def parse(content: bytes) -> Parsed:
    """Split the file into the user's lines and the blocks. A line between markers without a digest is the user's."""
    user: list[bytes] = []
    blocks: dict[str, list[bytes]] = {}
    name = ""
    expected: list[bytes] = []
    for row in re.findall(rb"[^\n]*\n|[^\n]+", content):
        text = row.rstrip(b"\r\n")
        begin = _BEGIN.fullmatch(text)
        end = _END.fullmatch(text)
        if begin:
            name = begin.group(1).decode()
            expected = begin.group(2).split(b",")
            blocks[name] = []
        elif end:
            name, expected = "", []
        elif name and _digest(text) in expected:
            expected.remove(_digest(text))
            blocks[name].append(text)
        else:
            user.append(row)
    return Parsed(user, blocks)


def check_lines(lines: t.Sequence[str]) -> None:
    """Refuse lines that are not complete commands.

    :raises UserError: with the line.
    """
    if not lines:
        raise UserError("lines to hold at least one line for state=present", "none", "give lines, or state=absent")
    for line in lines:
        reason = _unfit_because(line)
        if reason:
            raise UserError(
                "each of lines to be a complete line of shell",
                "%r: %s" % (one_line(line), reason),
                "correct that line",
            )
    if len(set(lines)) != len(lines):
        raise UserError("lines to be different", "a line that occurs twice", "remove the second one")


def _unfit_because(line: str) -> str | None:
    if not line.strip():
        return "it is empty"
    if any(not char.isprintable() for char in line):
        return "it holds a line break or another control character"
    if line.endswith("\\"):
        return "it ends in a backslash and would swallow the next line"
    encoded = line.encode("utf-8")
    if _BEGIN.fullmatch(encoded) or _END.fullmatch(encoded):
        return "it is a marker of hpc.pytorch"
    return None


def _without_copies(user: list[bytes], ours: t.Sequence[bytes], is_top_level: t.Callable[[bytes], bool]) -> list[bytes]:
    """Drop the user's exact copies of managed lines, except where that could change the code around them."""
    kept: list[bytes] = []
    last = len(user)
    while last and (not user[last - 1].strip() or _is_copy(user, last - 1, ours)):
        last -= 1
    for index, row in enumerate(user):
        if _is_copy(user, index, ours) and (index >= last or is_top_level(b"".join(kept))):
            continue
        kept.append(row)
    return kept


def _is_copy(user: list[bytes], index: int, ours: t.Sequence[bytes]) -> bool:
    """Whether the row is a managed line, and not the continuation of the row before."""
    continued = index > 0 and user[index - 1].rstrip(b"\r\n").endswith(b"\\")
    return not continued and user[index].rstrip(b"\r\n") in ours


def _ended(rows: list[bytes]) -> list[bytes]:
    """The rows with a line end after the last one."""
    if rows and not rows[-1].endswith(b"\n"):
        return rows[:-1] + [rows[-1] + b"\n"]
    return rows


def _block(name: str, lines: t.Sequence[bytes]) -> bytes:
    rows = [_BEGIN_TEXT[name] % b",".join(_digest(line) for line in lines)]
    rows.extend(lines)
    if name in _END_TEXT:
        rows.append(_END_TEXT[name])
    return b"".join(row + b"\n" for row in rows)


def _digest(line: bytes) -> bytes:
    return hashlib.sha256(line).hexdigest()[:12].encode("ascii")
