# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the callback hpc.pytorch.steps. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import counted, one_line, some
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.steps import STATES, Step

# A state and the seconds come first, so that lines are aligned whatever the names and the terminal.
_STEP = "%-8s%6.1f s  %s"
_DETAIL = "  " + _STEP


def start_line(playbook: str) -> str:
    """The first line, so that a person sees at once that the run has begun: ``started    0.0 s  site.yml``."""
    return _STEP % ("started", 0.0, one_line(playbook))


def step_line(step: Step) -> str:
    """One step: ``failed  3.4 s  Node layer: 12 ok, 1 failed: node07``. Hosts are counted where there are several."""
    counts = collections.Counter(step.hosts.values())
    text = one_line(step.label)
    if len(step.hosts) > 1:
        text += ": " + ", ".join("%d %s" % (counts[state], state) for state in STATES if counts[state])
        bad = sorted(host for host, state in step.hosts.items() if state in ("failed", "unreachable"))
        text += ": " + some(bad, 10) if bad else ""
    return _STEP % (step.state, step.seconds, text)


def changed_line(task: str, seconds: float, hosts: t.Sequence[str], items: t.Sequence[str]) -> str:
    """One task that has changed hosts: ``changed  0.3 s  Make the folders: a, b and 7 more [node01]``."""
    named = ": " + some([one_line(item) for item in items]) if items else ""
    return _DETAIL % ("changed", seconds, one_line(task) + named + in_brackets(hosts))


def running_line(step: str, task: str, seconds: float, done: int, waiting: t.Sequence[str]) -> str:
    """A step that takes long: ``running  40.0 s  Node layer: 12 done, waiting for node07``."""
    text = one_line(step)
    if task and task != step:
        text += ": " + one_line(task)
    if done or len(waiting) > 1:
        text += ": %d done" % done + (", waiting for %s" % some(sorted(waiting)) if waiting else "")
    return _DETAIL % ("running", seconds, text)


def message_lines(task: str, hosts: t.Sequence[str], text: str) -> list[str]:
    """A message for a person below the name of its task, or after it if it is one line.

    Control characters are shown as escapes: the text may come from a program that another user wrote.
    """
    lines = [visible(line, 20000) for line in lines_of(text)]
    head = "  %s%s:" % (one_line(task), in_brackets(hosts))
    if len(lines) == 1:
        return ["%s %s" % (head, lines[0])]
    return [head, *("    " + line for line in lines)]


def end_line(totals: t.Mapping[str, t.Mapping[str, int]], seconds: float, check_mode: bool) -> str:
    """The recap of a run in which all is well; *totals* has the counts of each host."""
    changed = [counts["changed"] for counts in totals.values() if counts["changed"]]
    hosts = counted(len(totals), "host")
    if changed:
        what = counted(sum(changed), "change")
        what += " would be made" if check_mode else ""
        what += " on %d of them" % len(changed) if len(totals) > 1 else ""
    else:
        what = "nothing would change" if check_mode else "nothing changed"
    return _STEP % ("done", seconds, "%s: %s" % (hosts, what))


def in_brackets(hosts: t.Sequence[str]) -> str:
    """Hosts behind a task's name: nothing for none."""
    if not hosts:
        return ""
    count = "%d hosts: " % len(hosts) if len(hosts) > 5 else ""
    return " [%s%s]" % (count, some(sorted(hosts)))
