# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's settings that matter here, from ``scontrol show config``. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.lines import whole
from .cluster import parse_version

_FORGETS_AFTER = 300
# More seconds than any job is old.
_NEVER = 2**40


class Settings(t.NamedTuple):
    """Some of the controller's settings.

    :arg cluster: name of the cluster.
    :arg remembers: how many seconds the controller knows a job that has ended.
    :arg accounting: whether jobs are recorded in a database, which sacct reads.
    :arg version: of Slurm, such as (22, 5, 8); empty if it is not known.
    """

    cluster: str
    remembers: float
    accounting: bool
    version: tuple[int, ...] = ()


def settings_of(config: t.Mapping[str, str]) -> Settings:
    """Read them from the pairs of ``scontrol show config``."""
    seconds = whole((config.get("MinJobAge", "").split() or [""])[0])
    if seconds == 0:
        # https://slurm.schedmd.com/slurm.conf.html#OPT_MinJobAge: "A value of zero prevents any job record purging."
        seconds = _NEVER
    return Settings(
        config.get("ClusterName", ""),
        float(_FORGETS_AFTER if seconds is None else seconds),
        accounting_storage(config) != "none",
        parse_version(config.get("SLURM_VERSION", "")),
    )


def hides_nodes(config: t.Mapping[str, str]) -> bool:
    """Whether ordinary users see no nodes: https://slurm.schedmd.com/slurm.conf.html#OPT_PrivateData."""
    return "nodes" in config.get("PrivateData", "").lower().split(",")


def suspends_nodes(config: t.Mapping[str, str]) -> bool:
    """Whether Slurm powers nodes down: https://slurm.schedmd.com/slurm.conf.html#OPT_SuspendProgram."""
    return config.get("SuspendProgram", "(null)") not in ("", "(null)")


def accounting_storage(config: t.Mapping[str, str]) -> str:
    """``accounting_storage/slurmdbd`` is ``slurmdbd``; ``none`` without a database, for which Slurm has many words."""
    storage = config.get("AccountingStorageType", "").lower().split("/")[-1]
    # Since 23.11 "(null)" is what was accounting_storage/none.
    return "none" if storage in ("", "(null)") else storage
