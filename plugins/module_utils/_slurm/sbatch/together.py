# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of sbatch that it refuses together, or without another one. No I/O. Private to hpc.pytorch.

Each rule was tried with Slurm 22.05 and 24.11, and tests/judges tries it again.
"""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError
from ..model.hostlist import unfold
from .verdicts import NEW, OLD, holds, releases

# Values by the names of options; of a flag True or None.
Given = t.Mapping[str, t.Union[str, bool, None]]


class Clash(t.NamedTuple):
    """Options that sbatch refuses together.

    :arg names: those that are there; the last of them in the script is the one to report.
    """

    names: tuple[str, ...]
    why: str
    remedy: str


# At most one of each; from which release.
_ONE_OF = (
    (("mem", "mem-per-cpu", "mem-per-gpu"), ""),
    (("cpus-per-task", "cpus-per-gpu"), ""),
    (("gpus-per-task", "ntasks-per-gpu"), ""),
    (("ntasks-per-node", "ntasks-per-gpu"), ""),
    (("gpus-per-socket", "ntasks-per-gpu"), ""),
    (("core-spec", "thread-spec"), ""),
    (("exclusive", "oversubscribe"), NEW),
)
# One of the others must be there too; from which release.
_NEEDS = (
    ("mem-per-gpu", ("gpus", "gpus-per-node", "gpus-per-task", "ntasks-per-gpu"), ""),
    ("ntasks-per-gpu", ("gpus", "gpus-per-node", "ntasks", "nodes"), ""),
    ("cpus-per-gpu", ("gpus", "gpus-per-node", "gpus-per-task", "ntasks-per-gpu"), NEW),
    ("gpus-per-task", ("ntasks", "nodes", "gpus"), NEW),
    ("gpus-per-task", ("ntasks", "ntasks-per-node", "nodes", "gpus"), ""),
    ("tres-per-task", ("ntasks", "nodes", "gpus"), ""),
    ("gpus-per-socket", ("sockets-per-node", "extra-node-info"), ""),
)


def clashes(given: Given, slurm: t.Sequence[int] | None = None) -> list[Clash]:
    """The options that sbatch refuses together: ``clashes({"mem": "4G", "mem-per-cpu": "1G"})`` has one element.

    :arg slurm: the version of Slurm. If it is not known, only what every tried release refuses.
    """
    tried = releases(slurm)
    found: list[Clash] = []
    for names, since in _ONE_OF:
        there = tuple(name for name in names if name in given)
        if len(there) > 1 and all(holds(release, since) for release in tried):
            found.append(Clash(there, "sbatch takes one of them", "keep one of them"))
    for name, others, since in _NEEDS:
        if not _asks(given, name, tried) or not all(holds(release, since) for release in tried):
            continue
        counting = [other for other in others if _counts(given, other)]
        useless = (
            counting == ["gpus"]
            and name == "gpus-per-task"
            and all(_of_other_types(given, release) for release in tried)
        )
        if useless or (not counting and not ("gpus" in others and _has_gpu(given, name))):
            why = "sbatch takes it only together with %s" % " or ".join("--" + other for other in others)
            if useless:
                why = "no GPU of --gpus has its type, so it is not known how many tasks there are"
            if name not in [clash.names[0] for clash in found]:
                found.append(Clash((name,), why, "give --%s too" % others[0]))
    if "resv-ports" in given and "stepmgr" not in given:
        found.append(Clash(("resv-ports",), "sbatch takes it only together with --stepmgr", "give --stepmgr too"))
    if str(given.get("distribution")).lower() == "arbitrary" and not ("nodelist" in given or "nodefile" in given):
        found.append(Clash(("distribution",), "sbatch takes arbitrary only with --nodelist", "give --nodelist too"))
    most = re.fullmatch(r"(?:\d{1,9}-)?(\d{1,9})", str(given.get("nodes")), re.ASCII)
    named = _nodes({"nodelist": given.get("nodelist")})[0]
    if most and named > int(most[1]) and tuple(tried) == (OLD,):
        found.append(Clash(("nodes", "nodelist"), "the list has more nodes", "leave --nodes out"))
    of_gpus = [list(_of_gpus(_requests(given, release), given)) for release in tried]
    return [*found, *(of_gpus[0] if all(of_gpus) else ())]


# A request for GPUs: a number, or a type with or without one.
_GPU = re.compile(r"(?:([A-Za-z_][\w.+-]*|\d\w*[A-Za-z.][\w.+-]*|\d+(?=:))(?:[:=]|\Z))?(\d{0,9})", re.ASCII)
_OF_NODE = ("gpus-per-node", "gres")
_REQUESTS = ("gpus", *_OF_NODE, "gpus-per-task", "gpus-per-socket")


def _requests(given: Given, release: str) -> dict[str, dict[str | None, int]]:
    """The number of GPUs by type, of each option that asks for some."""
    return {name: _requested(name, _read(name, str(given[name]), release)) for name in _REQUESTS if name in given}


def _read(name: str, value: str, release: str) -> str:
    """What a release reads of a value: 24.11 only the first TYPE:NUMBER of --gpus-per-task, and no type alone."""
    if name != "gpus-per-task" or release == OLD:
        return value
    first = value.partition(",")[0]
    return first if re.search(r"(\A|[:=])\d+\Z", first, re.ASCII) else ""


def _of_gpus(requests: t.Mapping[str, dict[str | None, int]], given: Given) -> t.Iterator[Clash]:
    """All requests for GPUs have a type, or none; those of the job are a multiple of those of a node."""
    typed = [name for name, types in requests.items() if None not in types and types]
    plain = [name for name, types in requests.items() if None in types]
    if typed and plain:
        why = "sbatch takes a type of GPU in all of them or in none"
        yield Clash((typed[0], plain[0]), why, "leave one of them out, or give the type in both")
        return
    total = requests.get("gpus", {})
    nodes, by = _nodes(given)
    if any(count < nodes for count in total.values()):
        yield Clash(("gpus", by), "the job has fewer GPUs than nodes", "give --gpus-per-node instead of --gpus")
        return
    tasks = re.fullmatch(r"\d{1,9}", str(given.get("ntasks")), re.ASCII)
    for kind, each in requests.get("gpus-per-task", {}).items():
        if tasks and total.get(kind, each * int(tasks[0])) != each * int(tasks[0]):
            why = "the GPUs of the job are not those of all tasks"
            yield Clash(("gpus-per-task", "ntasks", "gpus"), why, "leave --gpus out")
            return
    for name in _OF_NODE:
        for kind, count in requests.get(name, {}).items():
            if count and total.get(kind, 0) % count:
                why = "the GPUs of the job are no multiple of those of a node"
                yield Clash((name, "gpus"), why, "leave --gpus out, and give the number of nodes")
                return


def _nodes(given: Given) -> tuple[int, str]:
    """The least number of nodes, and the option that gives it; 0 without one."""
    least = re.match(r"\d{1,9}(?![\d,km])", str(given.get("nodes")), re.ASCII | re.IGNORECASE)
    if least or "nodes" in given:
        return int(least[0]) if least else 0, "nodes"
    try:
        named = str(given.get("nodelist") or "")
        return 0 if "/" in named else len(unfold(named)), "nodelist"
    except UserError:
        return 0, "nodelist"


def _requested(name: str, value: str) -> dict[str | None, int]:
    """The number of GPUs by type, None without one; empty if the value is no plain request."""
    counts: dict[str | None, int] = {}
    for item in value.split(","):
        if name == "gres":
            found = re.match(r"(?:gres[:/])?gpu(?:[:=]|\Z)", item)
            if not found:
                continue
            item = item[found.end() :]
        one = _GPU.fullmatch(item)
        if one and (item or name == "gres"):
            counts[one[1]] = int(one[2] or 1)
    return {kind: count for kind, count in counts.items() if count}


def _asks(given: Given, name: str, tried: t.Sequence[str]) -> bool:
    """Whether an option that needs others asks for something: ``--gpus-per-task=0`` does not."""
    if not _counts(given, name):
        return False
    value = str(given[name])
    if name == "tres-per-task":
        return re.search(r"(^|,)gres[:/].*[:=]0*[1-9]", value) is not None
    # Since 24.11 a type alone asks for nothing.
    number = re.match(r"([\w.+-]*[:=])?\+?0*[1-9]\d{0,8}(?!\d)", value, re.ASCII)
    return name != "gpus-per-task" or tuple(tried) == (OLD,) or number is not None


def _counts(given: Given, name: str) -> bool:
    """Whether an option is there, and is not zero; of nodes, one number."""
    value = str(given.get(name, "0"))
    if name == "nodes":
        return re.fullmatch(r"0*[1-9]\d*", value, re.ASCII) is not None
    return re.fullmatch(r"(.*[:=])?0*[KMGTB]*|,*", value, re.IGNORECASE) is None


def _of_other_types(given: Given, release: str) -> bool:
    """Whether --gpus has no type of --gpus-per-task: then its number does not give the number of tasks."""
    requests = _requests(given, release)
    total, each = requests["gpus"], requests["gpus-per-task"]
    return None not in total and None not in each and bool(total) and bool(each) and not set(total) & set(each)


def _has_gpu(given: Given, name: str) -> bool:
    """Whether --gres asks for GPUs; --gpus-per-task does not count them."""
    if name in ("gpus-per-task", "tres-per-task"):
        return False
    items = str(given.get("gres") or "").lower().split(",")
    return any(re.match(r"(gres[:/])?gpu([:=]|$)", item) and not re.search(r"[:=]0+$", item) for item in items)
