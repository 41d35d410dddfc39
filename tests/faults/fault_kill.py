# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the whole process group, at moments spread over the processor time that a whole run takes.

Processor time and not the clock, since a run that waits for a busy machine makes no progress. Half of the moments are
before the env is marked as being changed, half between that and the end, which is shorter; each half is spread evenly.
"""

from __future__ import annotations

import collections
import sys
import typing as t

from lab import NEW, OLD, Lab, Row, Spent, served
from whole import leftovers, not_whole, state_of


def run(lab: Lab, moments: int) -> t.Iterator[Row]:
    """A quarter of the moments each: create or change, from a channel on disk or by HTTP, with an empty cache."""
    # In sequence: next to other work a run takes more processor time, and the moments would no longer fit.
    for what in ("created", "changed"):
        for how in ("on disk", "by HTTP"):
            yield row(lab.another("kill-%s-%s" % (what, how.replace(" ", "-"))), what, how, max(1, moments // 4))


def row(lab: Lab, what: str, how: str, tries: int) -> Row:
    """Kill runs that make or change an env, at *tries* moments."""
    versions, prepare = (OLD, lab.forget) if what == "created" else (NEW, lab.restore)
    found: t.Counter[str] = collections.Counter()
    messages: t.Counter[str] = collections.Counter()
    problems = []
    survived = 0
    with served(lab) as server:
        request = lab.request(versions, server.address if how == "by HTTP" else None)
        for _unused in range(2):
            # The first one also warms the machine's file cache.
            prepare()
            whole_run = lab.measure(request)
        for number, moment in enumerate(moments_of(whole_run, tries), 1):
            prepare()
            lab.kill_at(request, moment)
            wrong = after_kill(lab, OLD if what == "changed" else None, versions, found, messages) + after_rerun(
                lab, request, versions
            )
            survived += not wrong
            print(
                "  %s %s, %d of %d: %s" % (what, how, number, tries, "; ".join(wrong) or "survived"),
                file=sys.stderr,
                flush=True,
            )
            problems += ["killed after %.2f s and %.2f s more: %s" % (*moment, each) for each in wrong]
    states = ", ".join("%s %d times" % pair for pair in sorted(found.items()))
    reads = "found afterwards: %s. %s" % (states, messages.most_common(1)[0][0] if messages else "")
    return Row("kill -9 while an env is %s (channel %s)" % (what, how), tries, survived, reads.strip(), problems)


def moments_of(whole_run: Spent, tries: int) -> list[Spent]:
    """The moments of the kills, as fractions of the measured processor time."""
    early = tries // 2
    late = tries - early
    return [Spent(whole_run.unmarked * (number + 0.5) / early) for number in range(early)] + [
        Spent(whole_run.unmarked, whole_run.marked * (number + 0.5) / late) for number in range(late)
    ]


def after_kill(
    lab: Lab, old: dict[str, str] | None, new: dict[str, str], found: t.Counter[str], messages: t.Counter[str]
) -> list[str]:
    """Problems before the rerun: a broken env that is taken for a complete one."""
    state = state_of(lab.prefix)
    took, lines = lab.refusals()
    if state == "env":
        wholes = {name: not_whole(lab.prefix, versions) for name, versions in (("old", old), ("new", new)) if versions}
        found[next(("the %s env, whole" % name for name, wrong in wholes.items() if not wrong), "a broken env")] += 1
        if all(wholes.values()):
            return ["conda_env_info takes it for complete: %s" % wholes]
        return [] if len(took) == 3 else ["a complete env was refused: %s" % lines]
    found["no env" if state == "absent" else "an env marked as unfinished"] += 1
    if state == "unfinished":
        messages.update(lab.in_words(line) for line in lines if line.startswith("job script"))
    return ["%s takes an env whose state is %s" % (name, state) for name in took]


def after_rerun(lab: Lab, request: dict[str, t.Any], versions: dict[str, str]) -> list[str]:
    """Problems after the same request once more: an incomplete env, or leftovers."""
    answer = lab.run(request)
    if answer.failed:
        return ["the rerun failed: %s" % answer.message, *answer.problems]
    return not_whole(lab.prefix, versions) + leftovers(lab.cache, lab.parent, lab.prefix)
