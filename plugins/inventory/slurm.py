# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: slurm
short_description: Make an inventory of the nodes that Slurm knows
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads the output of C(scontrol) on this machine, on a login host through ssh, or from a file. It does not need
    Slurm's JSON, so old releases work too.
  - Makes the group O(compute_group) with one child for each partition, the group V(login), and groups by GRES and its
    type, by feature and by state.
  - Gives each node variables that begin with C(slurm_), and C(hpc_gpu_count) and C(hpc_gpu_type), which the roles of
    this collection use.
  - No text from Slurm is ever evaluated as a template.
  - The name of the configuration file ends with C(slurm.yml) or C(slurm.yaml).
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Marks a file as a configuration of this plugin.
    type: str
    required: true
    choices: [hpc.pytorch.slurm]
  saved_output:
    description:
      - A file with the output of C(scontrol) on a login host, or a folder of such files whose names end with C(.txt).
        A relative path starts at the folder of the configuration file.
      - >-
        Make one with C((scontrol show config; scontrol --oneliner show partition; scontrol --oneliner show node) >
        cluster.txt).
      - It is read each time; the cache does not apply to it.
      - Each cluster needs a file or folder, and an inventory file, of its own. The plugin warns of what is cut off, or
        is there twice with different facts.
    type: str
  login_host:
    description:
      - The host, or C(user@host), on which to run C(scontrol). This user's ssh must reach it without a password.
      - Without this and O(saved_output), C(scontrol) runs on this machine.
    type: str
  bin_dir:
    description: Folder of C(scontrol), if it is not on E(PATH).
    type: str
  timeout:
    description: How many seconds C(scontrol), or ssh with it, may take.
    type: int
    default: 60
  login:
    description: The login hosts, which Slurm does not know. Lists such as V(login[01-02]) are expanded.
    type: list
    elements: str
    default: []
  compute_group:
    description: The group of all nodes.
    type: str
    default: compute
  group_by:
    description:
      - The kinds of groups to make.
      - V(partition) makes children of O(compute_group) with the partitions' names. A partition with the name of a
        node, or V(all), gets the group V(partition_NAME) and a warning.
      - V(gres) makes V(gres_gpu) for nodes with a GPU, and children of it for the types, such as V(gres_gpu_a100).
      - V(feature) makes V(feature_NAME).
      - V(state) makes a group for the base state (V(state_idle), V(state_mixed), V(state_allocated), V(state_down))
        and one for each flag (V(state_drain), V(state_not_responding), V(state_cloud), ...).
    type: list
    elements: str
    choices: [partition, gres, feature, state]
    default: [partition, gres, feature, state]
  group_prefixes:
    description: >-
      The prefix of the groups' names by kind of group, such as C({partition: part}). Other kinds keep their prefix.
    type: dict
    default: {}
  separator:
    description: The text between prefix, name and type in the name of a group.
    type: str
    default: "_"
  exclude_states:
    description: Leave out nodes in one of these states or with one of these flags. Written as in the groups by state.
    type: list
    elements: str
    default: []
  connect_to:
    description:
      - The value of C(ansible_host). With V(name) it is not set.
      - The name in the inventory is always Slurm's, so that every request to Slurm for a node finds it.
    type: str
    choices: [name, hostname, address]
    default: name
  gpu_types:
    description:
      - The value of C(hpc_gpu_type) for a type of GRES, if Slurm's type is not the name of the GPU. V(titan) may be a
        V(titan-v); only the site knows.
      - An empty name leaves C(hpc_gpu_type) out. A type that says nothing about the GPU, such as V(ampere) or V(fast),
        leaves it out too, with a warning.
    type: dict
    default: {}
  gpu_variables:
    description:
      - Whether nodes get C(hpc_gpu_count), and C(hpc_gpu_type) if Slurm has a type.
      - As variables of hosts they override C(group_vars). To change them, use O(gpu_types), O(compose) or
        C(host_vars), or turn this off.
      - Nodes with sliced GPUs (MIG) get neither. The role P(hpc.pytorch.torch_check#role) expects at least one GPU
        there.
    type: bool
    default: true
notes:
  - The state of a node is its state when Slurm was asked, or when the cache was filled. C(--flush-cache) asks Slurm
    again.
"""

EXAMPLES = r"""
# cluster.slurm.yml: ask Slurm on a login host, at most every ten minutes.
---
plugin: hpc.pytorch.slurm
login_host: login01.example.org
login: ["login[01-02]"]
gpu_types:
  titan: titan-v
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/hpc.pytorch/inventory
cache_timeout: 600

# saved.slurm.yml: from a file, without nodes that are down, and with a group of the nodes with much memory.
---
plugin: hpc.pytorch.slurm
saved_output: cluster.txt
login: [login01]
exclude_states: [down, future]
groups:
  large_memory: slurm_memory_mb >= 500000
keyed_groups:
  - key: slurm_cpus | string
    prefix: cpus
"""

import json
import os
import pathlib
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable, to_safe_group_name
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line, some
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import Cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import unfold
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.plan import KINDS, Plan, Settings, make_plan
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.source import Source, fetch
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.texts import read

# Of each kind; a user who names a thousand features must not hide the other warnings.
_MOST_WARNINGS = 20


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "hpc.pytorch.slurm"

    # A user who may write the reason for draining a node must not be able to run code on the controller.
    trusted_by_default = False

    def verify_file(self, path: str) -> bool:
        """Whether the name of the file is that of a configuration of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("slurm.yml", "slurm.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Ask Slurm, or read the cached answer, and fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            cluster = self._cluster(self._source(path), path, cache)
            self._populate(make_plan(cluster, self._settings(), to_safe_group_name))
        except UserError as error:
            raise AnsibleParserError("%s: %s" % (path, error)) from error

    def _source(self, path: str) -> Source:
        saved, login_host, bin_dir = (self.get_option(name) for name in ("saved_output", "login_host", "bin_dir"))
        if saved and (login_host or bin_dir):
            raise UserError("saved_output to be set without login_host and bin_dir", "both", "remove one of them")
        if self.get_option("timeout") < 1:
            raise UserError("timeout to be at least 1", str(self.get_option("timeout")), "correct it, or leave it out")
        folder = pathlib.Path(path).absolute().parent
        file = folder / os.path.expanduser(saved) if saved else None
        return Source(
            file, login_host or None, os.path.expanduser(bin_dir) if bin_dir else None, self.get_option("timeout")
        )

    def _settings(self) -> Settings:
        prefixes, types = self.get_option("group_prefixes"), self.get_option("gpu_types")
        unknown = sorted(set(prefixes) - set(KINDS))
        if unknown:
            raise UserError(
                "group_prefixes to have only the keys %s" % ", ".join(KINDS), ", ".join(unknown), "correct the names"
            )
        return Settings(
            group_by=self.get_option("group_by"),
            prefixes={kind: str(prefix or "") for kind, prefix in prefixes.items()},
            separator=self.get_option("separator"),
            compute_group=to_safe_group_name(self.get_option("compute_group")),
            login=[name for item in self.get_option("login") for name in unfold(item)],
            connect_to=self.get_option("connect_to"),
            exclude_states=self.get_option("exclude_states"),
            gpu_types={str(kind): str(name or "") for kind, name in types.items()},
            gpu_variables=self.get_option("gpu_variables"),
        )

    def _cluster(self, source: Source, path: str, cache: bool) -> Cluster:
        """The cluster of the cached answer if there is one and it may be used, else of a new answer."""
        caching = self.get_option("cache") and source.saved is None
        # Another host or folder has an answer of its own.
        key = self.get_cache_key(json.dumps([path, source.login_host, source.bin_dir]))
        if caching and cache:
            cached = self._cached(key, source)
            if cached is not None:
                return cached
        text = fetch(source)
        cluster = self._read(text, source)
        if caching:
            self._cache[key] = {"text": text}
        return cluster

    def _read(self, text: str, source: Source) -> Cluster:
        cluster = read(text, source.name)
        for doubt in cluster.doubts[:_MOST_WARNINGS]:
            self.display.warning(one_line("Slurm inventory: %s." % doubt))
        return cluster

    def _cached(self, key: str, source: Source) -> Cluster | None:
        # Cache plugins raise errors of their own for an entry that they cannot read; Slurm can be asked in any case.
        try:
            return self._read(self._cache[key]["text"], source)
        except KeyError:
            return None
        except Exception as error:  # pylint: disable=broad-except
            self.display.warning(
                one_line("The cached answer of %s cannot be used (%s); Slurm is asked again." % (source.name, error))
            )
            return None

    def _populate(self, plan: Plan) -> None:
        for name, group in list(plan.renamed.items())[:_MOST_WARNINGS]:
            self.display.warning(
                one_line(
                    "Slurm's %s is the group %s here, since the name %s is taken by something else."
                    % (name, group, name)
                )
            )
        for group, things in list(plan.shared.items())[:_MOST_WARNINGS]:
            self.display.warning(
                one_line("The group %s holds things that are different ones for Slurm: %s." % (group, some(things, 10)))
            )
        if plan.unknown_gpus:
            self.display.warning(
                one_line(
                    "These GPU types of Slurm say nothing about the GPU: %s. Their nodes get no hpc_gpu_type. Name the"
                    " GPUs in gpu_types, such as {%s: a100}, or set hpc_gpu_type."
                    % (some(plan.unknown_gpus, 10), plan.unknown_gpus[0])
                )
            )
        for warning in self._mixed(plan):
            self.display.warning(one_line(warning))
        for group, above in plan.groups.items():
            self.inventory.add_group(group)
            if above is not None:
                self.inventory.add_child(above, group)
        for host, variables in plan.variables.items():
            self.inventory.add_host(host)
            for name, value in variables.items():
                self.inventory.set_variable(host, name, value)
        for group, hosts in plan.members.items():
            for host in hosts:
                self.inventory.add_host(host, group)
        for group, variables in plan.group_variables.items():
            for name, value in variables.items():
                self.inventory.set_variable(group, name, value)
        self._construct(plan)

    def _mixed(self, plan: Plan) -> t.Iterator[str]:
        """What this inventory would mix with another one of this plugin that has been read before."""
        others = {name: host for name, host in self.inventory.hosts.items() if "slurm_node" in host.vars}
        hosts = [name for name, variables in plan.variables.items() if name in others and "slurm_node" in variables]
        if hosts:
            yield (
                "Nodes of this inventory have the names of another one's: %s. Their variables are now this one's."
                " Use one inventory for each cluster." % some(hosts, 10)
            )
        groups = []
        for name in plan.groups if others else ():
            there = self.inventory.groups[name].get_hosts() if name in self.inventory.groups else []
            if any(host.name in others and host.name not in plan.variables for host in there):
                groups.append(name)
        if groups:
            yield (
                "These groups hold nodes of another inventory too: %s. Use one inventory for each cluster, or other"
                " names: compute_group, and group_prefixes with a prefix for each of group_by." % some(groups, 10)
            )

    def _construct(self, plan: Plan) -> None:
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for host, variables in plan.variables.items():
            self._set_composite_vars(compose, variables, host, strict)
            self._add_host_to_composed_groups(groups, variables, host, strict)
            self._add_host_to_keyed_groups(keyed, variables, host, strict)
