# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes hosts, groups and variables of an inventory from a cluster. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.expected import is_slice, is_unknown
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import Cluster, ClusterNode, show_version
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import Gres

KINDS = ("partition", "gres", "feature", "state")


class Settings(t.NamedTuple):
    """The options of the inventory plugin.

    :arg group_by: some of ``KINDS``.
    :arg prefixes: the prefix of the groups' names by kind.
    :arg connect_to: ``name``, ``hostname`` or ``address``.
    :arg exclude_states: leave out nodes with one of these states or flags.
    :arg gpu_types: the GPU's name for a type of Slurm's; an empty name for none.
    :arg gpu_variables: whether hosts get hpc_gpu_count and hpc_gpu_type.
    """

    group_by: t.Sequence[str] = KINDS
    prefixes: t.Mapping[str, str] = {}
    separator: str = "_"
    compute_group: str = "compute"
    login: t.Sequence[str] = ()
    connect_to: str = "name"
    exclude_states: t.Sequence[str] = ()
    gpu_types: t.Mapping[str, str] = {}
    gpu_variables: bool = True


class Plan(t.NamedTuple):
    """An inventory to be made.

    :arg groups: the parent of each group, None without one; a parent comes before its children.
    :arg members: the hosts that are directly in each group.
    :arg variables: the variables of each host.
    :arg group_variables: the variables of each group.
    :arg renamed: the group of a partition (or other thing) whose own name is taken.
    :arg shared: the things that share a group, since names of groups have only letters, digits and underscores.
    :arg unknown_gpus: Slurm's types of GPUs that nobody can know.
    """

    groups: dict[str, str | None]
    members: dict[str, list[str]]
    variables: dict[str, dict[str, t.Any]]
    group_variables: dict[str, dict[str, t.Any]]
    renamed: dict[str, str]
    shared: dict[str, list[str]]
    unknown_gpus: list[str]


def make_plan(cluster: Cluster, settings: Settings, safe: t.Callable[[str], str]) -> Plan:
    """The inventory of a cluster.

    :arg safe: makes any text a valid name of a group.
    """
    unwanted = {state.lower() for state in settings.exclude_states}
    nodes = [node for node in cluster.nodes.values() if not unwanted.intersection((node.state, *node.flags))]
    groups: dict[str, str | None] = {settings.compute_group: None}
    if settings.login:
        groups["login"] = None
    taken = {"all", "ungrouped", "login", settings.compute_group, *cluster.nodes, *settings.login}
    naming = _Naming(settings, safe, taken)
    wanted = [kind for kind in KINDS if kind in settings.group_by]
    if "partition" in wanted:
        # An empty one too: a playbook may name it.
        groups.update((naming.group("partition", (name,)), settings.compute_group) for name in cluster.partitions)
    members: dict[str, list[str]] = {
        settings.compute_group: [],
        **({"login": list(settings.login)} if settings.login else {}),
    }
    variables: dict[str, dict[str, t.Any]] = {host: {} for host in settings.login}
    # Nodes that are in the same groups, or have the same GPUs, share the work.
    seen: dict[t.Any, list[str]] = {}
    gpus: dict[t.Any, dict[str, t.Any]] = {}
    for node in nodes:
        alike = (node.partitions, node.gres, node.features, node.state, node.flags)
        if alike not in seen:
            seen[alike] = _groups_of(node, wanted, naming, groups, settings.compute_group)
        for group in seen[alike]:
            members.setdefault(group, []).append(node.name)
        # A login node that also runs jobs has an entry already.
        variables.setdefault(node.name, {}).update(_variables(node, settings))
        if settings.gpu_variables:
            if node.gres not in gpus:
                gpus[node.gres] = gpu_variables(node.gres, settings.gpu_types)
            variables[node.name].update(gpus[node.gres])
    shared = {"slurm_cluster": cluster.name, "slurm_version": show_version(cluster.version)}
    unknown = unknown_gpus((gres for node in nodes for gres in node.gres), settings.gpu_types) if gpus else []
    return Plan(groups, members, variables, {settings.compute_group: shared}, naming.renamed, naming.shared(), unknown)


