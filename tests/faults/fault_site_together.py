# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two whole site.yml at once, and a clock that jumps"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sys
import typing as t

from lab import Row
from site_lab import NEW, OLD, SiteLab, alone, require

# The second run starts when the first one has begun so many tasks.
OFFSETS = (0, 3, 8, 12, 20)
# Days by which the clock is wrong.
CLOCKS = (-400, 3000)


@contextlib.contextmanager
def open_lab(folder: pathlib.Path) -> t.Iterator[SiteLab]:
    """The lab of this family."""
    yield SiteLab(folder)


def run(lab: SiteLab, moments: int) -> t.Iterator[Row]:
    """Five offsets; then each clock while nothing is to do, while something is, and back."""
    del moments
    lab.forget()
    require(lab.run(OLD))
    yield _two(lab, lab.tree())
    for days in CLOCKS:
        yield _clock(lab, days)


def _two(lab: SiteLab, tree: t.AbstractSet[str]) -> Row:
    problems: list[str] = []
    survived = 0
    for offset in OFFSETS:
        lab.forget()
        with alone():
            first = lab.start(OLD)
            for moment in first.watched():
                if moment.tasks >= offset:
                    break
            second = lab.start(OLD)
            ends = [first.end(), second.end()]
        wrong = ["one failed: %s" % end.errors for end in ends if end.status]
        wrong += [] if wrong else lab.wrong(OLD, tree)
        third = lab.run(OLD)
        wrong += ["the third run: status %d, changed=%d" % third[:2]] * bool(third.status or third.changed)
        survived += not wrong
        print("  after %d tasks: %s" % (offset, "; ".join(wrong) or "survived"), file=sys.stderr, flush=True)
        problems += ["after %d tasks: %s" % (offset, each) for each in wrong]
    return Row(
        "two runs from nothing; the second starts when the first has begun %s tasks" % ", ".join(map(str, OFFSETS)),
        len(OFFSETS),
        survived,
        "both end with status 0, a third run with changed=0",
        problems,
    )


def _clock(lab: SiteLab, days: int) -> Row:
    what = "the clock is %d days %s" % (abs(days), "back" if days < 0 else "on")
    if shutil.which("faketime") is None:
        raise SystemExit("expected the command faketime; found none; remedy: install the package faketime")
    wrong: list[str] = []
    lab.forget()
    require(lab.run(OLD))
    shifted = ["faketime", "-f", "%+dd" % days]
    for name, versions, before, changes in (
        ("nothing to do", OLD, shifted, False),
        ("a change", NEW, shifted, True),
        ("again", NEW, shifted, False),
        ("right again, nothing to do", NEW, [], False),
        ("right again, a change back", OLD, [], True),
        ("right again, again", OLD, [], False),
    ):
        done = lab.run(versions, before=before)
        if done.status or bool(done.changed) != changes:
            wrong.append("%s: status %d, changed=%d: %s" % (name, done.status, done.changed, done.errors))
    print("  %s: %s" % (what, "; ".join(wrong) or "survived"), file=sys.stderr, flush=True)
    return Row(
        what + ", and right again",
        6,
        6 - len(wrong),
        "status 0 each time; changed=0 where nothing was to do",
        wrong,
    )
