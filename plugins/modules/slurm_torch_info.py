#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slurm_torch_info
version_added: 1.0.0
short_description: Check torch on many compute nodes at once, through Slurm, as an ordinary user
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Does what M(hpc.pytorch.torch_info) does on every node of O(nodes), as a job of the user who runs it. No login on
    the nodes is needed.
  - Submits one job array for all nodes with the same O(nodes[].partition) and O(nodes[].gres), and binds each task to
    its node. Every node answers for itself; a failed, hung or busy one does not hold up the others.
  - A node that gives no answer is a result like any other. Its RV(nodes.verdict) is V(unreachable), and the reason
    holds Slurm's message about the node or the task.
  - Nothing is left behind. The array is cancelled and the private folder removed in the end, also after a failure, a
    signal or a lost connection. If this module is killed, Slurm itself ends the array a day after its submission.
options:
  nodes:
    description: The nodes, and what to expect of each.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name in Slurm.
        type: str
        required: true
      prefix:
        description:
          - As in M(hpc.pytorch.torch_info). A leading C(~) is the home directory of the user who runs the module.
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
      expect_from:
        description: As in M(hpc.pytorch.torch_info).
        type: str
        choices: [site, slurm]
        default: site
      partition:
        description: The partition to reach it by. By default one of the node's own, Slurm's default one if possible.
        type: str
      gres:
        description:
          - The value of sbatch's C(--gres), such as V(gpu:4). Torch sees only the GPUs that are requested here.
          - With O(exclusive) Slurm gives all GPUs of a node without a request.
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
      - How many seconds a node's task may stay pending while no other one starts, runs or ends. Then it is given up.
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
  powered_down:
    description:
      - Whether to check also nodes that Slurm has powered down, or is about to. Slurm starts them for it, which in a
        cloud costs money.
      - Otherwise their verdict is V(not_checked).
    type: bool
    default: false
  time:
    description:
      - The time limit of a task in minutes. By default O(timeout) and one minute more.
    type: int
  work_dir:
    description:
      - A folder of the user that login node and compute nodes share. The module makes a private folder in it and
        removes it.
    type: path
    default: "~"
  runner_python:
    description:
      - The Python, 3.8 or newer, that runs this module's code on the nodes. By default the one that runs the module.
      - Torch runs with the environment's own Python.
    type: path
  bin_dir:
    description: Folder of Slurm's commands, if they are not on E(PATH).
    type: path
extends_documentation_fragment:
  - hpc.pytorch.slurm_resources
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description: Submits nothing. RV(arrays) has what would be submitted, and what C(sbatch --test-only) reports for it.
  diff_mode:
    support: none
    description: The module changes nothing.
notes:
  - Run it on a login node. It refuses root, since many clusters neither run jobs of root nor let root write to a home
    directory.
  - E(SBATCH_ACCOUNT), E(SBATCH_QOS) and E(SBATCH_RESERVATION) apply if the option is not set.
seealso:
  - module: hpc.pytorch.torch_info
  - module: hpc.pytorch.sbatch_script
"""

EXAMPLES = r"""
- name: Check two nodes of a partition
  hpc.pytorch.slurm_torch_info:
    nodes:
      - {name: titan01, prefix: ~/.conda/envs/torch, partition: titan, gres: "gpu:2", expect_devices: 2}
      - {name: titan02, prefix: ~/.conda/envs/torch, partition: titan, gres: "gpu:2", expect_devices: 2}
    mem: 8G
  register: checked

- name: Show how they are
  ansible.builtin.debug:
    msg: "{{ checked.nodes | dict2items | map(attribute='value.summary') | list }}"
"""

RETURN = r"""
nodes:
  description:
    - What M(hpc.pytorch.torch_info) returns, by the name of the node.
    - A node that gave no answer has the RV(nodes.verdict) V(unreachable), with RV(nodes.summary),
      RV(nodes.reasons) and no RV(nodes.devices).
  returned: success
  type: dict
  contains:
    verdict:
      description:
        - As in M(hpc.pytorch.torch_info), or V(unreachable). V(not_checked) in check mode, for a node that is powered
          down, and for one in a reservation for maintenance.
        - V(failed) also if M(hpc.pytorch.torch_info) would fail, as for a prefix that is not an environment; then the
          code is V(check_refused).
      type: str
    summary:
      description: The verdict and its reason on one line.
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
      description: The number of the array; V(null) if Slurm refused it, and in check mode.
      type: str
    nodes:
      description: Its nodes, in the order of its tasks.
      type: list
      elements: str
    command:
      description: The command that submitted it.
      type: list
      elements: str
    message:
      description: The message of C(sbatch).
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
                    "expect_from": {"type": "str", "choices": ["site", "slurm"], "default": "site"},
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
            "powered_down": {"type": "bool", "default": False},
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
