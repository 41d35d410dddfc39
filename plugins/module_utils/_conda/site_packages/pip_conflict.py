# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from pip's output which requirement needs another version of what conda brought. Private to hpc.pytorch."""

from __future__ import annotations

import itertools
import re
import typing as t

from ..._common.errors import UserError, some
from ..._common.lines import lines_of
from ..env.pip_records import normalized
from .constraints import is_compiled_for
from .distributions import Metadata

_ASKS = re.compile(r"\s+(?P<asks>(?:The user requested|.+ depends on) (?P<name>[A-Za-z0-9][A-Za-z0-9._-]*).*)\Z")
_CONSTRAINT = re.compile(r"\s+The user requested \(constraint\) (?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")


class HeldConflict(UserError):
    """A requirement of pip that needs another version of what conda brought."""


def conflict(output: str, brought: t.Iterable[tuple[str, Metadata]]) -> HeldConflict | None:
    """The error for a requirement that needs another version of what conda brought, or None.

    pip 20.3 and newer print "The conflict is caused by:", then lines such as "fancyai 1.0 depends on torch>=2.99" and
    "The user requested (constraint) torch===2.13.0".

    :arg output: of pip, standard output and errors.
    :arg brought: the distributions that conda brought, each with its package's name.
    """
    lines = lines_of(output)
    brought = list(brought)
    held = {normalized(match.group("name")) for match in map(_CONSTRAINT.match, lines) if match}
    held &= {each.name for dummy, each in brought}
    asks: dict[str, str] = {}
    for match in filter(None, map(_ASKS.match, lines)):
        name = normalized(match.group("name"))
        if name in held:
            asks.setdefault(" ".join(match.group("asks").replace("The user requested", "pip asks for").split()), name)
    return held_conflict(asks, brought)


def held_conflict(asks: t.Mapping[str, str], brought: t.Iterable[tuple[str, Metadata]]) -> HeldConflict | None:
    """The error, or None if nobody asks.

    :arg asks: from who asks, such as "fancyai 1.0 depends on torch>=2.99", to the name of the distribution.
    :arg brought: the distributions that conda brought, each with its package's name.
    """
    if not asks:
        return None
    packages = {each.name: (each.version, package) for package, each in brought}
    names = sorted(set(asks.values()))
    versions = ["%s %s of the package %s" % (name, *packages[name]) for name in names]
    return HeldConflict(
        "pip requirements that leave what conda brought as it is: %s" % some(versions),
        some(list(asks), 3),
        _remedy(names[0], packages[names[0]][1]),
    )


def beyond_settings(output: str) -> UserError | None:
    """The error for requirements that the constraints in pip's own settings exclude, or None.

    Called after :func:`conflict`.

    :arg output: of pip.
    """
    found = causes(output)
    named = [line.rpartition("(constraint) ")[2] for line in found if _CONSTRAINT.match("    " + line)]
    asked = [line.replace("The user requested ", "") for line in found if "(constraint)" not in line]
    if not named or not asked:
        return None
    return UserError(
        "pip requirements within the constraints of pip's settings: %s" % some(named, 3),
        some(asked, 3),
        "ask for a version that these allow, or change the constraint ('pip config list' shows its file)",
    )


def causes(output: str) -> list[str]:
    """Why pip cannot install, one reason a line; empty if it does not say so."""
    lines = (
        lines_of(output.rpartition("The conflict is caused by:\n")[2]) if "The conflict is caused by:" in output else []
    )
    return [line.strip() for line in itertools.takewhile(lambda line: line.startswith("    "), lines)]


def _remedy(name: str, package: str) -> str:
    other = "ask for a version of %s in packages that fits, or remove the requirement from pip" % package
    return other if is_compiled_for(name) else "%s, or name %s in pip too, to let pip replace it" % (other, name)
