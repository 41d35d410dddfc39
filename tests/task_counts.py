# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the tasks of an ansible-playbook run, and the modules that it starts on each host."""

from __future__ import annotations

import collections
import json
import pathlib
import typing as t

CALLBACKS = pathlib.Path(__file__).resolve().with_name("callback")


class Counts(t.NamedTuple):
    """What a run did.

    tasks: names of the tasks that the terminal shows (one that every host skips is not among them), in their order.
    results: host to the number of tasks that were not skipped there, which PLAY RECAP calls ok if none failed.
    modules: host to the names of the modules that ran there; a delegated task counts where it runs.
    trips: host to the number of commands and files that the connection carried there, those of the modules included.
    cold: names of the tasks whose processes had to load Ansible's filters and tests, as the controller had not.
    """

    tasks: list[str]
    results: dict[str, int]
    modules: dict[str, list[str]]
    trips: dict[str, int]
    cold: list[str]


def environment(file: pathlib.Path) -> dict[str, str]:
    """Variables that make a run write its counts to *file*, which must not be there yet."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "task_counts",
        "TASK_COUNTS": str(file),
    }


def read(file: pathlib.Path) -> Counts:
    """What the run has written."""
    return count(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())


def count(rows: t.Iterable[t.Mapping[str, t.Any]]) -> Counts:
    """Count the rows of one run, in their order."""
    tasks: list[str] = []
    results: collections.Counter[str] = collections.Counter()
    modules: dict[str, list[str]] = {}
    trips: collections.Counter[str] = collections.Counter()
    cold: list[str] = []
    # With the strategy linear a task has all its results before the next one starts.
    shown = True
    for row in rows:
        if row["kind"] == "task":
            shown = False
            cold += [] if row["loaded"] else [row["task"]]
        elif row["kind"] == "result":
            results[row["host"]] += 1
            if not shown:
                tasks.append(row["task"])
            shown = True
        elif row["kind"] == "module":
            modules.setdefault(row["host"], []).append(row["name"])
        else:
            trips[row["host"]] += 1
    return Counts(tasks, dict(results), modules, dict(trips), cold)
