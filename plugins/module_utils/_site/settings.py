# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a file of settings holds some of them, read as text: a target need not have a YAML library.

No I/O. Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

_COMMENT = re.compile(r"#[ -~]*\n\Z")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?: .*)?\n\Z")
# What every reader of YAML takes for one plain value, and for the elements of one list.
_PLAIN = r"[A-Za-z0-9_./~][A-Za-z0-9_./~+@-]*(?::[A-Za-z0-9_./~+@-]+)*"
_VALUE = re.compile(r"[A-Za-z0-9_]+: %s\n\Z" % _PLAIN)
_LIST = re.compile(r"[A-Za-z0-9_]+:\n(?P<first>( *)- %s\n)(?:\2- %s\n)*\Z" % (_PLAIN, _PLAIN))


def holds(text: str, settings: t.Sequence[str]) -> bool:
    """Whether the YAML *text* surely has each of *settings* with the same value. False where a parser has to tell.

    :arg settings: each as a YAML text of one key, ``key:`` at the start of its first line.
    """
    blocks = _blocks(text)
    wanted = dict(map(_only_block, settings))
    if blocks is None or len(wanted) != len(settings):
        return False
    others = [block for key, block in blocks.items() if key not in wanted]
    return all(blocks.get(key) == block for key, block in wanted.items()) and all(map(_is_plain, others))


def _blocks(text: str) -> dict[str, str] | None:
    """The text of each key, in whole lines; None if it does not begin with one, or has one twice."""
    found: dict[str, str] = {}
    key = None
    # Not splitlines: YAML ends no line at most of those characters.
    for line in re.findall(r"[^\n]*\n|[^\n]+\Z", text):
        match = _KEY.match(line)
        if match:
            key = match.group(1)
            if key in found:
                return None
            found[key] = line
        elif key is not None:
            found[key] += line
        elif not _COMMENT.match(line):
            return None
    return found


def _only_block(setting: str) -> tuple[str, str]:
    """Key and text of a setting.

    :raises ValueError: it is not one setting.
    """
    blocks = _blocks(setting)
    if blocks is None or len(blocks) != 1 or not setting.endswith("\n"):
        raise ValueError("not one setting: %r" % setting)
    return next(iter(blocks.items()))


def _is_plain(block: str) -> bool:
    """Whether a setting cannot reach into another one, as quotes, anchors and the like could."""
    return bool(_VALUE.match(block) or _LIST.match(block))
