#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: torch_check_result
version_added: 1.0.0
short_description: Make the result of a node from what its check returned
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - The role P(hpc.pytorch.torch_check#role) uses it. Register its return value as C(torch_check_result), which
    M(hpc.pytorch.torch_report) reads.
  - It never fails because of what the tasks before it returned. A node that gave no answer, an environment that must
    not be run, and an environment that check mode does not find are results too.
options:
  steps:
    description:
      - The registered results of the tasks that checked the node, in their order.
      - For V(slurm), what M(hpc.pytorch.slurm_torch_info) returned for this node, or its whole
        result if it returned nothing for the node.
    type: list
    elements: dict
    default: []
  via:
    description:
      - How the node was reached, as in C(torch_check_via).
    type: str
    choices: [ssh, slurm, srun]
    default: ssh
  node:
    description:
      - The name of the node in Slurm. For V(srun).
    type: str
    default: ""
  prefix:
    description:
      - The folder of the environment. For V(ssh).
    type: str
    default: ""
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
seealso:
  - module: hpc.pytorch.torch_info
  - module: hpc.pytorch.slurm_torch_info
"""

EXAMPLES = r"""
- name: Check torch without failing the host
  block:
    - name: Ask torch
      hpc.pytorch.torch_info:
        prefix: /opt/app/envs/torch
      ignore_unreachable: true
      register: asked

    - name: Keep the result
      hpc.pytorch.torch_check_result:
        steps: ["{{ asked }}"]
      register: torch_check_result
  rescue:
    - name: Keep why there is no result
      hpc.pytorch.torch_check_result:
        steps: ["{{ ansible_failed_result }}"]
      register: torch_check_result
"""

RETURN = r"""
verdict:
  description:
    - As M(hpc.pytorch.torch_info) returns it, or V(unreachable), or in check mode V(not_checked).
    - V(failed) also if M(hpc.pytorch.torch_info) failed.
  returned: success
  type: str
summary:
  description: The verdict and what led to it, on one line.
  returned: success
  type: str
reasons:
  description: As M(hpc.pytorch.torch_info) returns them, or one with the code V(node_unreachable) or V(check_refused).
  returned: success
  type: list
  elements: dict
devices:
  description: As M(hpc.pytorch.torch_info) returns them. The other keys that it returns are here too.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {
    "steps": {"type": "list", "elements": "dict", "default": []},
    "via": {"type": "str", "choices": ["ssh", "slurm", "srun"], "default": "ssh"},
    "node": {"type": "str", "default": ""},
    "prefix": {"type": "str", "default": ""},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="torch_check_result runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
