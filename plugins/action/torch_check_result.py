# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.torch_check_result on the controller.

It is an action and not a filter: Ansible loads an action once for all hosts, but every filter of a collection again in
the process of each host.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.modules.torch_check_result import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check import result

# What Ansible would take for its own, or show again. It adds hosts, for example, whatever module returns add_host.
NOT_KEPT = (
    *("invocation", "warnings", "deprecations", "ansible_facts", "exception", "add_host", "add_group", "diff"),
    *("results", "unreachable", "skipped", "skip_reason", "ansible_stats", "ansible_job_id", "msg"),
)


class Options(t.NamedTuple):
    """The options of torch_check_result, see its documentation."""

    steps: t.Sequence[result.Step]
    via: str
    node: str
    prefix: str


class ActionModule(ActionBase):
    """Returns the result; the task registers it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        returned = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        host = str((task_vars or {}).get("inventory_hostname", ""))
        found = make_result(Options(**given), host, self._task.check_mode)
        kept = {key: value for key, value in found.items() if key not in NOT_KEPT and not key.startswith("_ansible")}
        return dict(returned, **dict(kept, changed=False, failed=False))


def make_result(options: Options, host: str, check_mode: bool) -> result.Result:
    """The result of *host*."""
    if options.via == "slurm":
        return result.from_array(options.steps, host)
    if options.via == "srun":
        return result.not_allocated() if check_mode else result.from_allocation(options.steps, host, options.node)
    return result.from_connection(options.steps, host, options.prefix, check_mode)
