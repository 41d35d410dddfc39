# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as each of several users, at the same time."""

from __future__ import annotations

import typing as t

from ansible import constants, context
from ansible.errors import AnsibleActionFail, AnsibleActionSkip
from ansible.executor import module_common
from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line, some
from ansible_collections.hpc.pytorch.plugins.module_utils._users.names import checked_names
from ansible_collections.hpc.pytorch.plugins.modules.each_user import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import reported
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.failures import failures_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.parallel import at_once

# Characters of a warning.
_LONGEST = 1000


class ActionModule(ActionBase):
    """Starts a process for each user, in which the connection and the task are copies that become this user."""

    _supports_check_mode = True
    _supports_diff = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module for each user; each one's result is in ``results``."""
        returned: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            names = checked_names(given["users"])
        except UserError as error:
            raise AnsibleActionFail(str(error)) from error
        if names and self._connection.become is None:
            raise AnsibleActionFail(
                "expected a task with become, to run the module as each user; found none; remedy: add become: true"
            )
        results = at_once(
            names,
            lambda name: self._as_user(name, given, dict(task_vars or {})),
            most=given["at_once"] or int(context.CLIARGS.get("forks") or constants.DEFAULT_FORKS),
            seconds=given["seconds"],
        )
        return dict(returned, **summary(results))

    def _as_user(self, name: str, given: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result for one user. This runs in a process of its own."""
        self._connection.become.set_option("become_user", name)
        self._play_context.become_user = name
        task = self._task.copy()
        task.action = given["module"]
        task.args = _with_defaults(self, given["module"], given["args"])
        task.become_user = name
        task.timeout = given["seconds"]
        actions = self._shared_loader_obj.action_loader
        # Most modules have no action plugin of their own.
        action = actions.get(
            given["module"] if actions.has_plugin(given["module"]) else "ansible.legacy.normal",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        try:
            result = action.run(task_vars=task_vars)
        except AnsibleActionSkip as skip:
            result = {"skipped": True, "msg": str(skip)}
        finally:
            action.cleanup()
        warnings = result.pop("warnings", None)
        texts = [_text(each) for each in warnings] if isinstance(warnings, list) else []
        return reported(dict(result, warnings=texts))


def _text(warning: t.Any) -> str:
    """A module's warning, which Ansible keeps as an object."""
    event = getattr(warning, "event", None)
    return str(warning if event is None else event.msg)


def _with_defaults(action: ActionBase, module: str, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """The arguments with those of module_defaults for the module, as package and service of Ansible do it."""
    apply = getattr(module_common, "_apply_action_arg_defaults", None)
    if apply is None:
        return arguments
    found: dict[str, t.Any] = apply(module, action._task, arguments, action._templar)
    return found


def summary(results: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """What the task returns. It has not failed: a failure is that user's."""
    items, diffs = [], []
    warned: dict[str, list[str]] = {}
    for name, result in results.items():
        item = dict(result, ansible_loop_var="user", user=name)
        # Ansible shows these of the task, not of what is in results.
        texts = [*item.pop("warnings", ()), *(failure["reason"] for failure in failures_of(item, "", name))]
        for text in dict.fromkeys(one_line(str(text)[:_LONGEST]) for text in texts):
            warned.setdefault(text, []).append(name)
        diff = item.pop("diff", None) or []
        diffs += [_named(each, name) for each in (diff if isinstance(diff, list) else [diff])]
        # A module's are for its developers.
        item.pop("deprecations", None)
        items.append(item)
    # What is wrong for everyone is said once.
    warnings = ["%s: %s" % (some(names), text) for text, names in warned.items()]
    returned = {"changed": any(each.get("changed") for each in items), "failed": False, "results": items}
    return dict(returned, **{key: value for key, value in (("warnings", warnings), ("diff", diffs)) if value})


def _named(diff: t.Any, user: str) -> t.Any:
    """*diff* with the user in its headings."""
    if not isinstance(diff, dict):
        return diff
    return dict(
        diff, **{key: "%s (%s)" % (diff[key], user) for key in ("before_header", "after_header") if key in diff}
    )
