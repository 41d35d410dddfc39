# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.torch_env_choice on the controller, with one command on the host."""

from __future__ import annotations

import shlex
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import visible
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import without_credentials
from ansible_collections.hpc.pytorch.plugins.modules.torch_env_choice import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.choice import Request, choice

display = Display()

# Characters of a line for a person.
LONGEST = 2000


class ActionModule(ActionBase):
    """Reads the nodes' variables, and asks the host for its C library and processor if a build is to be chosen."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Choose, and print the choice."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        variables = task_vars or {}
        request = Request(
            given["asked"], given["name"], given["groups"], variables["inventory_hostname"], given["engine"] is not None
        )
        try:
            chosen = choice(
                request, variables["hostvars"], variables["groups"], lambda: self._here(given["engine"] or "")
            )
        except UserError as error:
            raise AnsibleActionFail(str(error)) from error
        for line in chosen.plan.messages if chosen.plan.build else []:
            display.display(visible(line, LONGEST))
        if any(without_credentials(text) != text for text in _texts(given["asked"])):
            # A task that registers the result has them; no callback shows them.
            result["_ansible_no_log"] = True
        return dict(result, changed=False, has_engine=chosen.has_engine, **chosen.plan._asdict())

    def _here(self, engine: str) -> str:
        """What the host prints about itself."""
        command = "getconf GNU_LIBC_VERSION; uname -m; if test -e %s; then echo engine; fi" % shlex.quote(engine)
        return str(self._low_level_execute_command(command)["stdout"])


def _texts(value: t.Any) -> t.Iterator[str]:
    """Every text in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, t.Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, t.Iterable):
        for each in value:
            yield from _texts(each)
