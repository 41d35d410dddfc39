# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a job's parts over time. No I/O, no clock. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..model.job.part import Part
from ..model.states import FAILED, PENDING, RUNNING, VANISHED, is_final, state_of, will_never_start
from ..poll import Repeated

# The database learns of an end after the controller, which then forgets the job by itself.
SETTLING = 60.0


class JobParts:
    """The parts of a job, as polls have found them.

    :arg known: parts as they were last seen, also by an earlier run.
    """

    def __init__(self, known: t.Iterable[Part] = ()) -> None:
        self.parts: dict[str, Part] = {part.name: part for part in known}
        self._missing: dict[str, float] = {}
        self._stuck = Repeated()

    def update(
        self, seen: t.Sequence[Part], recorded: t.Sequence[Part] | None, accounting: bool, now: float, why: str = ""
    ) -> None:
        """Take in a poll.

        :arg seen: what the controller knows, nothing for a job that it has forgotten.
        :arg recorded: what the database has, if it was asked for parts that the controller does not know; None if it
            did not answer.
        :arg accounting: whether there is a database, which may learn of an end later.
        :arg why: the controller does not know the job, if it says more about that.
        """
        for part in seen:
            self.parts[part.name] = self._with_paths(part)
        if any(name for name in self.parts):
            # A job that had no parts when it was submitted has become an array.
            self.parts.pop("", None)
        ended = {part.name: part for part in recorded or () if is_final(part.state)}
        here = {part.name for part in seen}
        if not self.parts and not here and not ended:
            self.parts[""] = Part("", "")
        for name, part in ended.items():
            if name not in here and (name in self.parts or not self.parts):
                self.parts[name] = self._with_paths(part)
        for name, part in list(self.parts.items()):
            if name in here or is_final(part.state):
                self._missing.pop(name, None)
            elif recorded is None:
                # Nobody has said that it is gone.
                continue
            elif now - self._missing.setdefault(name, now) >= (SETTLING if accounting else 0.0):
                self.parts[name] = part._replace(state=VANISHED, reason=why, exit_code=0, signal=0)
        for name, part in self.parts.items():
            self._stuck.note(name, will_never_start(part.state, part.reason, part.partitions))

    def unknown_to(self, seen: t.Sequence[Part]) -> bool:
        """Whether the controller does not know the job, or a part that has not ended.

        :arg seen: what the controller knows.
        """
        here = {part.name for part in seen}
        return not here or any(name not in here and not is_final(part.state) for name, part in self.parts.items())

    @property
    def over(self) -> bool:
        """Whether every part has ended."""
        return bool(self.parts) and all(is_final(part.state) for part in self.parts.values())

    @property
    def held(self) -> Part | None:
        """A part that will never start, if every part that has not ended is like it."""
        waiting = [part for part in self.parts.values() if not is_final(part.state)]
        stuck = [part for part in waiting if part.name in self._stuck]
        return stuck[0] if stuck and len(stuck) == len(waiting) else None

    @property
    def ended(self) -> int:
        """How many parts have ended."""
        return sum(is_final(part.state) for part in self.parts.values())

    @property
    def leading(self) -> Part:
        """The part that stands for the job: one that runs, else one that waits, else the first that failed."""
        parts = list(self.parts.values())
        for wanted in (
            lambda part: part.state in RUNNING,
            lambda part: part.state in PENDING,
            lambda part: not is_final(part.state),
            lambda part: state_of(part.state).phase == FAILED,
        ):
            found = [part for part in parts if wanted(part)]
            if found:
                return found[0]
        return parts[0]

    def _with_paths(self, part: Part) -> Part:
        """*part* with what an earlier poll knew and this one does not: the database knows no paths."""
        before = self.parts.get(part.name) or self.parts.get("")
        if before is None:
            return part
        same = before.name == part.name
        return part._replace(
            number=part.number or (before.number if same else ""),
            job_name=part.job_name or before.job_name,
            stdout=part.stdout or (before.stdout if same else ""),
            stderr=part.stderr or (before.stderr if same else ""),
            restarts=max(part.restarts, before.restarts if same else 0),
        )
