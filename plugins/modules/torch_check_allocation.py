#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: torch_check_allocation
version_added: 1.0.0
short_description: Allocate a node for some tasks, and release it
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - The role P(hpc.pytorch.torch_check#role) uses it with C(torch_check_via=srun). The tasks in between reach the node
    over the connection P(hpc.pytorch.srun#connection).
  - Runs C(salloc --no-shell) on the controller, which must be a login node. A process in the background releases the
    node if the play is interrupted or killed; if the login node itself goes down, the time limit of the job does.
options:
  state:
    description:
      - V(present) allocates, V(absent) releases.
    type: str
    choices: [present, absent]
    default: present
  node:
    description:
      - The name of the node in Slurm. Required for V(present).
    type: str
  name:
    description:
      - The RV(name) of the allocation. Required for V(absent).
    type: str
  watcher:
    description:
      - The RV(watcher) of the allocation, which ends with it. For V(absent).
    type: int
  wait:
    description:
      - How many seconds Slurm may take to allocate the node.
    type: int
    default: 600
  timeout:
    description:
      - How many seconds the tasks in between may take. The default of O(time) depends on it.
    type: int
    default: 120
  time:
    description:
      - The time limit of the job in minutes. If it is not set, O(timeout) and at least two minutes more.
    type: int
  exclusive:
    description:
      - Whether to wait until the node is free of other jobs.
    type: bool
    default: false
  powered_down:
    description:
      - Whether to allocate also a node that Slurm has powered down, or is about to. Slurm starts it for that, which
        costs money in a cloud. Otherwise the module fails, with RV(left_alone).
    type: bool
    default: false
  partition:
    description:
      - The partition of the job, C(--partition).
    type: str
  gres:
    description:
      - The GPUs of the job, C(--gres), such as V(gpu:4).
    type: str
  bin_dir:
    description:
      - The folder of Slurm's commands, if they are not on E(PATH).
    type: path
extends_documentation_fragment:
  - hpc.pytorch.slurm_resources
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: none
    description: The task is skipped in check mode.
  diff_mode:
    support: none
    description: Changes nothing that lasts.
seealso:
  - plugin: hpc.pytorch.srun
    plugin_type: connection
"""

EXAMPLES = r"""
- name: List the GPUs of a node that the user must not log in to
  block:
    - name: Allocate the node
      hpc.pytorch.torch_check_allocation:
        node: titan01
        gres: gpu:1
      register: allocated

    - name: List its GPUs
      ansible.builtin.command: nvidia-smi -L
      changed_when: false
      vars:
        ansible_connection: hpc.pytorch.srun
        ansible_srun_node: titan01
        ansible_srun_job_id: "{{ allocated.job_id }}"
  always:
    - name: Release the node
      when: allocated.name is defined
      hpc.pytorch.torch_check_allocation:
        state: absent
        name: "{{ allocated.name }}"
        watcher: "{{ allocated.watcher }}"
"""

RETURN = r"""
name:
  description: The name of the job, which no other job has.
  returned: when O(state) is V(present)
  type: str
job_id:
  description: The number of the job.
  returned: when O(state) is V(present)
  type: int
left_alone:
  description: Why the node was not asked for, if Slurm has powered it down or a reservation for maintenance has it.
  returned: failure, if that is the reason
  type: str
watcher:
  description: The process that releases the node if the play ends early.
  returned: when O(state) is V(present)
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._torch.fleet import resources

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "node": {"type": "str"},
    "name": {"type": "str"},
    "watcher": {"type": "int"},
    "wait": {"type": "int", "default": 600},
    "timeout": {"type": "int", "default": 120},
    "time": {"type": "int"},
    "exclusive": {"type": "bool", "default": False},
    "powered_down": {"type": "bool", "default": False},
    "partition": {"type": "str"},
    "gres": {"type": "str"},
    **resources.argument_spec(),
    "bin_dir": {"type": "path"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=False)
    module.fail_json(msg="torch_check_allocation runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
