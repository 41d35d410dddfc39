# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects the nodes, their partitions and their results from Ansible's variables. Private to hpc.pytorch.

Only a few inventory variables per host are templated; at 1,000 hosts that saves a minute.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleError

from .normalise import make_expectation, make_node
from .schema import Node

EXPECTATIONS = ("torch_check_expect_devices", "torch_check_expect_cuda", "hpc_gpu_count", "hpc_gpu_type")
IN_SLURM = ("torch_check_slurm_node", "slurm_node")
FACT = "torch_check_result"


def collect(
    hosts: t.Sequence[str],
    groups: t.Mapping[str, t.Sequence[str]],
    partitions: t.Sequence[str],
    hostvars: t.Any,
    checked: str,
) -> t.Iterator[Node]:
    """Yield every host of the run, and every other host of the groups login and compute.

    :arg hosts: of this run.
    :arg partitions: the child groups of compute.
    :arg hostvars: Ansible's variable of this name.
    """
    run = set(hosts)
    login, compute = set(groups.get("login", ())), set(groups.get("compute", ()))
    membership: dict[str, list[str]] = {}
    for name in partitions:
        for host in groups.get(name, ()):
            membership.setdefault(host, []).append(name)
    for host in dict.fromkeys([*groups.get("compute", ()), *groups.get("login", ()), *hosts]):
        variables = hostvars[host]
        raw = variables._vars if hasattr(variables, "_vars") else variables
        names = membership.get(host, ["compute"] if host in compute else [])
        names = names + ["login"] if host in login else names
        expected = {key: variables[key] for key in EXPECTATIONS if key in raw}
        # Set by the inventory slurm, never a template.
        expected["slurm_gres"] = raw.get("slurm_gres")
        yield make_node(
            host,
            names or ["other"],
            make_expectation(expected, host in login and host not in compute),
            raw.get(FACT) if host in run else None,
            checked if host in run else None,
            _name_in_slurm(host, raw, variables) if host in compute else None,
        )


def _name_in_slurm(host: str, raw: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> t.Any:
    named = next((key for key in IN_SLURM if key in raw), None)
    # A check over ssh never reads the variable: one that makes no sense is not a reason to have no report.
    with contextlib.suppress(AnsibleError):
        return variables[named] if named else host.partition(".")[0]
    return None


def partitions_of(groups: t.Mapping[str, t.Sequence[str]], hostvars: t.Any) -> list[str]:
    """The child groups of compute. If Ansible does not expose them, the groups whose hosts are all in compute."""
    inventory = getattr(hostvars, "_inventory", None)
    group = inventory.groups.get("compute") if inventory is not None else None
    if group is not None:
        return sorted(child.name for child in group.child_groups)
    compute = set(groups.get("compute", ()))
    return sorted(name for name, hosts in groups.items() if name != "compute" and hosts and compute.issuperset(hosts))


def name_inventory(sources: t.Sequence[str]) -> str:
    """``campus`` for inventories/campus and for inventories/campus/hosts.yml."""
    names = []
    for source in sources:
        if "," in source:
            names.append(source.rstrip(","))
            continue
        parts = [part for part in source.split("/") if part]
        stem = parts[-1].rpartition(".")[0] or parts[-1] if parts else ""
        names.append(parts[-2] if stem in ("hosts", "inventory") and len(parts) > 1 else stem)
    return ", ".join(name for name in names if name) or "no inventory"
