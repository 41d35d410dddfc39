# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter user_failures: the entry point of plugin_utils/_user_step/failures.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: user_failures
short_description: List the users whose step has failed, and why
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Of a task that does a step for each user in C(hpc_users), returns the users for whom it failed. C(site.yml) and
    C(user.yml) collect them in the fact C(hpc_users_failed), and name them at their end.
positional: _input, step, user
options:
  _input:
    description: What the task registered.
    type: dict
    required: true
  step:
    description: What the task does, for the report.
    type: str
    required: true
  user:
    description: Whose result it is. By default the items of the task's loop are the users.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show whose step failed
  ansible.builtin.debug:
    msg: "{{ made | hpc.pytorch.user_failures('environment') }}"
"""

RETURN = r"""
_value:
  description:
    - One entry for each user whose step failed, with C(user), C(step), C(reason) and C(late) (it ran out of time).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step import failures


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_failures": failures.failures_of}
