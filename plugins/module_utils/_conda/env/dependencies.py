# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which installed packages a request leads to, by name. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t


def needed_names(record: t.Mapping[str, t.Any]) -> list[str]:
    """The names of what a package depends on.

    :arg record: a package as a channel or ``conda-meta`` describes it.
    """
    return [
        re.split(r"[\s=<>!~\[]", str(spec).rpartition("::")[2].strip(), maxsplit=1)[0]
        for spec in record.get("depends") or []
    ]


def needed_by_name(records: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, set[str]]:
    """Of each package's name, the names it depends on; pip comes with Python, whatever Python's record says of it."""
    found = {str(record.get("name")): set(needed_names(record)) for record in records}
    if "python" in found:
        found["python"].add("pip")
    return found


def related_names(dependencies: t.Mapping[str, t.AbstractSet[str]], requested: t.Iterable[str]) -> set[str]:
    """Installed names that are requested, or that what is requested leads to.

    :arg dependencies: of each installed name, the names it depends on.
    """
    reached: set[str] = set()
    pending = list(requested)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(dependencies.get(name, ()))
    return reached & set(dependencies)


def unrelated_names(dependencies: t.Mapping[str, t.AbstractSet[str]], requested: t.Iterable[str]) -> list[str]:
    """Installed names that no requested package leads to: what a user added, and what that needs.

    What the request does lead to may leave with the next version of the package that needed it.
    """
    return sorted(set(dependencies) - related_names(dependencies, requested))
