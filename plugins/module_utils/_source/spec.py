# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which channels and packages a conda match spec names by address. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

# Text in quotes may hold brackets.
_BRACKETS = re.compile(r"""\[(?:"[^"]*"|'[^']*'|[^\[\]"'])*\]""")
_FIELD = r"""\b%s\s*=\s*("[^"]*"|'[^']*'|[^,\]]*)"""
ARCHIVES = (".conda", ".tar.bz2")


def channels_in_spec(spec: str) -> list[str]:
    """The channels of a match spec: ``file:///srv/c::numpy`` and ``numpy[channel='file:///srv/c']`` name one."""
    found = _fields(spec, "channel")
    head = _without_fields(spec)
    if "::" in head:
        # Tools differ in which of several :: they cut at.
        parts = head.split("::")[:-1]
        found += [part.strip() for part in (*parts, "::".join(parts))]
    return [text for text in dict.fromkeys(found) if text]


def packages_in_spec(spec: str) -> list[str]:
    """The addresses and paths of packages in a match spec: ``/srv/c/noarch/x-1-0.conda`` or ``x[url=...]``."""
    found = _fields(spec, "url")
    head = _without_fields(spec)
    if "::" not in head and ("/" in head or head.partition("#")[0].endswith(ARCHIVES) or re.match(r"[\w+.-]+:", head)):
        found.append(head)
    return [text for text in dict.fromkeys(found) if text]


def _fields(spec: str, wanted: str) -> list[str]:
    # Also outside of brackets, in case a tool sees some where this does not.
    return [value.strip().strip("\"'") for value in re.findall(_FIELD % wanted, spec, re.IGNORECASE)]


def _without_fields(spec: str) -> str:
    return _BRACKETS.sub("", spec).strip()
