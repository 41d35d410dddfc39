# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks that run now have to say: kept until they end, so that hosts share a line. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.lines import changed_line, message_lines


class Line(t.NamedTuple):
    """A line for the terminal. state: what it is about, which decides its colour; empty for a text."""

    text: str
    state: str


class _Task:
    def __init__(self, name: str, since: float) -> None:
        self.name = name
        self.since = since
        self.until = since
        # Dicts, as they keep the order.
        self.changed: dict[str, None] = {}
        self.items: dict[str, None] = {}
        self.messages: dict[str, dict[str, None]] = {}


class Pending:
    """Tasks by their ids; with the strategy free there are several at a time."""

    def __init__(self, clock: t.Callable[[], float]) -> None:
        self._clock = clock
        self._tasks: dict[str, _Task] = {}

    def begin(self, task: str, name: str) -> None:
        """A task begins: *task* is its id."""
        if task not in self._tasks:
            self._tasks[task] = _Task(name, self._clock())

    def name(self, task: str) -> str:
        """Its name; empty if it is not among them."""
        return self._tasks[task].name if task in self._tasks else ""

    def changed(self, task: str, host: str) -> None:
        """It has changed this host."""
        found = self._tasks[task]
        found.changed[host] = None
        found.until = self._clock()

    def changed_item(self, task: str, host: str, label: str) -> None:
        """It has changed an item of its loop there, also if it fails at a later one."""
        self.changed(task, host)
        self._tasks[task].items[label] = None

    def message(self, task: str, host: str, text: str) -> None:
        """It has a text for a person."""
        self._tasks[task].messages.setdefault(text, {})[host] = None

    def flush(self, name_hosts: bool) -> list[Line]:
        """The lines of all tasks, which are forgotten; *name_hosts* is whether the run has several hosts."""
        tasks, self._tasks = self._tasks, {}
        found = []
        for task in tasks.values():
            for text, hosts in task.messages.items():
                names = list(hosts) if name_hosts else []
                found += [Line(line, "") for line in message_lines(task.name, names, text)]
            if task.changed:
                names = list(task.changed) if name_hosts else []
                seconds = task.until - task.since
                found.append(Line(changed_line(task.name, seconds, names, list(task.items)), "changed"))
        return found
