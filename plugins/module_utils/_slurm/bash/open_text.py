# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether a command of bash goes on in the next line, and where a comment begins. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

# What opens, closes, or hides the next character.
_MARK = re.compile(r"\\.|\$'|['\"`()}]|\$\{|\$\(|[<>]\(|(?<=[A-Za-z0-9_\]+])=\(|(?:^|(?<=[\s;&|(]))#")
_CLOSED_BY = {"(": ")", "array": ")", "{": "}", "`": "`", '"': '"'}
_OPENS = {"$(": "(", "<(": "(", ">(": "(", "=(": "array", "${": "{"}

# Nobody writes more, and each line copies them.
_DEEPEST = 100

# What is open, the innermost last: quotes, "(" of a substitution, "{" of a parameter, or "array".
Open = t.Tuple[str, ...]


def scan(line: str, opened: Open = ()) -> tuple[Open, int]:
    """Read a line of bash: ``scan("a 'b # c")`` is ``(("'",), 7)``, and ``scan("a # 'b")`` is ``((), 2)``.

    :arg opened: what was open before the line.
    :returns: what is open after it, and where its comment begins; the length of the line if it has none.
    """
    stack = list(opened)
    for mark in _MARK.finditer(line):
        text = mark.group()
        inner = stack[-1] if stack else ""
        if inner in ("'", "$'"):
            # Nothing else has a meaning there; a backslash only within $'...'.
            if text in ("'", "$'") or (inner == "'" and text == "\\'"):
                stack.pop()
        elif inner and text == _CLOSED_BY[inner]:
            stack.pop()
        elif text[0] == "\\":
            continue
        elif text == "#":
            if inner not in ('"', "{", "`"):
                return tuple(stack), mark.start()
        elif text in _OPENS:
            if inner != '"' or text in ("$(", "${"):
                stack.append(_OPENS[text])
        elif text in ("'", "$'"):
            if inner == '"':
                # $'...' has no meaning here: only the dollar sign was read with the quote.
                continue
            if inner != "{" or '"' not in stack:
                stack.append(text)
        elif text in '"`':
            stack.append(text)
        elif text == "(" and inner in ("(", "array"):
            stack.append("(")
    return tuple(stack[-_DEEPEST:]), len(line)
