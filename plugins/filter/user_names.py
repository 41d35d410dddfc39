# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter user_names: the entry point of module_utils/_users/names.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: user_names
short_description: Check that hpc_users is a list of safe names
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Returns the names, or fails unless each is a name that C(become_user) can take, see M(hpc.pytorch.users_info).
    That module also checks that the machine knows them.
positional: _input, failures
options:
  _input:
    description: The list of names.
    type: raw
    required: true
  failures:
    description:
      - Failures as P(hpc.pytorch.user_failures#filter) returns them. The users whose step ran out of time are left out.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show whose homes are changed
  ansible.builtin.debug:
    msg: "{{ hpc_users | hpc.pytorch.user_names }}"
"""

RETURN = r"""
_value:
  description: The names, in the order given.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._users.names import checked_names


def user_names(value: t.Any, failures: t.Iterable[t.Mapping[str, t.Any]] = ()) -> list[str]:
    """See the documentation above."""
    late = {failure["user"] for failure in failures if failure["late"]}
    try:
        return [name for name in checked_names(value) if name not in late]
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_names": user_names}
