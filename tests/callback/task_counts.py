# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a run does, one JSON object a line, to the file named by TASK_COUNTS; tests/task_counts.py reads it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_counts
type: aggregate
short_description: Tasks of a run, and what each of them starts on a host, for tests and benches
description:
  - Appends JSON objects to the file named by the environment variable C(TASK_COUNTS). C(kind) is V(task) for a task
    that starts (C(loaded) tells whether the controller has loaded Ansible's filters and tests, and our filters),
    V(result) for its result on a host (a skipped one is left out, as the terminal leaves it out), V(module) for a
    module that an action starts, V(command) for a command of the connection, V(file) for a file that it copies.
  - With pipelining a module is one command. An action that makes a temporary folder, or copies a file, needs more.
author: hpc.pytorch contributors
"""

import functools
import json
import os
import sys

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader


def write(kind, **row):
    """Append one line. It is shorter than a page, so the lines of processes that write at the same time do not mix."""
    line = json.dumps(dict(row, kind=kind)) + "\n"
    descriptor = os.open(os.environ["TASK_COUNTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def noted(kind, method):
    """A method of ActionBase that first writes a line with the host that it works on."""

    @functools.wraps(method)
    def call(self, *arguments, **keywords):
        name = keywords.get("module_name") or (arguments[0] if arguments and kind == "module" else None)
        host = self._task.delegate_to or self._templar.available_variables.get("inventory_hostname")
        write(kind, task=self._task.get_name(), host=host, name=name or self._task.action)
        return method(self, *arguments, **keywords)

    return call


class CallbackModule(CallbackBase):
    """Tasks and results come here. Modules are seen in the worker processes, which are forks of this one."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_counts"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        ActionBase._execute_module = noted("module", ActionBase._execute_module)
        ActionBase._low_level_execute_command = noted("command", ActionBase._low_level_execute_command)
        ActionBase._transfer_file = noted("file", ActionBase._transfer_file)

    def v2_playbook_on_task_start(self, task, is_conditional):
        ours = "ansible_collections.hpc.pytorch.plugins.filter.user_names" in sys.modules
        loaded = ours and all(loader._cached_non_collection_wrappers for loader in (filter_loader, test_loader))
        write("task", task=task.get_name(), name=task.action, loaded=loaded)

    def v2_playbook_on_handler_task_start(self, task):
        self.v2_playbook_on_task_start(task, False)

    def _result(self, result):
        write("result", task=result.task.get_name(), host=result.host.get_name(), name=result.task.action)

    def v2_runner_on_ok(self, result):
        self._result(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result(result)

    def v2_runner_on_unreachable(self, result):
        self._result(result)