class _Naming:
    """Names of groups, each made once."""

    def __init__(self, settings: Settings, safe: t.Callable[[str], str], taken: t.Collection[str]) -> None:
        self._settings, self._safe, self._taken = settings, safe, taken
        self._made: dict[tuple[str, tuple[str, ...]], str] = {}
        self.renamed: dict[str, str] = {}

    def group(self, kind: str, words: tuple[str, ...]) -> str:
        """The group of *kind* for a partition, a GRES and its type, a feature or a state."""
        key = (kind, words)
        if key not in self._made:
            prefix = self._settings.prefixes.get(kind, "" if kind == "partition" else kind)
            name = self._join(prefix, words)
            if name in self._taken:
                # Ansible cannot tell a group from a host of the same name; "all" is another group.
                name = self._join(kind, words)
                while name in self._taken:
                    name += "_group"
                self.renamed[" ".join(words)] = name
            self._made[key] = name
        return self._made[key]

    def shared(self) -> dict[str, list[str]]:
        """Groups that stand for two or more things of Slurm's."""
        found: dict[str, list[str]] = {}
        for (kind, words), name in self._made.items():
            found.setdefault(name, []).append(" ".join((kind, *words)))
        return {name: things for name, things in found.items() if len(things) > 1}

    def _join(self, prefix: str, words: tuple[str, ...]) -> str:
        return self._safe(self._settings.separator.join(part for part in (prefix, *words) if part))


def _groups_of(
    node: ClusterNode, wanted: t.Sequence[str], naming: _Naming, groups: dict[str, str | None], compute: str
) -> list[str]:
    """The groups that *node* is directly in; missing ones are added to *groups*."""
    found: list[str] = []
    if "partition" in wanted:
        found.extend(naming.group("partition", (name,)) for name in node.partitions)
        for group in found:
            groups.setdefault(group, compute)
    if not found:
        found.append(compute)
    if "gres" in wanted:
        for gres in node.gres:
            general = naming.group("gres", (gres.name,))
            groups.setdefault(general, None)
            if gres.type is None:
                found.append(general)
            else:
                found.append(naming.group("gres", (gres.name, gres.type)))
                groups.setdefault(found[-1], general if found[-1] != general else None)
    if "feature" in wanted:
        found.extend(naming.group("feature", (feature,)) for feature in node.features)
    if "state" in wanted:
        found.extend(naming.group("state", (state,)) for state in (node.state, *node.flags))
    for group in found:
        groups.setdefault(group, None)
    return list(dict.fromkeys(found))


def _variables(node: ClusterNode, settings: Settings) -> dict[str, t.Any]:
    variables: dict[str, t.Any] = {
        "slurm_node": node.name,
        "slurm_state": node.state,
        "slurm_flags": list(node.flags),
        "slurm_cpus": node.cpus,
        "slurm_memory_mb": node.memory_mb,
        "slurm_gres": [gres._asdict() for gres in node.gres],
        "slurm_features": list(node.features),
        "slurm_partitions": list(node.partitions),
        "slurm_reason": node.reason,
        "slurm_address": node.address,
        "slurm_hostname": node.hostname,
    }
    if settings.connect_to != "name":
        variables["ansible_host"] = getattr(node, settings.connect_to)
    return variables


def gpu_variables(gres: t.Sequence[Gres], names: t.Mapping[str, str]) -> dict[str, t.Any]:
    """The variables that the roles read. None for slices of GPUs: a program sees one slice, however many there are.

    hpc_gpu_type is left out unless all types are known: every GPU of the node would have to be one of them.
    """
    gpus = [item for item in gres if item.name == "gpu"]
    if any(item.type and is_slice(names.get(item.type) or item.type) for item in gpus):
        return {}
    types = list(dict.fromkeys(_gpu_name(item, names) for item in gpus))
    typed = {"hpc_gpu_type": types[0] if len(types) == 1 else types} if types and all(types) else {}
    return {"hpc_gpu_count": sum(item.count for item in gpus), **typed}


def unknown_gpus(gres: t.Iterable[Gres], names: t.Mapping[str, str]) -> list[str]:
    """The types of GPUs that nobody can know and that *names* does not translate, each once."""
    types = dict.fromkeys(item.type for item in gres if item.name == "gpu" and item.type)
    return [kind for kind in types if kind not in names and is_unknown(kind)]


def _gpu_name(gpu: Gres, names: t.Mapping[str, str]) -> str | None:
    """What the site calls a GPU, or Slurm's type of it if that says which GPU it is."""
    if gpu.type is None:
        return None
    return names[gpu.type] if gpu.type in names else None if is_unknown(gpu.type) else gpu.type
