# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a report with the last one. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import functools
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import UNKNOWN

from .schema import Change, Changes, Device, Node, Report

# Of a node, what differs between two checks that find the same: times, and output that has addresses and numbers of
# processes in it.
FLEETING = ("checked", "since", "before", "failed_since", "seconds", "devices", "output", "kernel_log")


class Group(t.NamedTuple):
    """Nodes with the same change."""

    what: str
    before: str | None
    after: str | None
    nodes: list[str]


def make_changes(last: Report | None, nodes: t.Sequence[Node]) -> Changes:
    """List the changes from *last* to *nodes*: new and removed nodes, verdicts, versions, devices."""
    if last is None:
        return Changes(since=None, nodes=[])
    before = {node["name"]: node for node in last["nodes"]}
    after = {node["name"]: node for node in nodes}
    found: list[Change] = []
    for name in sorted({*before, *after}, key=natural):
        if name not in before:
            found.append(Change(node=name, what="new", before=None, after=after[name]["verdict"]))
        elif name not in after:
            found.append(Change(node=name, what="gone", before=before[name]["verdict"], after=None))
        else:
            found.extend(
                Change(node=name, what=what, before=old, after=new)
                for what, old, new in _differences(before[name], after[name])
            )
    return Changes(since=last["generated"], nodes=found)


def fold_changes(changes: Changes) -> list[Group]:
    """Group the nodes with the same change: changes of verdicts first, then the largest group."""
    groups: dict[tuple[str, str | None, str | None], list[str]] = {}
    for change in changes["nodes"]:
        groups.setdefault((change["what"], change["before"], change["after"]), []).append(change["node"])
    folded = [Group(*key, nodes) for key, nodes in groups.items()]
    return sorted(folded, key=lambda group: (group.what != "verdict", -len(group.nodes)))


def describe_change(group: Group) -> str:
    """``verdict ok -> failed``."""
    if group.what == "new":
        return "new, %s" % group.after
    if group.what == "gone":
        return "gone, was %s" % group.before
    return "%s %s -> %s" % (group.what, group.before or "none", group.after or "none")


def describe_devices(devices: t.Sequence[Device]) -> str | None:
    """``4 x NVIDIA A100-SXM4-80GB (8.0, 80 GiB)``; None for no device."""
    kinds = collections.Counter(
        "%s%s" % (device["name"] or "unnamed", _details(device["compute_capability"], device["memory"]))
        for device in sorted(devices, key=lambda device: device["index"])
    )
    return "; ".join("%d x %s" % (count, kind) for kind, count in kinds.items()) or None


def differs(last: Report, now: Report) -> bool:
    """Whether the reports differ in anything but times, the changes themselves, and what the nodes printed."""
    return _lasting(last) != _lasting(now)


def _differences(old: Node, new: Node) -> t.Iterator[tuple[str, str | None, str | None]]:
    if old["verdict"] != new["verdict"]:
        yield "verdict", old["verdict"], new["verdict"]
    # Nothing is known about the torch of a node that did not answer.
    if old["verdict"] in UNKNOWN or new["verdict"] in UNKNOWN:
        return
    pairs = (
        ("torch", old["torch"]["version"], new["torch"]["version"]),
        ("CUDA", old["torch"]["cuda"], new["torch"]["cuda"]),
        ("python", old["python"], new["python"]),
        ("driver", old["driver"], new["driver"]),
        ("devices", describe_devices(old["devices"]), describe_devices(new["devices"])),
    )
    for what, before, after in pairs:
        if before != after:
            yield what, before, after


@functools.lru_cache(maxsize=1000)
def _details(capability: str | None, memory: int | None) -> str:
    parts = [capability, None if memory is None else "%.0f GiB" % (memory / 2**30)]
    known = ", ".join(part for part in parts if part)
    return " (%s)" % known if known else ""


def _lasting(report: Report) -> dict[str, t.Any]:
    lasting: dict[str, t.Any] = {
        key: value for key, value in report.items() if key not in ("generated", "last_checked", "changes", "nodes")
    }
    lasting["nodes"] = [
        dict(
            {key: value for key, value in node.items() if key not in FLEETING},
            devices=[{key: value for key, value in device.items() if key != "seconds"} for device in node["devices"]],
        )
        for node in report["nodes"]
    ]
    return lasting
