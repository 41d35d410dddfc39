# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_env_nodes: the entry point of plugin_utils/_torch_env/nodes.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_env_nodes
short_description: Find the nodes that a torch environment is for, and what they need
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Finds the nodes with this C(torch_env_name), and reads their C(hpc_gpu_type) and C(torch_env_driver) in the
    inventory. If no node has the name, the environment is for all nodes.
  - It belongs to the role P(hpc.pytorch.torch_env#role).
positional: _input, groups, wanted, name, host
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
  name:
    description: The name of the environment, C(torch_env_name).
    type: str
    required: true
  host:
    description:
      - The host whose variables the environment is made with. If it is one of the nodes, all of them must ask for the
        same; otherwise the filter fails and names each variable that differs.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show which GPUs the environment torch must run on
  ansible.builtin.debug:
    msg: "{{ (hostvars | hpc.pytorch.torch_env_nodes(groups, ['compute'], 'torch', inventory_hostname)).gpus }}"
"""

RETURN = r"""
_value:
  description: The nodes and what they need.
  type: dict
  contains:
    names:
      description: The nodes.
      type: list
      elements: str
    gpus:
      description: Their GPU types, each once.
      type: list
      elements: str
    drivers:
      description: Their driver versions, each once.
      type: list
      elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.nodes import Groups, HostVars, nodes


def torch_env_nodes(
    hostvars: HostVars, groups: Groups, wanted: t.Sequence[str], name: str, host: str
) -> dict[str, list[str]]:
    """See DOCUMENTATION."""
    try:
        return nodes(hostvars, groups, wanted, name, host)._asdict()
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_env_nodes": torch_env_nodes}
