# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_env_machines: the entry point of plugin_utils/_torch_env/machines.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_env_machines
short_description: Find the C library and the platform of the machines of a torch environment
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads C(torch_env_glibc), C(torch_env_platform) and the fact C(ansible_architecture) of the nodes, and adds what the
    machine has that makes the environment.
  - It belongs to the role P(hpc.pytorch.torch_env#role).
positional: _input, nodes, host, printed
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  nodes:
    description: The nodes that the environment is for.
    type: list
    elements: str
    required: true
  host:
    description:
      - The host whose variables the environment is made with. If it is one of the nodes, all of them must have one
        platform, that of the machine that makes the environment; otherwise the filter fails.
    type: str
    required: true
  printed:
    description: What C(getconf GNU_LIBC_VERSION) and C(uname -m) print on the machine that makes the environment.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the C libraries of the nodes and of this machine
  ansible.builtin.debug:
    msg: "{{ (hostvars | hpc.pytorch.torch_env_machines(groups['compute'], inventory_hostname, printed)).glibc }}"
  vars:
    printed: "{{ lookup('ansible.builtin.pipe', 'getconf GNU_LIBC_VERSION; uname -m') }}"
"""

RETURN = r"""
_value:
  description: What the machines have.
  type: dict
  contains:
    glibc:
      description: The versions of their C libraries that are known, each once.
      type: list
      elements: str
    platform:
      description: The platform that the environment is for, V(linux-64) or V(linux-aarch64); empty if it is unknown.
      type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.machines import machines


def torch_env_machines(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]], nodes: t.Sequence[str], host: str, printed: str
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    try:
        return machines(hostvars, nodes, host, printed)._asdict()
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_env_machines": torch_env_machines}
