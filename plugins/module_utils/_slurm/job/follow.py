# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a job's parts over time, and when there is nothing more to wait for. No I/O, no clock. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..model.job import Part
from ..model.states import FAILED, PENDING, RUNNING, VANISHED, is_final, state_of, will_never_start

# The database learns of an end after the controller has, and the controller forgets it by itself.
SETTLING = 60.0
# What a look may find while Slurm is still at work is believed when the next one finds it too.
_TWICE = 2


class JobFollow:
    """Gathers looks at a job.

    :arg known: parts as they were seen last, by an earlier run too.
    """

    def __init__(self, known: t.Iterable[Part] = ()) -> None:
        self.parts: dict[str, Part] = {part.name: part for part in known}
        self._missing: dict[str, float] = {}
        self._stuck: dict[str, int] = {}

    def look(self, seen: t.Sequence[Part], recorded: t.Sequence[Part], accounting: bool, now: float) -> None:
        """Take in what there is to see.

        :arg seen: what the controller knows, nothing for a job that it has forgotten.
        :arg recorded: what the database says, where it was asked for parts that the controller does not know.
        :arg accounting: whether there is a database, which may learn of an end later.
        """
        for part in seen:
            self.parts[part.name] = self._with_paths(part)
        if any(name for name in self.parts):
            # What had no name yet when it was submitted has turned out to be an array.
            self.parts.pop("", None)
        ended = {part.name: part for part in recorded if is_final(part.state)}
        here = {part.name for part in seen}
        if not self.parts and not here and not ended:
            self.parts[""] = Part("", "")
        for name, part in ended.items():
            if name not in here and (name in self.parts or not self.parts):
                self.parts[name] = self._with_paths(part)
        for name, part in list(self.parts.items()):
            if name in here or is_final(part.state):
                self._missing.pop(name, None)
            elif now - self._missing.setdefault(name, now) >= (SETTLING if accounting else 0.0):
                self.parts[name] = part._replace(state=VANISHED, reason="", exit_code=0, signal=0)
        for name, part in self.parts.items():
            self._stuck[name] = self._stuck.get(name, 0) + 1 if will_never_start(part.state, part.reason) else 0

    def unknown_to(self, seen: t.Sequence[Part]) -> bool:
        """Whether a part that has not ended, or the job itself, is not among what the controller knows."""
        here = {part.name for part in seen}
        return not here or any(name not in here and not is_final(part.state) for name, part in self.parts.items())

    @property
    def over(self) -> bool:
        """Whether every part has ended."""
        return bool(self.parts) and all(is_final(part.state) for part in self.parts.values())

    @property
    def held(self) -> Part | None:
        """A part that will never start as it stands, when all others have ended or are like it."""
        waiting = [part for part in self.parts.values() if not is_final(part.state)]
        stuck = [part for part in waiting if self._stuck.get(part.name, 0) >= _TWICE]
        return stuck[0] if stuck and len(stuck) == len(waiting) else None

    @property
    def ended(self) -> int:
        """How many parts have ended."""
        return sum(is_final(part.state) for part in self.parts.values())

    @property
    def leading(self) -> Part:
        """The part that speaks for the job: one that runs, or one that waits, or the first that failed, or the first of all."""
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
        """The database knows no paths, and newer information may lack what older had."""
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
