#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slurm_info
version_added: 1.0.0
short_description: List the partitions, nodes and GRES of a Slurm cluster
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Asks the controller with C(scontrol), as any user may. Old releases of Slurm work too.
options:
  partitions:
    description: Return only these partitions, and the nodes in them.
    type: list
    elements: str
  nodes:
    description: Return only these nodes. Lists such as V(titan[01-04]) are expanded.
    type: list
    elements: str
  access:
    description:
      - Whether to return who may use each partition, what a job may ask of a node there, and what each node has for
        jobs.
    type: bool
    default: false
  bin_dir:
    description: Folder of Slurm's commands, if they are not on E(PATH).
    type: path
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
seealso:
  - plugin: hpc.pytorch.slurm
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List what the cluster has
  hpc.pytorch.slurm_info:
  register: slurm

- name: Show how many GPUs of which type there are
  ansible.builtin.debug:
    msg: "{{ slurm.gres | selectattr('name', 'equalto', 'gpu') }}"

- name: Fail if a node of a partition is out of service
  hpc.pytorch.slurm_info:
    partitions: [titan]
  register: titan
  failed_when: titan.nodes | selectattr('reason') | length > 0
"""

RETURN = r"""
cluster:
  description: The name of the cluster.
  returned: success
  type: str
  sample: campus
version:
  description: The release of Slurm on the controller.
  returned: success
  type: str
  sample: 22.05.8
accounting:
  description: How Slurm keeps accounts of ended jobs, such as V(slurmdbd); V(none) if it keeps none.
  returned: success
  type: str
  sample: slurmdbd
partitions:
  description: The partitions, in Slurm's order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    default:
      description: Whether jobs without a partition go there.
      type: bool
    state:
      description: V(up), V(down), V(drain) or V(inactive).
      type: str
    max_minutes:
      description: The longest that a job may run, in minutes; V(null) without a limit.
      type: int
    default_minutes:
      description: The time limit of a job that sets none, in minutes; V(null) if that is RV(partitions[].max_minutes).
      type: int
    min_nodes:
      description: The fewest nodes that a job may have.
      type: int
    max_nodes:
      description: The most nodes that a job may have; V(null) without a limit.
      type: int
    nodes:
      description: All of its nodes.
      type: list
      elements: str
    node_list:
      description: The same as a list of Slurm's.
      type: str
      sample: titan[01-02]
    node_count:
      description: The number of its nodes.
      type: int
    gres:
      description: The sum over its nodes, as in RV(gres).
      type: list
      elements: dict
    access:
      description: Who may use it, and what a job may ask of each node. A list that is V(null) restricts nothing.
      returned: if O(access=true)
      type: dict
      contains:
        hidden:
          description: Whether Slurm hides it from users.
          type: bool
        root_only:
          description: Whether only root may submit to it.
          type: bool
        needs_reservation:
          description: Whether a job must name a reservation.
          type: bool
        groups:
          description: The Unix groups whose members may use it.
          type: list
          elements: str
        accounts:
          description: The accounts whose jobs may use it.
          type: list
          elements: str
        denied_accounts:
          description: The accounts whose jobs may not use it.
          type: list
          elements: str
        qos:
          description: The qualities of service that may use it.
          type: list
          elements: str
        denied_qos:
          description: The qualities of service that may not use it.
          type: list
          elements: str
        submit_hosts:
          description: The hosts on which its jobs are submitted.
          type: list
          elements: str
        max_cpus:
          description: The most processors on a node; V(null) without a limit.
          type: int
        max_memory_mb:
          description: The most memory on a node; V(null) without a limit.
          type: int
nodes:
  description: The nodes, in Slurm's order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in Slurm.
      type: str
    state:
      description: The base state, such as V(idle), V(mixed), V(allocated), V(down).
      type: str
    flags:
      description: Additional states, such as V(drain), V(not_responding), V(cloud).
      type: list
      elements: str
    cpus:
      description: Its processors as Slurm counts them.
      type: int
    memory_mb:
      description: Its configured memory.
      type: int
    gres:
      description: Its generic resources, with C(name), C(type) (V(null) if Slurm has none) and C(count).
      type: list
      elements: dict
    features:
      description: The features that it has now.
      type: list
      elements: str
    partitions:
      description: Its partitions.
      type: list
      elements: str
    reason:
      description: Why it was taken out of service, by whom and when; empty if it was not.
      type: str
    address:
      description: The address at which Slurm reaches it.
      type: str
    hostname:
      description: The machine's own name.
      type: str
    job_cpus:
      description: The processors that jobs may have.
      returned: if O(access=true)
      type: int
    job_memory_mb:
      description: The memory that jobs may have.
      returned: if O(access=true)
      type: int
gres:
  description: The sum over the nodes that are returned, for each name and type.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: gpu, type: titan, count: 4}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._files.paths import require_absolute
from ..module_utils._slurm.client import Slurm
from ..module_utils._slurm.errors import SlurmError, no_answer
from ..module_utils._slurm.model.cluster import unseen
from ..module_utils._slurm.model.controller import hides_nodes
from ..module_utils._slurm.model.hostlist import fold
from ..module_utils._slurm.model.info import describe


class Options(t.NamedTuple):
    """The module's options."""

    partitions: list[str] | None
    nodes: list[str] | None
    access: bool
    bin_dir: str | None

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Read and check the module's parameters."""
        require_absolute("bin_dir", params["bin_dir"])
        return cls(**{name: params[name] for name in cls._fields})


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "partitions": {"type": "list", "elements": "str"},
            "nodes": {"type": "list", "elements": "str"},
            "access": {"type": "bool", "default": False},
            "bin_dir": {"type": "path"},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: dict(ask(Options.from_params(module.params), module.warn), changed=False))


def ask(options: Options, warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Ask the controller for the keys of RETURN."""
    slurm = Slurm(options.bin_dir)
    try:
        cluster = slurm.cluster(options.access)
        config = slurm.config()
        for doubt in cluster.doubts[:20]:
            warn(doubt)
        if not cluster.nodes:
            why = " (its PrivateData hides them from ordinary users)" if hides_nodes(config) else ""
            warn("Slurm shows this user no nodes%s" % why)
        elif unseen(cluster):
            warn(
                "Slurm shows nothing of these nodes of its partitions: %s; they are missing in nodes and gres. It shows"
                " cloud nodes that are powered down with PrivateData=cloud only" % ",".join(fold(unseen(cluster))[:20])
            )
        return describe(cluster, config, options.partitions, options.nodes, options.access)
    except SlurmError as error:
        raise no_answer(error) from error


if __name__ == "__main__":
    main()
