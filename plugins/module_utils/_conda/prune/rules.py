# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of a site env may go, and why the others stay. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from . import jobs as prune_jobs
from .jobs import Job
from .signs import Names, Uses, some
from .store import Store, Version, left_at

_DAY = 86400.0


class Seen(t.NamedTuple):
    """What was found of their use.

    :arg uses: of each version, who names or holds it.
    :arg doubts: what could not be seen, of any version.
    """

    uses: Uses
    doubts: t.Sequence[str]
    jobs: t.Sequence[Job]


class Judgement(t.NamedTuple):
    """A version, and why it stays; it may go where there is no reason."""

    version: Version
    left_at: float
    reasons: list[str]


def checked_numbers(keep: int, older_than: int) -> None:
    """Refuse numbers below zero."""
    for name, value in (("keep", keep), ("older_than", older_than)):
        if value < 0:
            raise UserError("%s of 0 or more" % name, "%s %d" % (name, value), "correct it")


def judge(store: Store, seen: Seen, names: Names, keep: int, older_than: int, now: float) -> list[Judgement]:
    """Every version, the one that was published last first.

    :arg keep: how many versions stay to go back to, besides the published one.
    :arg older_than: days that a version stays after the name has left it.
    """
    named_by_jobs = [(job, names.found_in(job.text.encode("utf-8", "surrogateescape"))) for job in seen.jobs]
    previous = sorted(
        (each for each in store.versions if each.name != store.published), key=lambda each: -left_at(store, each)
    )
    # One that never bore the name is none to go back to, where the records tell.
    borne = [each for each in previous if each.switched is not None] or previous
    to_go_back_to = {each.name for each in borne[:keep]}
    judgements = []
    for version in [each for each in store.versions if each.name == store.published] + previous:
        left = left_at(store, version)
        reasons: list[str] = []
        if version.name == store.published:
            reasons.append("published as %s" % store.name)
        else:
            if version.name in to_go_back_to:
                reasons.append("one of %d to go back to" % keep)
            if now - left < older_than * _DAY:
                reasons.append("published, or made, less than %d days ago" % older_than)
            elif version.switched is None and now - version.made < _DAY:
                reasons.append("made less than a day ago, and perhaps about to be published")
            reasons += _shortened([reason for job in seen.jobs for reason in [prune_jobs.may_use(job, left)] if reason])
        other = [link for link in store.links.get(version.name, ()) if link.rsplit("/", 1)[-1] != store.name]
        reasons += ["the symlink %s" % link for link in other]
        reasons += _shortened(seen.uses.get(version.name, []))
        reasons += _shortened(["job %s names it" % job.number for job, found in named_by_jobs if version.name in found])
        reasons += ["in doubt: %s" % doubt for doubt in seen.doubts]
        judgements.append(Judgement(version, left, reasons))
    return judgements


def _shortened(reasons: list[str]) -> list[str]:
    return [some(reasons)] if len(reasons) > 5 else reasons
