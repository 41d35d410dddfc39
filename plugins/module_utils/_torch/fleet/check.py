# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call of slurm_torch_info: its options, checked, and one result for each node. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import sys
import typing as t

from ..._common.errors import UserError, shown
from ..._files.paths import require_absolute
from ..._slurm.client import Slurm
from ..._slurm.errors import SlurmError, no_answer
from ..asked import Asked
from ..diagnose.verdict import no_expectations, require_sense
from .arrays import Order, Settings
from .collect import preview, run
from .follow import Limits
from .outcome import not_checked, result_of
from .resources import RESOURCES, arguments as arguments_of

# One word for sbatch and for scontrol, and no list: a node, a partition, an account.
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*")


class NodeOptions(t.NamedTuple):
    """One element of the option nodes."""

    name: str
    asked: Asked
    partition: str | None
    gres: str | None


class Options(t.NamedTuple):
    """The module's options, as slurm_torch_info documents them."""

    nodes: tuple[NodeOptions, ...]
    timeout: int
    device_timeout: int
    wait: int
    chunk: int
    exclusive: bool
    resources: t.Mapping[str, t.Any]
    time: int | None
    work_dir: str
    runner_python: str
    bin_dir: str | None
    powered_down: bool = False

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Read and check the module's parameters.

        :raises UserError: they make no sense.
        """
        nodes = tuple(
            NodeOptions(
                node["name"], Asked(**{name: node[name] for name in Asked._fields}), node["partition"], node["gres"]
            )
            for node in params["nodes"]
        )
        values = {name: params[name] for name in cls._fields if name != "resources"}
        resources = {resource.name: params[resource.name] for resource in RESOURCES}
        python = params["runner_python"] or sys.executable
        options = cls(**dict(values, nodes=nodes, resources=resources, runner_python=python))
        options.check()
        return options

    def check(self) -> None:
        """Refuse what makes no sense, and what Slurm would take for something else."""
        for node in self.nodes:
            _check_node(node)
        names = [node.name for node in self.nodes]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise UserError("each node once", "%s %d times" % (name, names.count(name)), "remove the duplicates")
        for option in ("timeout", "device_timeout", "wait", "chunk", "time"):
            _require_positive(getattr(self, option), option)
        for option, value in self.resources.items():
            if isinstance(value, int):
                _require_positive(value, option)
            else:
                _require_word(value or None, option)
        for option in ("work_dir", "runner_python", "bin_dir"):
            require_absolute(option, getattr(self, option))
        if "%" in self.work_dir or "\\" in self.work_dir:
            raise UserError(
                "work_dir to be a path without a percent sign or a backslash",
                self.work_dir,
                "choose another folder, Slurm replaces these in file names",
            )

    @property
    def orders(self) -> list[Order]:
        """What each node has to do."""
        return [
            Order(
                node.name,
                node.partition,
                node.gres,
                {"asked": node.asked._asdict(), "timeout": self.timeout, "device_timeout": self.device_timeout},
            )
            for node in self.nodes
        ]

    @property
    def settings(self) -> Settings:
        """What applies to every node."""
        arguments = [*(["--exclusive"] if self.exclusive else []), *arguments_of(self.resources)]
        seconds = 60 * self.time if self.time else self.timeout + 60
        limits = Limits(self.wait, seconds)
        return Settings(self.work_dir, self.runner_python, tuple(arguments), self.chunk, limits, self.powered_down)


def check_nodes(options: Options, check_mode: bool, warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Submit and collect: one result for each node, and the arrays.

    :raises UserError: the user is root, the run was interrupted, or there is no Slurm.
    """
    if os.geteuid() == 0:
        raise UserError("an ordinary user", "root", "use become_user, or connect as a user of the cluster")
    for text in no_expectations(node.asked for node in options.nodes):
        warn(text)
    names = [node.name for node in options.nodes]
    orders, settings = options.orders, options.settings
    slurm = Slurm(options.bin_dir)
    try:
        if check_mode:
            return {
                "nodes": {name: not_checked(name) for name in names},
                "arrays": preview(slurm, orders, settings) if orders else [],
            }
        outcomes, arrays = run(slurm, orders, settings, warn) if orders else ([], [])
    except SlurmError as error:
        raise no_answer(error) from error
    return {"nodes": {name: result_of(name, outcome) for name, outcome in zip(names, outcomes)}, "arrays": arrays}


def _check_node(node: NodeOptions) -> None:
    require_sense(node.asked)
    _require_word(node.name, "name")
    require_absolute("prefix", node.asked.prefix)
    require_absolute("python", node.asked.python)
    _require_word(node.partition or None, "partition", lists=True)
    _require_word(node.gres or None, "gres", lists=True)


def _require_positive(value: int | None, option: str) -> None:
    if value is not None and value < 1:
        raise UserError("%s to be at least 1" % option, str(value), "correct it, or leave it out")


def _require_word(value: str | None, option: str, lists: bool = False) -> None:
    """Refuse what Slurm, or scontrol when it reads a line, would take for something else."""
    if value is not None and not all(_WORD.fullmatch(part) for part in (value.split(",") if lists else [value])):
        raise UserError("%s to be a plain name" % option, shown(value), "write it as Slurm shows it")
