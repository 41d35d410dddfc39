# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes an environment is for, what they need, and which host makes it. Private to hpc.pytorch.

Hosts with the same ``torch_env_name`` share one environment. All of this comes from the inventory; no node is
contacted. Each variable that is read from a host costs a template, so only the needed ones are read.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.values import listed

DEFAULT_NAME = "torch"
SCOPES = ("user", "site")
NAME = re.compile("[A-Za-z0-9_][A-Za-z0-9_.+-]*")
# An environment can have only one value of each of these.
DECIDING = (
    "torch_env_scope",
    "torch_env_source",
    "torch_env_python",
    "torch_env_torch",
    "torch_env_cuda",
    "torch_env_companions",
    "torch_env_packages",
)

HostVars = t.Mapping[str, t.Mapping[str, t.Any]]
Groups = t.Mapping[str, t.Sequence[str]]


class Nodes(t.NamedTuple):
    """The nodes that an environment is for, and what it must run on."""

    names: list[str]
    gpus: list[str]
    drivers: list[str]


def members(groups: Groups, wanted: t.Any) -> list[str]:
    """The hosts of the *wanted* groups, each once. A group that does not exist has none.

    :arg wanted: a list of names; or a text with commas, as it is from the command line.
    :raises UserError: it is neither.
    """
    if not isinstance(wanted, (str, list, tuple)):
        raise UserError(
            "torch_env_groups to be a list of groups", json.dumps(wanted, default=str), "write one, such as [compute]"
        )
    return list(dict.fromkeys(host for name in listed(wanted) for host in groups.get(name, ())))


def makers(hostvars: HostVars, groups: Groups, wanted: t.Sequence[str], run: t.Sequence[str]) -> list[str]:
    """One host of this run for each environment, by the environment's name.

    :arg wanted: the groups of the nodes that environments are for. Such a node is preferred to other hosts of the run.
    :arg run: the hosts of this run.
    :raises UserError: the variables of such a host say neither that the environment is the site's nor a user's, so that
        no play would make it.
    """
    nodes = set(members(groups, wanted))
    chosen: dict[str, str] = {}
    for host in sorted(run, key=lambda host: host not in nodes):
        chosen.setdefault(_name_of(hostvars[host]), host)
    for host in chosen.values():
        scope = hostvars[host].get("torch_env_scope", SCOPES[0])
        if scope not in SCOPES:
            raise UserError(
                "torch_env_scope of %s to be user or site" % host,
                json.dumps(scope, default=str),
                "write site for one environment of all users, or user for one in each home directory",
            )
    return [chosen[name] for name in sorted(chosen)]


def nodes(hostvars: HostVars, groups: Groups, wanted: t.Sequence[str], name: str, host: str) -> Nodes:
    """The nodes of the environment *name* with their GPU types and drivers; all nodes if none has that name.

    :arg host: the host whose variables are used. If it is not a node of the environment, such as a user's own host, the
        nodes may contradict each other.
    :raises UserError: the name is no name of an environment, or its nodes ask for different things.
    """
    name = str(name)
    require_name(name)
    every = {each: hostvars[each] for each in members(groups, wanted)}
    same_name = {each: variables for each, variables in every.items() if _name_of(variables) == name}
    if host in same_name:
        require_agreement(name, same_name.values())
    chosen = same_name or every
    gpus: dict[str, str] = {}
    drivers: dict[str, None] = {}
    for variables in chosen.values():
        for gpu in _flat(variables.get("hpc_gpu_type")):
            gpus.setdefault(str(gpu).lower(), str(gpu))
        driver = variables.get("torch_env_driver")
        if driver:
            drivers[str(driver)] = None
    return Nodes(list(chosen), [gpus[key] for key in sorted(gpus)], list(drivers))


def require_name(name: str) -> None:
    """Refuse what cannot be the name of an environment, which names a folder and a modulefile.

    :raises UserError: always for such a name.
    """
    if not NAME.fullmatch(name):
        raise UserError(
            "torch_env_name to consist of the letters A-Z a-z, digits and . _ + -",
            json.dumps(name),
            "choose such a name",
        )


def require_agreement(name: str, nodes: t.Iterable[t.Mapping[str, t.Any]]) -> None:
    """Refuse nodes of one environment with different values of a deciding variable.

    :arg nodes: the variables of each node.
    :raises UserError: with each variable that differs, and its values.
    """
    variables = list(nodes)
    differing = []
    for deciding in DECIDING:
        values = list(dict.fromkeys(json.dumps(each.get(deciding, ""), default=str) for each in variables))
        if len(values) > 1:
            differing.append("%s %s" % (deciding, " and ".join(values)))
    if differing:
        raise UserError(
            "all hosts with the environment %s to ask for the same" % name,
            ", ".join(differing),
            "give each partition an environment of its own (torch_env_name in its group_vars), or set it for all hosts",
        )


def _name_of(variables: t.Mapping[str, t.Any]) -> str:
    return str(variables.get("torch_env_name", DEFAULT_NAME))


def _flat(value: t.Any) -> t.Iterator[t.Any]:
    """The values in nested lists: ``_flat(["a100", ["h100"]])`` gives a100 and h100; None gives nothing."""
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _flat(each)
    elif value is not None:
        yield value
