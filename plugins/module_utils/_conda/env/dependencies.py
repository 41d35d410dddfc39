# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which installed packages a request needs, by name. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t


def needed_names(record: t.Mapping[str, t.Any]) -> list[str]:
    """The names of a package's dependencies: ``{"depends": ["python >=3.12", "c::libz"]}`` has ``["python", "libz"]``.

    :arg record: a package's record in a channel or in ``conda-meta``.
    """
    return [
        re.split(r"[\s=<>!~\[]", str(spec).rpartition("::")[2].strip(), maxsplit=1)[0]
        for spec in record.get("depends") or []
    ]


def needed_by_name(records: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, set[str]]:
    """From each package's name to its dependencies. pip counts as one of Python's, whatever its record says."""
    found = {str(record.get("name")): set(needed_names(record)) for record in records}
    if "python" in found:
        found["python"].add("pip")
    return found


def related_names(dependencies: t.Mapping[str, t.AbstractSet[str]], requested: t.Iterable[str]) -> set[str]:
    """Installed packages that are requested, or that a requested package needs, directly or through others.

    :arg dependencies: from each installed name to its dependencies.
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
    """Installed packages that no requested package needs: what a user added, with its dependencies.

    The other packages may leave the env with the next version of the package that needed them.
    """
    return sorted(set(dependencies) - related_names(dependencies, requested))
