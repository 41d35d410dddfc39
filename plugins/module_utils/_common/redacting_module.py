# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AnsibleModule that hides the credentials in its options. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .redact import secrets_in, without_credentials


class RedactingModule(AnsibleModule):
    """Removes credentials in URLs from the module's result and from the node's log, whatever option they are in.

    Ansible's ``no_log`` would hide a whole option. A module cannot set ``no_log_values`` early enough: the log is
    written before its first line runs, and so is the error about a refused option.
    """

    def log(self, msg: t.Any, log_args: t.Mapping[str, t.Any] | None = None) -> None:
        """Log without credentials. Ansible logs each call of a module with its options."""
        shown = {name: without_credentials(str(value)) for name, value in (log_args or {}).items()}
        super().log(without_credentials(str(msg)), log_args=shown)

    def exit_json(self, **kwargs: t.Any) -> None:
        """Exit without credentials. The result includes the options (``invocation``)."""
        self._hide()
        super().exit_json(**{name: _hidden(value) for name, value in kwargs.items()})

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        """Fail without credentials, neither those in options nor those that an environment variable brought."""
        self._hide()
        shown = {name: _hidden(value) for name, value in kwargs.items()}
        super().fail_json(without_credentials(str(msg)), **shown)

    def _hide(self) -> None:
        self.no_log_values |= secrets_in(_strings_in(self.params))


def _hidden(value: t.Any) -> t.Any:
    """*value* without the credentials in its strings, however deep."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(each) for each in value]
    return value


def _strings_in(value: t.Any) -> t.Iterator[str]:
    """All strings in *value*, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _strings_in(each)
