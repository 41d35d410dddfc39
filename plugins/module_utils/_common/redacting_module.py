# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module whose options may hold addresses with credentials. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .redact import secrets_in, without_credentials


class DiscreetModule(AnsibleModule):
    """Shows the credentials in its options neither in its result nor in the node's log, whatever option holds them.

    Ansible's ``no_log`` would blank a whole option; and what a module sets itself comes too late for the log, which is written
    before the module's first line runs, and for options that are refused.
    """

    def log(self, msg: t.Any, log_args: t.Mapping[str, t.Any] | None = None) -> None:
        """See AnsibleModule; every call of a module is logged with its options."""
        shown = {name: without_credentials(str(value)) for name, value in (log_args or {}).items()}
        super().log(without_credentials(str(msg)), log_args=shown)

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        """See AnsibleModule; a result names the options that it belongs to."""
        self._hide()
        super().exit_json(**kwargs)

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """See AnsibleModule."""
        self._hide()
        # Those that a variable brought stand in no option.
        shown = {
            name: without_credentials(value) if isinstance(value, str) else value for name, value in kwargs.items()
        }
        super().fail_json(without_credentials(str(msg)), **shown)

    def _hide(self) -> None:
        self.no_log_values |= secrets_in(_strings_in(self.params))


def _strings_in(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _strings_in(each)
