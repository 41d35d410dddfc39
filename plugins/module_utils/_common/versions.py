# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version numbers: dotted numbers, compared number by number. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import functools
import re
import typing as t

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}", re.ASCII)

Key = t.Tuple[int, ...]


def is_version(value: t.Any) -> bool:
    """Whether *value* is a string of dotted numbers. A YAML number is not: 3.10 would have become 3.1."""
    return isinstance(value, str) and bool(_VERSION.fullmatch(value))


def numbers(version: str) -> Key:
    """The numbers as they are written: ``numbers("450.80.02")`` is ``(450, 80, 2)``."""
    return tuple(int(part) for part in version.split("."))


@functools.lru_cache(maxsize=4096)
def key(version: str) -> Key:
    """The key to compare versions by. Trailing zeros do not count: 2.13 equals 2.13.0."""
    parts = list(numbers(version))
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def starts_with(version: str, prefix: str) -> bool:
    """Whether *version* belongs to the series *prefix*: 2.13.0 belongs to 2.13, 1.10.0 does not belong to 1.1."""
    wanted = numbers(prefix)
    return numbers(version)[: len(wanted)] == wanted


def major_minor(version: str) -> str:
    """The first two numbers: ``major_minor("3.8.18")`` is ``"3.8"``."""
    return ".".join(version.split(".")[:2])


def previous_minor(version: str) -> str:
    """The minor version before: ``previous_minor("3.9")`` is ``"3.8"``."""
    major, minor = version.split(".")[:2]
    return "%s.%d" % (major, int(minor) - 1)
