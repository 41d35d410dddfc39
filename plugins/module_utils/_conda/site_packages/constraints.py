# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip must leave as conda brought it: the lines of a constraints file. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..env.pip_records import required_name
from .distributions import Metadata

# pip's own tools: every env with Python gets some version of them, and wheels ask for others (torch 2.12 for
# setuptools<82, by its metadata on the package index).
_TOOLS = frozenset(("pip", "setuptools", "wheel"))
# Compiled packages of conda are built for these, so pip never replaces them, even if its requirements name them.
_COMPILED_FOR = frozenset(("torch", "torchvision", "torchaudio", "triton", "numpy"))
# The canonical form of a version, by "Appendix B" of the specification of version specifiers.
_CANONICAL = re.compile(r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?\Z")
_VERSION = re.compile(
    r"v?(\d+!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?"
    r"(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?\Z",
    re.IGNORECASE,
)


def left_to_pip(lines: t.Iterable[str]) -> frozenset[str]:
    """The distributions that pip may replace, although conda brought them: its own tools, and what *lines* name.

    :arg lines: of a requirements file. Those after ``-r`` are in another file, so they name nothing here.
    """
    named = {required_name(line) for line in lines if not line.startswith("-")} - {""}
    return frozenset((_TOOLS | named) - {name for name in named if is_compiled_for(name)})


def is_compiled_for(name: str) -> bool:
    """Whether compiled packages depend on the very version of the distribution *name*."""
    return name in _COMPILED_FOR or name.startswith("nvidia-")


def constraint_lines(brought: t.Iterable[tuple[str, Metadata]], free: t.Container[str]) -> list[str]:
    """One line for each distribution that pip must leave as it is: ``torch===2.13.0``.

    Three equal signs compare with the whole version: by two, 2.13.0 allows 2.13.0+cpu, which is newer to pip.

    :arg brought: the distributions that conda brought, and that are in the env now, each with its package's name.
    :arg free: names that pip may replace, see :func:`left_to_pip`.
    """
    lines = set()
    for _package, each in brought:
        if each.name not in free and _VERSION.match(each.version):
            lines.add("%s%s%s" % (each.name, "===" if _CANONICAL.match(each.version) else "==", each.version))
    return sorted(lines)
