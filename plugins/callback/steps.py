# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: Show a run as one line for each step, with its seconds
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - The first line names the playbook, before anything is done.
  - A step is a role of a play, what a play includes, or a play's own tasks, to which those belong that it imports. Its
    line has its worst result, its seconds and its name. Several hosts are counted, and failed ones named.
  - A task that changes something has a line with its items and hosts. A task that is unchanged has none.
  - A step that runs for long says so after 10, 30, 70, ... seconds, with the hosts that it waits for.
  - Failed and unreachable hosts, rescued and ignored errors, retries and differences are shown as the callback
    P(ansible.builtin.default#callback) shows them, and warnings below the name of the task. Messages of
    M(ansible.builtin.debug) and M(ansible.builtin.assert) are shown as text, once for all hosts that have the same one.
  - With C(--tags) a warning says if no task had one of these tags, of which Ansible says nothing.
  - The recap is one line if all is well. Otherwise it is the one of P(ansible.builtin.default#callback).
  - With C(-v) the whole output is that of P(ansible.builtin.default#callback).
  - There are no control characters but colours, which Ansible leaves out if the output is not a terminal.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
notes:
  - C(display_ok_hosts) and C(display_skipped_hosts) matter with C(-v) only.
  - A collection cannot choose the callback. Set C(stdout_callback = hpc.pytorch.steps) in the section C([defaults]) of
    C(ansible.cfg), or the environment variable C(ANSIBLE_STDOUT_CALLBACK).
requirements:
  - set as stdout in configuration
"""

import os
import textwrap
import typing as t

from ansible import constants, context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.lines import in_brackets
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.messages import is_for_people, message_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.place import Place, is_rescued, place_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.run import Run
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.tags import Tags

# A text has the terminal's own colour.
_COLOURS = {
    "": None,
    "ok": constants.COLOR_OK,
    "changed": constants.COLOR_CHANGED,
    "ignored": constants.COLOR_WARN,
    "rescued": constants.COLOR_WARN,
    "unreachable": constants.COLOR_UNREACHABLE,
    "failed": constants.COLOR_ERROR,
    "running": constants.COLOR_VERBOSE,
}
# Several tasks run at a time with them, so only the play is a step.
_NOT_IN_STEP = ("free", "ansible.builtin.free", "host_pinned", "ansible.builtin.host_pinned")


class CallbackModule(DefaultCallback):
    """Holds back what the default callback shows of tasks that are well, and shows the rest as that one does.

    Ansible calls the methods one at a time, also from its thread for results.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "hpc.pytorch.steps"

    def __init__(self) -> None:
        super().__init__()
        self._run = Run(lambda line, state: self._display.display(line, color=_COLOURS[state]))
        self._banner_due = False
        self._warned: set[str] = set()
        self._tags = Tags(())

    @property
    def _quiet(self) -> bool:
        return bool(self._display.verbosity < 1)

    def get_option(self, k: str, hostvars: t.Any = None) -> t.Any:
        # So the default callback prints no banner before it is needed.
        if self._quiet and k in ("display_ok_hosts", "display_skipped_hosts"):
            return False
        return super().get_option(k, hostvars)

    # Plays and tasks

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        super().v2_playbook_on_start(playbook)
        if self._quiet:
            self._run.begin(os.path.basename(playbook._file_name))
            self._tags = Tags(context.CLIARGS["tags"])

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_play_start(play)
            return
        self._run.begin_play(play.get_name().strip())
        self._play = play
        self._banner_due = True

    def _task_start(self, task: t.Any, prefix: str | None = None) -> None:
        super()._task_start(task, prefix)
        if self._quiet:
            self._tags.begin_task(task.tags)
            place = self._place(task, prefix)
            # The name of a step says which role it is.
            name = task.name if place and task.name else task.get_name()
            self._run.begin_task(task._uuid, str(name).strip(), task.action, place)

    def _print_task_banner(self, task: t.Any) -> None:
        if self._banner_due:
            self._banner_due = False
            super().v2_playbook_on_play_start(self._play)
        super()._print_task_banner(task)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        if self._quiet:
            self._banner_due = False
            super().v2_playbook_on_play_start(self._play)
        super().v2_playbook_on_no_hosts_matched()

    # Results

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._run.begin_host(host.get_name())
        super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_runner_on_ok(result)
            return
        if isinstance(result.task, TaskInclude):
            self._run.end_host(result.host.get_name())
            return
        changed = bool(result.result.get("changed", False))
        self._note(result, "changed" if changed else "ok")
        self._show_warnings(result)
        label = self.host_label(result)
        if changed:
            self._run.pending.changed(result.task._uuid, label)
        # The items of a loop have had theirs.
        if not (result.task.loop and "results" in result.result):
            self._keep_message(result, label, "")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if self._quiet:
            self._note(result, "ignored" if ignore_errors else "rescued" if is_rescued(result.task) else "failed")
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if self._quiet:
            self._note(result, "ignored" if result.task.ignore_unreachable else "unreachable")
        super().v2_runner_on_unreachable(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        if self._quiet:
            self._run.end_host(result.host.get_name())
            self._show_warnings(result)
        super().v2_runner_on_skipped(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_runner_item_on_ok(result)
            return
        if isinstance(result.task, TaskInclude):
            return
        self._show_warnings(result)
        self._run.pending.begin(result.task._uuid, _name(result.task))
        item, label = str(self._get_item_label(result.result)), self.host_label(result)
        if result.result.get("changed", False):
            self._run.pending.changed_item(result.task._uuid, label, item)
        self._keep_message(result, label, item)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        if self._quiet:
            self._show_warnings(result)
        super().v2_runner_item_on_skipped(result)

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_runner_on_async_poll(result)

    def v2_runner_on_async_ok(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_runner_on_async_ok(result)

    def v2_on_file_diff(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_on_file_diff(result)
            return
        results = result.result["results"] if result.task.loop and "results" in result.result else [result.result]
        for each in results:
            if each.get("diff") and each.get("changed", False):
                diff = self._get_diff(each["diff"])
                if diff:
                    self._say_task(result)
                    self._display.display(diff)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_stats(stats)
            return
        self._run.end()
        totals = {host: stats.summarize(host) for host in stats.processed}
        trouble = any(
            each[key] for each in totals.values() for key in ("failures", "unreachable", "rescued", "ignored")
        )
        if self._tags.missed and not trouble:
            self._display.warning(str(self._tags.missed))
        check_mode = bool(context.CLIARGS["check"])
        more = stats.custom and self.get_option("show_custom_stats")
        if trouble or more or not totals or (check_mode and self.get_option("check_mode_markers")):
            super().v2_playbook_on_stats(stats)
        else:
            self._run.recap(totals, check_mode)

    # Parts of the above

    def _place(self, task: t.Any, prefix: str | None) -> Place | None:
        # Handlers run at the end of a play, whichever part has notified them.
        if self._play.strategy in _NOT_IN_STEP or prefix == "RUNNING HANDLER":
            return None
        place = place_of(task)
        # Ansible has put the variables into the name of the task that starts, and only there.
        return place._replace(label=task.name) if place and place.key == task._uuid and task.name else place

    def _note(self, result: t.Any, state: str) -> None:
        host = result.host.get_name()
        self._run.end_host(host)
        self._run.pending.begin(result.task._uuid, _name(result.task))
        self._run.note(host, state, result.task.action, is_for_people(result.result))

    def _keep_message(self, result: t.Any, host: str, item: str) -> None:
        if not is_for_people(result.result):
            return
        self._clean_results(result.result, result.task.action)
        text = message_of(result.result)
        if text is None:
            text = textwrap.dedent(self._dump_results(result.result)).strip("\n")
        text = "%s: %s" % (item, text) if item and item not in text else text
        self._run.pending.message(result.task._uuid, host, text)

    def _show_warnings(self, result: t.Any) -> None:
        found = {str(each) for key in ("warnings", "deprecations") for each in result.result.get(key) or ()}
        # Ansible shows each warning once.
        if found - self._warned:
            self._warned |= found
            self._say_task(result)
        self._handle_warnings_and_exception(result)

    def _say_task(self, result: t.Any) -> None:
        name = self._run.pending.name(result.task._uuid) or _name(result.task)
        self._display.display("  %s%s:" % (name, in_brackets([self.host_label(result)])))


def _name(task: t.Any) -> str:
    return str(task.get_name()).strip()
