# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directives for the Slurm of a cluster. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, shown
from .options import in_order
from .script_text import Directives
from .table import BY_DIRECTIVE
from .taken import is_known, verdict, words
from .together import clashes
from .verdicts import REFUSED

# The options that have no row in the table.
_SINCE = {"gpus-per-socket": (19, 5)}


def parse(given: str | None) -> tuple[int, ...] | None:
    """Read the version of a Slurm: ``parse("22.05.8")`` is ``(22, 5, 8)``.

    :raises UserError: *given* is not a version.
    """
    if given is None:
        return None
    if not re.fullmatch(r"\d{2}\.\d{1,2}(\.\d+)*", given, re.ASCII):
        raise UserError(
            "slurm_version to be a version such as 22.05 or 22.05.8, in quotes", shown(given), "run sbatch --version"
        )
    return tuple(int(number) for number in given.split("."))


def fit(asked: Directives, version: t.Sequence[int] | None) -> Directives:
    """Change the directives for that Slurm: before 19.05, GPUs per node are --gres.

    :arg version: None if it is not known.
    :raises UserError: a directive that such a Slurm does not have or take, or directives that it refuses together.
    """
    if version is None:
        _require_taken(asked, None)
        return asked
    release = tuple(version[:2])
    wanted = dict(asked)
    if "gpus-per-node" in wanted and release < (19, 5):
        items = ["gpu:" + item for item in str(wanted.pop("gpus-per-node")).split(",")]
        wanted["gres"] = ",".join([str(wanted["gres"])] + items if "gres" in wanted else items)
    for name in wanted:
        option = BY_DIRECTIVE.get(name)
        since = option.since if option else _SINCE.get(name, (0, 0))
        if release < since:
            raise UserError(
                "options that Slurm %s has" % ".".join(str(number) for number in version),
                "%s, which Slurm %d.%02d introduced" % (name.replace("-", "_"), *since),
                "request the GPUs of each node with gres or gpus_per_node, and CPUs and memory without GPUs",
            )
    _require_taken(wanted, version)
    return in_order(wanted)


def _require_taken(asked: Directives, version: t.Sequence[int] | None) -> None:
    which = "Slurm %s" % ".".join(str(number) for number in version) if version else "sbatch"
    given = {name: None if value is True else str(value) for name, value in asked.items()}
    for name, value in given.items():
        option = name.replace("-", "_") if name in BY_DIRECTIVE else "%s in directives" % name
        if not is_known(name, version):
            raise UserError("options that %s has" % which, option, "leave it out")
        if verdict(name, value, version) == REFUSED:
            expected, example = words(name)
            remedy = "give for example %s: %s" % (option.partition(" ")[0], example)
            raise UserError("%s to be %s, as %s takes it" % (option, expected, which), shown(value), remedy)
    for names, why, remedy in clashes(given, version):
        found = " and ".join(name.replace("-", "_") for name in names)
        raise UserError("options that %s takes together" % which, "%s: %s" % (found, why), remedy.replace("--", ""))
