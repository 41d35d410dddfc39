#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: torch_env_choice
version_added: 1.0.0
short_description: Choose the torch build for an environment and its nodes
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Finds the nodes that an environment is for in the inventory, and chooses the newest build of torch that runs on all
    of them, as the filter P(hpc.pytorch.torch_build#filter) does. Prints the choice, and a warning for each fact that
    is unverified. Role C(torch_env) does so before it makes an environment.
  - No node is contacted. If there is something to choose, the host of the task, which makes the environment, is asked
    for its C library and its processor by one command.
  - If no CUDA, driver, GPU or source is declared, nothing is chosen, and the channels decide.
options:
  asked:
    description:
      - The variables of role C(torch_env) without their prefix, C(python), C(torch), C(cuda), C(source), C(gpus),
        C(drivers), C(builds), C(wheels_url), C(companions), C(packages), C(pip), C(channels), C(site_channels),
        C(glibc) and C(platform).
      - If C(gpus) is null, C(hpc_gpu_type) of the nodes counts.
    type: dict
    required: true
  name:
    description: The name of the environment. It is for the nodes with this C(torch_env_name).
    type: str
    required: true
  groups:
    description: The groups that the nodes are in.
    type: list
    elements: str
    required: true
  engine:
    description: The Python of the site's engine. If it is given, C(has_engine) tells whether it is there.
    type: str
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The choice is the same, as nothing is changed.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Choose the newest build that runs on all nodes of the environment
  hpc.pytorch.torch_env_choice:
    asked: "{{ asked }}"
    name: torch
    groups: [compute]
  register: chosen
"""

RETURN = r"""
build:
  description: What the filter P(hpc.pytorch.torch_build#filter) returns; empty if nothing was chosen.
  returned: success
  type: dict
messages:
  description: One line about the choice, and one for each warning.
  returned: success
  type: list
  elements: str
packages:
  description: Match specs for M(hpc.pytorch.conda_env).
  returned: success
  type: list
  elements: str
pip:
  description: Requirements for pip.
  returned: success
  type: list
  elements: str
channels:
  description: The channels to take them from.
  returned: success
  type: list
  elements: str
cuda:
  description: What C(__cuda) is taken to be, whatever driver the machine that solves has.
  returned: success
  type: raw
key:
  description: The SHA-256 of the request.
  returned: success
  type: str
expect_torch:
  description: The torch that must be in the environment in the end, as M(hpc.pytorch.conda_env) takes it.
  returned: success
  type: dict
has_engine:
  description: Whether O(engine) is there.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {
    "asked": {"type": "dict", "required": True},
    "name": {"type": "str", "required": True},
    "groups": {"type": "list", "elements": "str", "required": True},
    "engine": {"type": "str"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="torch_env_choice runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
