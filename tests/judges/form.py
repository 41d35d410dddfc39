# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of Open OnDemand against real Slurms: what it offers they accept, and what it leaves out they refuse.

Every request that a session can make has a partition, a type of GPU, numbers of GPUs, processors, GiB and hours, and a
feature of the node or none.
Of each number the bounds count: 1, the most of each choice, and one more. ``sbatch --test-only`` says for each
combination whether Slurm takes it; the choices say whether the form offers it. Both must agree. Ruby reads the form as
Open OnDemand does, and what it makes of a choice is what sbatch is asked.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import random
import subprocess
import tempfile
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import parse_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.info import describe
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.pairs import parse_config
from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.app import App, files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.choices import (
    Choice,
    Choices,
    Rules,
    allows,
    choices_of,
)
from directives import FOLDER
from slurm import Slurm, Verdict

# "" is the cluster of generated directives.
CLUSTERS = ("", "campus", "mixed", "odd")
# Of the user who asks, see inside/ask.sh.
_GROUPS = frozenset(("nogroup", "games"))
_RULES = Rules(max_hours=100, submit_host="judge", features=("ib", "rack1", "nowhere"))
# The form leaves these out although sbatch takes a job: Slurm shows them to no user, or lets the job wait.
_NOT_REFUSED = ("it is hidden", "its state is down")
_RENDER = pathlib.Path(FOLDER).parent / "unit" / "ondemand" / "render.rb"


class Request(t.NamedTuple):
    """What a session asks for. Without GPUs it has no type; 0 GiB asks for no memory; any node has the feature ""."""

    partition: str
    gpu_type: str | None
    gpus: int
    cpus: int
    memory_gb: int
    hours: int
    feature: str = ""

    def arguments(self) -> list[str]:
        """For sbatch, as Open OnDemand gives them."""
        words = ["--partition=%s" % self.partition, "--nodes=1", "--ntasks=1", "--cpus-per-task=%d" % self.cpus]
        if self.memory_gb:
            words.append("--mem=%dG" % self.memory_gb)
        if self.gpus:
            words.append("--gres=%s:%d" % ("gpu:" + self.gpu_type if self.gpu_type else "gpu", self.gpus))
        if self.feature:
            words.append("--constraint=%s" % self.feature)
        return words

    def script(self) -> str:
        """A job script with these arguments."""
        lines = ["#SBATCH %s" % word for word in [*self.arguments(), "--time=%d:00:00" % self.hours]]
        return "\n".join(["#!/bin/sh", *lines, "true", ""])


class Result(t.NamedTuple):
    """What came of a cluster.

    :arg wrong: a line for each disagreement.
    """

    offered: int
    left_out: int
    wrong: list[str]


def check(slurm: Slurm, seed: int, count: int) -> Result:
    """Compare the form of a cluster with its Slurm.

    :arg count: the combinations that are tried on top of the bounds of each choice.
    """
    config = slurm.show("config")
    cluster = parse_cluster(config, slurm.show("partition"), slurm.show("node"), access=True)
    facts = describe(cluster, parse_config(config), None, None, access=True)
    found = choices_of(facts, _RULES)
    mine = [choice for choice in found.choices if choice.groups is None or _GROUPS.intersection(choice.groups)]
    rest = [request for request in requests(facts, found) if request not in bounds(mine)]
    tried = [*bounds(mine), *random.Random(seed).sample(rest, min(count, len(rest)))]
    offered = [request for request in tried if _is_allowed(request, mine)]
    wrong = of_the_form(facts, found.choices, offered)
    for request, verdict in zip(tried, slurm.ask([request.script() for request in tried])):
        if (verdict.status == 0) != (request in offered):
            wrong.append(_disagreement(request, verdict))
    return Result(len(offered), len(tried) - len(offered), wrong)


def _is_allowed(request: Request, choices: t.Sequence[Choice]) -> bool:
    return allows(choices, request.partition, request[1:5], request.hours, request.feature)


