# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of nodes that an admin pastes into a shell, quoted for it. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import slurm_list

from ..schema import Node, Report

# Any other character may be part of a pattern of Ansible's or of a list of Slurm's.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# Linux takes no longer argument than 128 KiB.
_LONGEST = 120_000


def limit_option(nodes: t.Iterable[Node], groups: t.Container[str]) -> str:
    """``--limit titan01,titan02``; empty if a name would select other nodes too, or if the list is too long.

    :arg groups: the names of groups, which Ansible prefers to hosts of the same name.
    """
    names = [node["name"] for node in nodes]
    if not names or not all(_PLAIN.fullmatch(name) and name not in groups for name in names):
        return ""
    text = "--limit %s" % shlex.quote(",".join(names))
    return text if len(text) <= _LONGEST else ""


def groups_of(report: Report) -> set[str]:
    """The groups that a node's name can be mistaken for."""
    return {"all", "ungrouped", "login", "compute", "other", *(row["name"] for row in report["partitions"])}


def scontrol_update(nodes: t.Iterable[Node]) -> str:
    """``scontrol update NodeName='titan[01-04]' ``, to which a person adds what to set; empty without a node in Slurm.

    As it is, scontrol changes nothing: it answers "No changes specified" (Slurm's src/scontrol/update_node.c).
    """
    names = [node["slurm_node"] for node in nodes if node["slurm_node"] and _PLAIN.fullmatch(node["slurm_node"])]
    if not names:
        return ""
    text = "scontrol update NodeName=%s " % shlex.quote(slurm_list(names))
    return text if len(text) <= _LONGEST else ""
