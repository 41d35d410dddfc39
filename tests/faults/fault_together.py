# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at the same time: on one env, and on one package cache."""

from __future__ import annotations

import typing as t

from lab import NEW, OLD, Lab, Row, served
from whole import leftovers, not_whole

AT_ONCE = 8


def run(lab: Lab, moments: int) -> t.Iterator[Row]:
    """Two that create, two that change, two with different requests, eight with an env each."""
    del moments
    yield _two(lab)
    yield _many(lab)


def _two(lab: Lab) -> Row:
    cases: tuple[tuple[str, t.Callable[[], None], tuple[dict[str, str], dict[str, str]]], ...] = (
        ("both create", lab.forget, (OLD, OLD)),
        ("both change", lab.restore, (NEW, NEW)),
        ("they differ", lab.forget, (OLD, NEW)),
    )
    problems: list[str] = []
    for name, prepare, wanted in cases:
        prepare()
        started = [lab.start(lab.request(versions)) for versions in wanted]
        answers = [lab.answer(process) for process in started]
        wrong = [answer.message for answer in answers if answer.failed]
        # The env is that of the run that came last.
        outcomes = [not_whole(lab.prefix, versions) for versions in wanted]
        wrong += [] if not all(outcomes) else outcomes[0]
        wrong += ["both report the same change"] * (
            wanted[0] == wanted[1] and all(answer.changed for answer in answers)
        )
        problems += ["%s: %s" % (name, each) for each in wrong + leftovers(lab.cache, lab.parent, lab.prefix)]
    failed = len({problem.split(":")[0] for problem in problems})
    return Row(
        "two runs on one env at once",
        len(cases),
        len(cases) - failed,
        "both succeed; the second waits, and finds it done",
        problems,
    )


def _many(lab: Lab) -> Row:
    lab.forget()
    problems: list[str] = []
    with served(lab) as server:
        prefixes = [lab.parent / ("env%d" % number) for number in range(AT_ONCE)]
        requests = [
            lab.request(OLD if number % 2 else NEW, server.address, prefix=str(prefix))
            for number, prefix in enumerate(prefixes)
        ]
        started = [lab.start(request) for request in requests]
        for number, process in enumerate(started):
            answer = lab.answer(process)
            wrong = [answer.message] if answer.failed else not_whole(prefixes[number], OLD if number % 2 else NEW)
            problems += ["env%d: %s" % (number, each) for each in wrong]
    left = [path.name for path in lab.cache.glob(".*") if path.name != ".cache.lock"]
    left += [path.name for path in lab.parent.iterdir() if path not in prefixes]
    failed = len({problem.split(":")[0] for problem in problems}) if not left else AT_ONCE
    problems += ["left behind: %s" % name for name in left]
    return Row(
        "%d runs on one package cache at once, with an env each" % AT_ONCE,
        AT_ONCE,
        AT_ONCE - failed,
        "all succeed",
        problems,
    )
