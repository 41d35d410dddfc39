# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module that may run as another user, whose answer is then that user's. Private to hpc.pytorch.

What runs as a user can be replaced by that user while it runs, so its result is taken for a report and nothing else.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import LIMIT
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.python import explained

# Under these keys Ansible obeys a result: it adds hosts with variables, groups, facts and statistics, or gives the
# whole host up. Ansible itself takes some of them out of what a module returns, and shows an exception as it is.
_ORDERS = frozenset(("add_host", "add_group", "ansible_facts", "ansible_stats", "exception", "timedout", "unreachable"))
# Seconds that the module has less than the task, so that it is the one that reports what it waited for.
_HEADSTART = 5
# Characters of a message.
_LONGEST = 4000


class UserStepAction(ActionBase):
    """Runs the module of the task's name."""

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module with :meth:`arguments`."""
        super().run(tmp, task_vars)
        return run_module(self, self.arguments(), task_vars)

    def arguments(self) -> dict[str, t.Any]:
        """What the module gets: the task's arguments."""
        return dict(self._task.args)


def run_module(action: ActionBase, arguments: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
    """The result of the module of the task's name. A user whom this host cannot become does not end the host's run."""
    as_user = is_ordinary(action._connection.become)
    if as_user and action._task.timeout:
        limit = {LIMIT: str(max(1, action._task.timeout - _HEADSTART))}
        action._task.environment = [*(action._task.environment or []), limit]
    try:
        result: dict[str, t.Any] = action._execute_module(
            module_name=action._task.action,
            module_args=arguments,
            task_vars=task_vars,
            wrap_async=action._task.async_val,
        )
    except AnsibleConnectionFailure as error:
        if not as_user:
            raise
        return {"failed": True, "changed": False, "msg": str(error)}
    result = explained(result, action._used_interpreter, _host(action, task_vars))
    return reported(result) if as_user else result


def _host(action: ActionBase, task_vars: dict[str, t.Any] | None) -> str:
    """The host on which the module ran."""
    return str(action._task.delegate_to or (task_vars or {}).get("inventory_hostname", ""))


def is_ordinary(become: t.Any) -> bool:
    """Whether the module runs as another user than the connecting one, and not as root."""
    return become is not None and become.get_option("become_user") not in (None, "", "root")


def reported(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """*result* without what Ansible would obey."""
    kept = {key: _visible(value) for key, value in result.items() if key not in _ORDERS}
    if result.get("unreachable"):
        kept["failed"] = True
    if kept.get("failed") and "msg" in kept:
        kept["msg"] = one_line(str(kept["msg"])[:_LONGEST])
    return kept


def _visible(value: t.Any) -> t.Any:
    """*value* with its control characters as escapes: Ansible prints messages as they are."""
    if isinstance(value, str):
        if value.isprintable():
            return value
        return "".join(
            each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode("ascii")
            for each in value
        )
    if isinstance(value, dict):
        return {key: _visible(each) for key, each in value.items()}
    return [_visible(each) for each in value] if isinstance(value, list) else value
