#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slurm_torch_info
version_added: 0.1.0
short_description: Ask torch on many compute nodes at once, through Slurm, as an ordinary user
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Does what M(hpc.pytorch.torch_info) does on every node of O(nodes), as a job of the user who runs it. Nobody has to log in
    there.
  - Submits one job array for all nodes that ask Slurm for the same O(nodes[].partition) and O(nodes[].gres), and binds each
    task to its node. A node's answer comes back by itself; a sick, hung or busy one holds up none of the others.
  - A node that gives no answer is a result like any other. Its RV(nodes[].verdict) is V(unreachable), and the reason
    says what Slurm says about the node or the task.
  - Nothing is left behind. The array is cancelled and the private folder removed in the end, also after a failure, a signal
    or a lost connection. Should this module be killed, Slurm itself ends the array a day after its submission.
options:
  nodes:
    description: The nodes, and what is asked of each.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name in Slurm.
        type: str
        required: true
      prefix:
        description: As in M(hpc.pytorch.torch_info). A leading C(~) is the home of the user who runs the module.
        type: path
      python:
        description: As in M(hpc.pytorch.torch_info).
        type: path
      expect_cuda:
        description: As in M(hpc.pytorch.torch_info).
        type: bool
      expect_devices:
        description: As in M(hpc.pytorch.torch_info).
        type: int
      expect_gpu:
        description: As in M(hpc.pytorch.torch_info).
        type: list
        elements: str
        default: []
      partition:
        description: The partition to reach it by. If it is not set, one that the node is in, Slurm's default one if it can be.
        type: str
      gres:
        description:
          - What sbatch's C(--gres) is, such as V(gpu:4). A GPU that is not asked for here is not seen by torch.
          - With O(exclusive) Slurm gives a node's GPUs without being asked.
        type: str
  timeout:
    description: How many seconds the probe may take on a node.
    type: int
    default: 120
  device_timeout:
    description: As in M(hpc.pytorch.torch_info).
    type: int
    default: 30
  wait:
    description:
      - How many seconds a node's task may stay pending while none of the others starts, runs or ends. Then it is given up.
    type: int
    default: 600
  chunk:
    description: How many tasks of an array may run at the same time.
    type: int
    default: 50
  exclusive:
    description: Whether a task waits for the whole node.
    type: bool
    default: false
  time:
    description:
      - The time limit of a task in minutes. Without it, O(timeout) and a minute more.
    type: int
  work_dir:
    description:
      - A folder of the user's that the login node and the compute nodes share. A private folder is made in it, and removed.
    type: path
    default: "~"
  runner_python:
    description:
      - The Python, 3.8 or newer, that runs this module's code on the nodes. Without it, the one that runs the module.
      - Torch itself is run by the environment's own Python.
    type: path
  bin_dir:
    description: Folder of Slurm's commands, where they are not on E(PATH).
    type: path
extends_documentation_fragment:
  - hpc.pytorch.slurm_resources
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description: Submits nothing. RV(arrays) has what would be submitted, and what C(sbatch --test-only) says to it.
  diff_mode:
    support: none
    description: Can show what changed, which is nothing.
notes:
  - Run it on a login node. Root is refused, since many clusters neither run root's jobs nor let root write to a home.
  - E(SBATCH_ACCOUNT), E(SBATCH_QOS) and E(SBATCH_RESERVATION) count where an option is not set.
seealso:
  - module: hpc.pytorch.torch_info
  - module: hpc.pytorch.sbatch_script
"""

EXAMPLES = r"""
- name: Ask two nodes of a partition
  hpc.pytorch.slurm_torch_info:
    nodes:
      - {name: titan01, prefix: ~/.conda/envs/torch, partition: titan, gres: "gpu:2", expect_devices: 2}
      - {name: titan02, prefix: ~/.conda/envs/torch, partition: titan, gres: "gpu:2", expect_devices: 2}
    mem: 8G
  register: asked

- name: Say how they are
  ansible.builtin.debug:
    msg: "{{ asked.nodes | dict2items | map(attribute='value.summary') | list }}"
"""

RETURN = r"""
nodes:
  description:
    - By the name of the node, what M(hpc.pytorch.torch_info) returns.
    - For one that gave no answer, the RV(nodes[].verdict) V(unreachable), with RV(nodes[].summary), RV(nodes[].reasons) and no
      RV(nodes[].devices).
  returned: success
  type: dict
  contains:
    verdict:
      description:
        - As in M(hpc.pytorch.torch_info), or V(unreachable), or in check mode V(not_checked).
        - V(failed) also where M(hpc.pytorch.torch_info) would fail, as for a prefix that is no environment; then the code is
          V(check_refused).
      type: str
    summary:
      description: The verdict and what led to it on one line.
      type: str
    reasons:
      description: As in M(hpc.pytorch.torch_info), and V(node_unreachable).
      type: list
      elements: dict
    devices:
      description: As in M(hpc.pytorch.torch_info).
      type: list
      elements: dict
arrays:
  description: The job arrays.
  returned: success
  type: list
  elements: dict
  contains:
    job_id:
      description: The number of the array, none where Slurm took none, and in check mode.
      type: str
    nodes:
      description: The nodes in it, in the order of its tasks.
      type: list
      elements: str
    command:
      description: What was run to submit it.
      type: list
      elements: str
    message:
      description: What sbatch said.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._torch.fleet import resources
from ..module_utils._torch.fleet.check import Options, check_nodes


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "nodes": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "prefix": {"type": "path"},
                    "python": {"type": "path"},
                    "expect_cuda": {"type": "bool"},
                    "expect_devices": {"type": "int"},
                    "expect_gpu": {"type": "list", "elements": "str", "default": []},
                    "partition": {"type": "str"},
                    "gres": {"type": "str"},
                },
                "mutually_exclusive": [("prefix", "python")],
                "required_one_of": [("prefix", "python")],
            },
            "timeout": {"type": "int", "default": 120},
            "device_timeout": {"type": "int", "default": 30},
            "wait": {"type": "int", "default": 600},
            "chunk": {"type": "int", "default": 50},
            "exclusive": {"type": "bool", "default": False},
            **resources.argument_spec(),
            "time": {"type": "int"},
            "work_dir": {"type": "path", "default": "~"},
            "runner_python": {"type": "path"},
            "bin_dir": {"type": "path"},
        },
        supports_check_mode=True,
    )
    answer(
        module,
        lambda: dict(
            check_nodes(Options.from_params(module.params), module.check_mode, module.warn),
            changed=False,
        ),
    )


if __name__ == "__main__":
    main()
