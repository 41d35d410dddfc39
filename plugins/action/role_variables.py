# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.role_variables on the controller."""

from __future__ import annotations

import pathlib
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import validate_argument_spec
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.modules.role_variables import ARGUMENT_SPEC

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"


class ActionModule(validate_argument_spec.ActionModule):
    """Does for several roles what Ansible does for each."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the variables that have a value; a failure has the messages of all roles."""
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        options: dict[str, t.Any] = {}
        for name in given["roles"]:
            for entry in self._entries(name):
                options.update(entry)
        self._task.args = {"argument_spec": options}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        # Hundreds of lines, of which one is about the mistake.
        result.pop("argument_spec_data", None)
        return result

    def _entries(self, name: str) -> list[dict[str, t.Any]]:
        """The options of the entry points that need no more variables than the role's own."""
        file = ROLES / name / "meta" / "argument_specs.yml"
        if "/" in name or not file.is_file():
            found = UserError("roles of hpc.pytorch", shown(name), "name one, such as conda")
            raise AnsibleActionFail(str(found)) from None
        specs = self._loader.load_from_file(str(file))["argument_specs"]
        return [specs[entry]["options"] for entry in ("main", "run", "submit", "report") if entry in specs]