def bounds(choices: t.Sequence[Choice]) -> list[Request]:
    """Of each choice the least, the most, and each number one above the most, next to the most and to the least.

    The least and the most with each feature, too.
    """
    found: list[Request] = []
    for choice in choices:
        most = Request(
            choice.partition,
            choice.gpu_type if choice.gpus else None,
            choice.gpus,
            choice.cpus,
            choice.memory_gb,
            choice.hours,
        )
        least = Request(choice.partition, most.gpu_type, min(1, choice.gpus), 1, min(1, choice.memory_gb), 1)
        found += [most, least, least._replace(gpu_type=None, gpus=0)]
        found += [one._replace(feature=feature) for feature in _RULES.features for one in (most, least)]
        above = ["cpus", "memory_gb", *(["gpus"] if choice.gpus else [])]
        above += ["hours"] if choice.hours < _RULES.max_hours else []
        found += [one._replace(**{name: getattr(most, name) + 1}) for name in above for one in (most, least)]
    return list(dict.fromkeys(found))


def requests(facts: t.Mapping[str, t.Any], found: Choices) -> list[Request]:
    """Every combination of the bounds of a partition, with every type of GPU of the cluster."""
    types = {gres["type"] for gres in facts["gres"] if gres["name"] == "gpu"}
    every: list[Request] = []
    for partition in facts["partitions"]:
        if found.left_out.get(partition["name"]) in _NOT_REFUSED:
            continue
        here = [choice for choice in found.choices if choice.partition == partition["name"]]
        own = {gres["type"] for gres in partition["gres"] if gres["name"] == "gpu"}
        # The form names the type where there are types; gpu:1 of any type is no request of a session.
        kinds = [kind for kind in types if kind is not None or own <= {None}]
        for kind in sorted(kinds, key=str):
            gpus = _with_more(choice.gpus for choice in here if choice.gpu_type == kind and choice.gpus)
            every += _combined(partition["name"], kind, gpus, here)
        every += _combined(partition["name"], None, [0], here)
    return every


def _combined(
    partition: str, kind: str | None, gpus: t.Iterable[int], choices: t.Sequence[Choice]
) -> t.Iterator[Request]:
    cpus = _with_more(choice.cpus for choice in choices)
    # Where a node has less than 1 GiB a session asks for no memory.
    memory = [0] if choices and not any(choice.memory_gb for choice in choices) else []
    memory += _with_more(choice.memory_gb for choice in choices)
    hours = _with_more(choice.hours for choice in choices if choice.hours < _RULES.max_hours)
    for values in itertools.product(gpus, cpus, memory, hours, ["", *_RULES.features]):
        yield Request(partition, kind, *values)


def _with_more(numbers: t.Iterable[int]) -> list[int]:
    given = set(numbers)
    return sorted({1} | (given - {0}) | {number + 1 for number in given})


def of_the_form(facts: t.Mapping[str, t.Any], choices: t.Sequence[Choice], offered: t.Sequence[Request]) -> list[str]:
    """Where the files for Open OnDemand say something else than the choices."""
    selections = []
    for request in offered:
        choice = next(one for one in choices if _is_allowed(request, [one]))
        fields = {"num_gpus": request.gpus, "num_cores": request.cpus, "memory_gb": request.memory_gb or 1}
        fields.update(bc_num_hours=request.hours, feature=request.feature)
        selections.append({"node_type": choice.value, **{name: str(value) for name, value in fields.items()}})
    answer = rendered(files(facts, App("JupyterLab", "A test", "", "/opt/conda"), _RULES), selections)
    shown = [option[1] for option in answer["form"]["attributes"]["node_type"]["options"]]
    wrong = [] if shown == [one.value for one in choices if one.groups is None] else ["the form shows %s" % shown]
    for request, made in zip(offered, answer["submitted"]):
        if made != {"script": {"native": request.arguments()}}:
            wrong.append("submit.yml.erb makes %s of %s" % (made, request))
    return wrong


def rendered(texts: t.Mapping[str, str], selections: t.Sequence[t.Mapping[str, str]]) -> dict[str, t.Any]:
    """What Ruby reads in the files of the app, and makes of each selection."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
        command = ["ruby", str(_RENDER), folder]
        done = subprocess.run(command, input=json.dumps(selections), stdout=subprocess.PIPE, text=True, check=True)
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def _disagreement(request: Request, verdict: Verdict) -> str:
    ours = (
        "the form leaves it out, and sbatch accepts"
        if verdict.status == 0
        else "the form offers it, and sbatch refuses"
    )
    return "%s %s: %s" % (ours, request, verdict.message.strip())
