# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as it goes on: takes events, and gives lines to *show* when they are due. Private to hpc.pytorch."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.lines import (
    end_line,
    running_line,
    start_line,
    step_line,
)
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.notices import Notices
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.pending import Pending
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.place import Place
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.steps import Step, Steps

# They print on their own.
_SPEAK = ("hpc.pytorch.show", "hpc.pytorch.torch_report")
# A person answers it, or knows that it waits.
_PAUSES = ("pause", "ansible.builtin.pause", "ansible.legacy.pause")


class Run:
    """*show* takes a line and the state that it is about, see ``steps.STATES``; ``running`` is one more."""

    def __init__(self, show: t.Callable[[str, str], None]) -> None:
        self._show = show
        self._began = time.monotonic()
        self._steps = Steps(time.monotonic)
        self._notices = Notices(self._show_running)
        self._task = ("", "")
        self._hosts: set[str] = set()
        self._waiting: dict[str, None] = {}
        self._answers = 0
        self.pending = Pending(time.monotonic)

    def begin(self, playbook: str) -> None:
        """A playbook begins; the first step may take long."""
        self._show(start_line(playbook), "ok")

    def begin_play(self, name: str) -> None:
        """A play begins."""
        self.flush()
        self._show_steps(self._steps.begin_play(name))

    def begin_task(self, task: str, name: str, action: str, place: Place | None) -> None:
        """A task begins; *task* is its id."""
        self.flush()
        before = self._steps.current
        self._show_steps(self._steps.begin_task(place))
        self.pending.begin(task, name)
        self._task, self._answers = (name, action), 0
        self._waiting.clear()
        if self._steps.current is not before:
            self._notices.begin_step()

    def begin_host(self, host: str) -> None:
        """The task begins on a host."""
        self._waiting[host] = None

    def end_host(self, host: str) -> None:
        """It has ended there, whichever way."""
        self._waiting.pop(host, None)
        self._answers += 1

    def note(self, host: str, state: str, action: str, for_people: bool = False) -> None:
        """How it has ended; *for_people* is whether it has a text to be shown."""
        self._hosts.add(host)
        step = self._steps.current
        if step is not None:
            step.note(host, state)
            step.has_spoken |= for_people or action in _SPEAK

    def flush(self) -> None:
        """Show what the tasks so far have to say."""
        for line in self.pending.flush(len(self._hosts) > 1):
            self._show(*line)

    def end(self) -> None:
        """Show the last steps."""
        self.flush()
        self._show_steps(self._steps.end())
        self._notices.end()

    def recap(self, totals: t.Mapping[str, t.Mapping[str, int]], check_mode: bool) -> None:
        """Show the last line of a run in which all is well."""
        self._show(end_line(totals, time.monotonic() - self._began, check_mode), "ok")

    def _show_steps(self, ended: t.Iterable[Step]) -> None:
        for step in ended:
            self._show(step_line(step), step.state)

    def _show_running(self) -> None:
        # Called by another thread: it reads, and copies what may change meanwhile.
        step, (task, action) = self._steps.current, self._task
        if step is not None and action not in _PAUSES:
            waiting = list(self._waiting)
            self._show(running_line(step.label, task, self._steps.running(), self._answers, waiting), "running")
