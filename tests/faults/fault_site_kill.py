# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole site.yml: kill -9 of all its processes, at moments spread over tasks begun and processor time

A moment is the number of tasks that have begun and the processor time since the last one began, both from a run that
was measured before; the moments are spread evenly over its processor time. Every second kill ends a PID namespace, as
the end of a container does; the rerun is outside it.
"""

from __future__ import annotations

import collections
import contextlib
import pathlib
import sys
import typing as t

from lab import Row
from site_lab import NEW, OLD, Moment, SiteLab, alone, require


@contextlib.contextmanager
def open_lab(folder: pathlib.Path) -> t.Iterator[SiteLab]:
    """The lab of this family."""
    yield SiteLab(folder)


def run(lab: SiteLab, moments: int) -> t.Iterator[Row]:
    """A quarter of the moments of the other families: half while a site is made, half while one is changed."""
    tries = max(2, moments // 4)
    lab.forget()
    first, whole_run = _measured(lab, OLD)
    yield _row(lab, "a site is made from nothing", lab.forget, OLD, (OLD,), whole_run, (tries + 1) // 2, first)
    lab.forget()
    require(lab.run(OLD))
    lab.keep("old")
    lab.restore("old")
    second, whole_run = _measured(lab, NEW)
    yield _row(
        lab,
        "channel and env of a site change",
        lambda: lab.restore("old"),
        NEW,
        (OLD, NEW),
        whole_run,
        tries // 2,
        second,
    )


def _measured(lab: SiteLab, versions: dict[str, str]) -> tuple[set[str], list[Moment]]:
    """What a run without a fault makes, and its moments."""
    with alone():
        running = lab.start(versions)
        whole_run = list(running.watched())
        require(running.end(), changed=True)
    return lab.tree(), whole_run


def moments_of(whole_run: t.Sequence[Moment], tries: int) -> list[Moment]:
    """Moments that are spread evenly over the processor time of a run."""
    last: dict[int, float] = {}
    for moment in whole_run:
        last[moment.tasks] = max(last.get(moment.tasks, 0.0), moment.seconds)
    total = sum(last.values())
    found = []
    for number in range(tries):
        rest = total * (number + 0.5) / tries
        for tasks, seconds in sorted(last.items()):
            if rest <= seconds:
                found.append(Moment(tasks, rest))
                break
            rest -= seconds
    return found


def _row(
    lab: SiteLab,
    what: str,
    prepare: t.Callable[[], None],
    versions: dict[str, str],
    possible: t.Sequence[dict[str, str]],
    whole_run: t.Sequence[Moment],
    tries: int,
    tree: t.AbstractSet[str],
) -> Row:
    found: t.Counter[str] = collections.Counter()
    problems: list[str] = []
    survived = 0
    moments = moments_of(whole_run, tries)
    for number, moment in enumerate(moments):
        prepare()
        state, wrong = _killed(lab, versions, possible, moment, contained=bool(number % 2))
        found[state] += 1
        again = lab.run(versions)
        wrong += ["the rerun failed: %s" % again.errors] if again.status else lab.wrong(versions, tree)
        third = lab.run(versions)
        wrong += ["the third run: status %d, changed=%d" % third[:2]] * bool(third.status or third.changed)
        survived += not wrong
        print(
            "  %s, killed after %d tasks and %.1f s: %s; %s"
            % (what, *moment, state, "; ".join(wrong) or "survived, rerun changed=%d" % again.changed),
            file=sys.stderr,
            flush=True,
        )
        problems += ["killed after %d tasks and %.1f s: %s" % (*moment, each) for each in wrong]
    reads = "found afterwards: %s. Killed after %s tasks; the rerun ended with status 0, a third run with changed=0" % (
        ", ".join("%s %d times" % pair for pair in sorted(found.items())),
        ", ".join(str(moment.tasks) for moment in moments),
    )
    return Row("kill -9 while %s" % what, tries, survived, reads, problems)


def _killed(
    lab: SiteLab, versions: dict[str, str], possible: t.Sequence[dict[str, str]], moment: Moment, contained: bool
) -> tuple[str, list[str]]:
    with alone():
        running = lab.start(versions, contained=contained)
        for each in running.watched():
            if each.tasks > moment.tasks or (each.tasks == moment.tasks and each.seconds >= moment.seconds):
                break
        running.kill()
    return lab.found(possible)
