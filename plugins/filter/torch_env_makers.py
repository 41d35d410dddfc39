# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_env_makers: the entry point of plugin_utils/_torch_env/nodes.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_env_makers
short_description: Choose one host of the run for each torch environment
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Hosts with the same C(torch_env_name) share one environment. This filter chooses one host of the run for each of
    them, a node that the environment is for if there is one. The environment is made once, with that host's variables.
  - It belongs to the role P(hpc.pytorch.torch_env#role), whose entry point V(plan) puts these hosts into a group.
positional: _input, groups, wanted, run
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  groups:
    description: The hosts of each group, C(groups).
    type: dict
    required: true
  wanted:
    description: The groups of the nodes that environments are for.
    type: list
    elements: str
    required: true
  run:
    description: The hosts of this run, C(ansible_play_hosts).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show which host makes each environment
  ansible.builtin.debug:
    msg: "{{ hostvars | hpc.pytorch.torch_env_makers(groups, ['compute'], ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: One host for each environment, in the order of the environments' names.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.nodes import Groups, HostVars, makers


def torch_env_makers(hostvars: HostVars, groups: Groups, wanted: t.Sequence[str], run: t.Sequence[str]) -> list[str]:
    """See DOCUMENTATION."""
    try:
        return makers(hostvars, groups, wanted, run)
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_env_makers": torch_env_makers}
