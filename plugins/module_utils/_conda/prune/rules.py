# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which versions of a site env can be removed, and why the others stay. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError, some
from .jobs import Job, may_use
from .signs import Names, Uses
from .store import Store, Version, left_at

_DAY = 86400.0


class Seen(t.NamedTuple):
    """What is known about the use of versions.

    :arg uses: for each version, what names it or holds it open.
    :arg doubts: what could not be checked; it counts for all versions.
    """

    uses: Uses
    doubts: t.Sequence[str]
    jobs: t.Sequence[Job]


class Judgement(t.NamedTuple):
    """A version, and the reasons why it stays. Without a reason it can be removed."""

    version: Version
    left_at: float
    reasons: list[str]


def checked_numbers(keep: int, older_than: int) -> None:
    """Refuse numbers below zero."""
    for name, value in (("keep", keep), ("older_than", older_than)):
        if value < 0:
            raise UserError("%s to be 0 or more" % name, "%d" % value, "correct it")


def judge(store: Store, seen: Seen, names: Names, keep: int, older_than: int, now: float) -> list[Judgement]:
    """Judge every version: the published one first, then the one that was published last.

    :arg keep: how many earlier versions stay as rollback targets.
    :arg older_than: days that a version stays after another one was published.
    """
    named_by_jobs = [(job, names.found_in(job.text.encode("utf-8", "surrogateescape"))) for job in seen.jobs]
    previous = sorted(
        (each for each in store.versions if each.name != store.published), key=lambda each: -left_at(store, each)
    )
    # Versions that were never published do not count as rollback targets, if there are records of that.
    once_published = [each for each in previous if each.switched is not None] or previous
    rollback_targets = {each.name for each in once_published[:keep]}
    judgements = []
    for version in [each for each in store.versions if each.name == store.published] + previous:
        left = left_at(store, version)
        reasons: list[str] = []
        if version.name == store.published:
            reasons.append("published as %s" % store.name)
        else:
            if version.name in rollback_targets:
                reasons.append("one of %d to go back to" % keep)
            if now - left < older_than * _DAY:
                reasons.append("published, or made, less than %d days ago" % older_than)
            elif version.switched is None and now - version.made < _DAY:
                reasons.append("made less than a day ago, and perhaps about to be published")
            reasons += _shortened([reason for job in seen.jobs for reason in [may_use(job, left)] if reason])
        other = [link for link in store.links.get(version.name, ()) if link.rsplit("/", 1)[-1] != store.name]
        reasons += ["the symlink %s" % link for link in other]
        reasons += _shortened(seen.uses.get(version.name, []))
        reasons += _shortened(["job %s names it" % job.number for job, found in named_by_jobs if version.name in found])
        reasons += ["in doubt: %s" % doubt for doubt in seen.doubts]
        judgements.append(Judgement(version, left, reasons))
    return judgements


def _shortened(reasons: list[str]) -> list[str]:
    return [some(reasons)] if len(reasons) > 5 else reasons
