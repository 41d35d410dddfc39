# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a run, one after the other: how each host came out of them, and how long they took.

No I/O. Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.place import Place

# From good to bad. A host's state in a step is the worst that a task of it had there.
STATES = ("ok", "changed", "ignored", "rescued", "unreachable", "failed")
_RANK = {state: rank for rank, state in enumerate(STATES)}


class Step:
    """What has come of one step so far."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.seconds = 0.0
        self.hosts: dict[str, str] = {}
        # Whether it has shown a text that was meant for a person.
        self.has_spoken = False

    def note(self, host: str, state: str) -> None:
        """A task of this step has ended on *host*."""
        if _RANK[state] >= _RANK[self.hosts.get(host, "ok")]:
            self.hosts[host] = state

    @property
    def state(self) -> str:
        """The worst of all hosts."""
        return max(self.hosts.values(), key=_RANK.__getitem__, default="ok")


class Steps:
    """Cuts a run into steps. Each call returns the steps that have ended with it.

    A play's own tasks are one step together up to the next of its parts. It has no line if nothing came of it and the
    play had others, or the tasks have spoken for themselves.
    """

    def __init__(self, clock: t.Callable[[], float]) -> None:
        self._clock = clock
        self._key = ""
        self._own: Step | None = None
        self._had_others = False
        self._since = 0.0
        self.current: Step | None = None

    def begin_play(self, name: str) -> list[Step]:
        """A play begins."""
        ended = self.end()
        self._own = Step(name)
        self._had_others = False
        return ended

    def begin_task(self, place: Place | None) -> list[Step]:
        """A task begins: of this step, or of the play itself."""
        key = place.key if place else ""
        if self.current is not None and key == self._key:
            return []
        ended = self._leave()
        self._key, self.current = key, Step(place.label) if place else self._own
        return ended

    def end(self) -> list[Step]:
        """The play ends."""
        ended = self._leave()
        own, self._own = self._own, None
        if own is not None and own.hosts and not (self._had_others or own.has_spoken):
            ended.append(own)
        return ended

    def running(self) -> float:
        """For how many seconds the current step has been running."""
        return (self.current.seconds if self.current is not None else 0.0) + self._clock() - self._since

    def _leave(self) -> list[Step]:
        now = self._clock()
        left, self.current = self.current, None
        if left is not None:
            left.seconds += now - self._since
        self._since = now
        if left is None or not left.hosts or (left is self._own and left.state == "ok"):
            return []
        if left is self._own:
            # The lines of its changes come right before its own.
            self._own = Step(left.label)
        self._had_others = True
        return [left]
