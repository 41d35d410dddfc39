# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that come from elsewhere: JSON of another machine or user, a list from the command line. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import math
import typing as t

from .lines import visible

_DEEPEST = 8
_LARGEST = 2**63
# Of all lists and mappings together. The answer of a node with 16 GPUs has some hundred.
_MOST = 50000
_LONGEST = 20000


def listed(value: t.Any) -> list[t.Any]:
    """The items of a list of names. From the command line it is a text, as in ``-e torch_env_gpus=a100,h100``."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else list(value)


def bounded(value: t.Any) -> t.Any:
    r"""*value* with what every reader copes with: a finite number of finite things, and texts that can be seen.

    ``bounded({"a": ["\x1b[2J", float("nan"), 10**400]})`` is ``{"a": ["\\x1b[2J", None, None]}``. What is too deep, too
    large or of another type is None; of a list or a mapping that is too long the rest is left out.
    """
    return _bounded(value, _DEEPEST, [_MOST])


def _bounded(value: t.Any, depth: int, room: list[int]) -> t.Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value if -_LARGEST < value < _LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        items = value[: _take(len(value), room)] if depth else ()
        return [_bounded(item, depth - 1, room) for item in items]
    if isinstance(value, t.Mapping):
        keys = [key for key in value if isinstance(key, str)][: _take(len(value), room)] if depth else []
        return {_text(key): _bounded(value[key], depth - 1, room) for key in keys}
    return None


def _take(count: int, room: list[int]) -> int:
    """How many of *count* things there is room for."""
    found = min(count, room[0])
    room[0] -= found
    return found


def _text(value: str) -> str:
    cut = value[:_LONGEST]
    return cut if cut.isprintable() else "\n".join(visible(line) for line in cut.split("\n"))
