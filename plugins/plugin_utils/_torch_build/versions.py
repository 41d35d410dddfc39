# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version numbers: numbers with dots, compared number by number. Private to hpc.pytorch."""

from __future__ import annotations

import functools
import re
import typing as t

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}", re.ASCII)

Key = t.Tuple[int, ...]


def is_version(value: t.Any) -> bool:
    """Whether *value* is text of numbers with dots. A bare YAML number is none: 3.10 would have become 3.1."""
    return isinstance(value, str) and bool(_VERSION.fullmatch(value))


@functools.lru_cache(maxsize=4096)
def key(version: str) -> Key:
    """What versions are compared by; zeros at the end do not count (450.80.02 is 450.80.2, 2.13 is 2.13.0)."""
    numbers = [int(part) for part in version.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def starts_with(version: str, prefix: str) -> bool:
    """Whether *version* is within *prefix*: 2.13.0 is within 2.13, and 1.10.0 is not within 1.1."""
    wanted = [int(part) for part in prefix.split(".")]
    return [int(part) for part in version.split(".")][: len(wanted)] == wanted


def major_minor(version: str) -> str:
    """3.8.18 is 3.8."""
    return ".".join(version.split(".")[:2])


def previous_minor(version: str) -> str:
    """3.8 for 3.9."""
    major, minor = version.split(".")[:2]
    return "%s.%d" % (major, int(minor) - 1)
