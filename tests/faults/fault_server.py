# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers errors, truncates, sends another file, or falls silent."""

from __future__ import annotations

import os
import pathlib
import typing as t

from lab import NEW, OLD, Lab, Row
from server import FAULTS, Server
from whole import leftovers, not_whole

# Faults of a package, and of the index, for which a wrong hash is not a fault.
WHERE = (("the new numpy", "numpy-%s" % NEW["numpy"], FAULTS), ("the index", "repodata", FAULTS[:3] + FAULTS[4:]))


def run(lab: Lab, moments: int) -> t.Iterator[Row]:
    """Each fault once while an env is created and once while an env is changed."""
    del moments
    for what, word, faults in WHERE:
        for fault in faults:
            problems: list[str] = []
            reads = ""
            for old in (None, OLD):
                lab.restore() if old else lab.forget()
                with Server(lab.channel) as server:
                    reads = _once(lab, server, (fault, word), old, problems)
            failed = len({problem.split(":")[0] for problem in problems})
            yield Row("%s: %s" % (what, fault), 2, 2 - failed, reads, problems)


def _once(lab: Lab, server: Server, fault: tuple[str, str], old: dict[str, str] | None, problems: list[str]) -> str:
    what = "changed" if old else "created"
    request = lab.request(NEW, server.address)
    before = _tree(lab.prefix)
    server.fault, server.word = fault
    answer = lab.run(request)
    wrong = list(answer.problems) + ["it did not fail"] * (not answer.failed)
    wrong += ["the env was touched"] * (_tree(lab.prefix) != before) + (not_whole(lab.prefix, old) if old else [])
    server.fault = None
    again = lab.run(request)
    wrong += ["the next run failed: %s" % again.message] if again.failed else not_whole(lab.prefix, NEW)
    problems += ["%s: %s" % (what, each) for each in wrong + leftovers(lab.cache, lab.parent, lab.prefix)]
    return answer.message


def _tree(folder: pathlib.Path) -> list[tuple[str, int, int]]:
    return sorted(
        (
            os.path.join(top, name),
            os.lstat(os.path.join(top, name)).st_size,
            os.lstat(os.path.join(top, name)).st_mtime_ns,
        )
        for top, _folders, names in os.walk(folder)
        for name in names
    )
