# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session on one node may ask of a cluster: everything that Slurm takes, and nothing else. No I/O.

Private to hpc.pytorch.

A choice is a box: a partition, a type of GPU, and the most GPUs, processors and memory that one of its nodes has
together, with the features of that node. Nodes of several shapes give several boxes, so that no box promises the GPUs
of one node and the memory of another. What no box contains, ``sbatch --test-only`` refuses: tests/judges asks it.
"""

from __future__ import annotations

import typing as t

from .value import value_of

# A node in one of these states or with one of these flags runs no job until it is repaired.
_OUT_STATES = frozenset(("down", "error", "future", "unknown"))
_OUT_FLAGS = frozenset(("drain", "fail", "invalid_reg", "not_responding"))


class Rules(t.NamedTuple):
    """What the site says about its sessions.

    :arg max_hours: the longest session, in hours.
    :arg accounts: the accounts that a user may choose; empty for none: Slurm takes the user's own.
    :arg qos: the qualities of service that a user may choose; empty for none.
    :arg submit_host: the name of the portal in Slurm.
    :arg exclude: partitions that the form leaves out.
    :arg features: the features of nodes that a user may choose; empty for none.
    """

    max_hours: int
    accounts: tuple[str, ...] = ()
    qos: tuple[str, ...] = ()
    submit_host: str = ""
    exclude: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


class Choice(t.NamedTuple):
    """A partition and a type of GPU, with the most that a session there may have.

    :arg value: the choice's name in the form.
    :arg gpu_type: None without GPUs, or if the site does not tell types apart.
    :arg memory_gb: in GiB; 0 if a node has less than one, and a session then asks for none.
    :arg groups: the Unix groups whose members may choose it; None for everyone.
    :arg accounts: the accounts that it takes, of those that a user may choose.
    :arg qos: the same for qualities of service.
    :arg features: what a node has that has all the rest, of the features that a user may choose.
    """

    value: str
    partition: str
    gpu_type: str | None
    gpus: int
    cpus: int
    memory_gb: int
    hours: int
    groups: tuple[str, ...] | None
    accounts: tuple[str, ...]
    qos: tuple[str, ...]
    default: bool
    features: tuple[str, ...] = ()


class Choices(t.NamedTuple):
    """All choices, and why partitions are left out.

    :arg left_out: partition and reason.
    """

    choices: tuple[Choice, ...]
    left_out: t.Mapping[str, str]


class _Box(t.NamedTuple):
    gpu_type: str | None
    gpus: int
    cpus: int
    memory_gb: int
    features: tuple[str, ...] = ()


def choices_of(slurm: t.Mapping[str, t.Any], rules: Rules) -> Choices:
    """The choices on a cluster.

    :arg slurm: what module slurm_info returned with access=true.
    """
    nodes = {node["name"]: node for node in slurm["nodes"]}
    found: list[Choice] = []
    left_out: dict[str, str] = {}
    for partition in slurm["partitions"]:
        here = [nodes[name] for name in partition["nodes"] if name in nodes and _in_service(nodes[name])]
        why = _why_left_out(partition, here, rules)
        if why:
            left_out[partition["name"]] = why
            continue
        boxes = _largest({box for node in here for box in _boxes(node, partition["access"], rules)})
        found += [_choice(partition, box, boxes, rules) for box in boxes]
    return Choices(tuple(sorted(found, key=lambda choice: not choice.default)), left_out)


def allows(
    choices: t.Iterable[Choice], partition: str, box: tuple[str | None, int, int, int], hours: int, feature: str = ""
) -> bool:
    """Whether a choice contains a request.

    :arg box: type of GPU, GPUs, processors, memory in GiB.
    :arg feature: that the node must have; empty for none.
    """
    wanted = _Box(*box, (feature,) if feature else ())
    return any(
        choice.partition == partition
        and hours <= choice.hours
        and _fits(wanted, _Box(choice.gpu_type, choice.gpus, choice.cpus, choice.memory_gb, choice.features))
        for choice in choices
    )


def _in_service(node: t.Mapping[str, t.Any]) -> bool:
    return node["state"] not in _OUT_STATES and not _OUT_FLAGS.intersection(node["flags"])


def _why_left_out(
    partition: t.Mapping[str, t.Any], nodes: t.Sequence[t.Mapping[str, t.Any]], rules: Rules
) -> str | None:
    """Why a partition is not offered, a phrase; None if it is."""
    access = partition["access"]
    hours = partition["max_minutes"]
    reasons = (
        (partition["name"] in rules.exclude, "the site leaves it out"),
        (partition["state"] != "up", "its state is %s" % partition["state"]),
        (access["hidden"], "it is hidden"),
        (access["root_only"], "only root may submit to it"),
        (access["needs_reservation"], "a job there needs a reservation"),
        (partition["min_nodes"] > 1, "a job there has at least %d nodes" % partition["min_nodes"]),
        (hours is not None and hours < 60, "a job there runs for less than an hour"),
        (
            access["submit_hosts"] is not None and rules.submit_host not in access["submit_hosts"],
            "jobs for it are submitted on other hosts",
        ),
        (
            bool(rules.accounts or access["accounts"] is not None)
            and not _allowed(rules.accounts, access["accounts"], access["denied_accounts"]),
            "it takes none of the form's accounts",
        ),
        (
            bool(rules.qos or access["qos"] is not None)
            and not _allowed(rules.qos, access["qos"], access["denied_qos"]),
            "it takes none of the form's qualities of service",
        ),
        (not nodes, "none of its nodes is in service"),
    )
    return next((why for left_out, why in reasons if left_out), None)


def _allowed(names: t.Sequence[str], allowed: t.Collection[str] | None, denied: t.Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if (allowed is None or name in allowed) and name not in denied)


def _boxes(node: t.Mapping[str, t.Any], access: t.Mapping[str, t.Any], rules: Rules) -> t.Iterator[_Box]:
    """What a job may have of a node: with each type of GPU, and without any."""
    cpus, memory = node["job_cpus"], node["job_memory_mb"]
    cpus = min(cpus, access["max_cpus"] or cpus)
    memory = min(memory, access["max_memory_mb"] or memory) // 1024
    features = tuple(name for name in rules.features if name in node["features"])
    yield _Box(None, 0, cpus, memory, features)
    for gres in node["gres"]:
        if gres["name"] == "gpu":
            yield _Box(gres["type"], gres["count"], cpus, memory, features)


def _largest(boxes: t.Collection[_Box]) -> list[_Box]:
    """The boxes that fit into no other one: by type of GPU, those with the most GPUs first."""
    kept = [box for box in boxes if not any(box != other and _fits(box, other) for other in boxes)]
    return sorted(
        kept, key=lambda box: (box.gpus == 0, box.gpu_type or "", -box.gpus, -box.cpus, -box.memory_gb, box.features)
    )


def _fits(box: _Box, other: _Box) -> bool:
    """Whether a node that has *other* has *box*. A session without GPUs fits wherever there are any."""
    return (
        (box.gpus == 0 or box.gpu_type == other.gpu_type)
        and box.gpus <= other.gpus
        and box.cpus <= other.cpus
        and box.memory_gb <= other.memory_gb
        and set(box.features) <= set(other.features)
    )


def _choice(partition: t.Mapping[str, t.Any], box: _Box, boxes: t.Sequence[_Box], rules: Rules) -> Choice:
    access = partition["access"]
    minutes = partition["max_minutes"]
    same = [other for other in boxes if (other.gpu_type, bool(other.gpus)) == (box.gpu_type, bool(box.gpus))]
    words = [partition["name"]]
    if len(boxes) > 1:
        words.append(box.gpu_type or ("gpu" if box.gpus else ""))
    if len(same) > 1:
        # Shapes are named after what they have: a name stays the same when another shape is added.
        words.append("%dx%dx%d" % (box.gpus, box.cpus, box.memory_gb))
    if any(other != box and other[:-1] == box[:-1] for other in boxes):
        words += ["with", *box.features]
    return Choice(
        value=value_of([word for word in words if word]),
        partition=partition["name"],
        gpu_type=box.gpu_type,
        gpus=box.gpus,
        cpus=box.cpus,
        memory_gb=box.memory_gb,
        hours=rules.max_hours if minutes is None else min(minutes // 60, rules.max_hours),
        groups=None if access["groups"] is None else tuple(access["groups"]),
        accounts=_allowed(rules.accounts, access["accounts"], access["denied_accounts"]),
        qos=_allowed(rules.qos, access["qos"], access["denied_qos"]),
        default=partition["default"],
        features=box.features,
    )
