# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what each task took, one JSON object a line, to the file named by TASK_TIMES."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_times
type: aggregate
short_description: Seconds of each task on each host, for the benches
description:
  - Appends a JSON object with C(action), C(host), C(changed), C(failed) and C(seconds) for each result to the file that
    the environment variable C(TASK_TIMES) names.
author: hpc.pytorch contributors
"""

import json
import os
import time

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """From the moment that a task is started until its result is there, as a person waits for it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._begun = {}

    def v2_runner_on_start(self, host, task):
        self._begun[host.get_name(), task._uuid] = time.perf_counter()

    def _keep(self, result, failed):
        task = result._task
        host = result._host.get_name()
        begun = self._begun.pop((host, task._uuid), None)
        if begun is None:
            return
        row = {
            "action": task.resolved_action or task.action,
            "host": host,
            "changed": bool(result._result.get("changed")),
            "failed": failed,
            "seconds": time.perf_counter() - begun,
        }
        with open(os.environ["TASK_TIMES"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def v2_runner_on_ok(self, result):
        self._keep(result, False)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._keep(result, True)
