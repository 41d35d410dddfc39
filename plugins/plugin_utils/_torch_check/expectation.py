# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says about a node's GPUs, for the role torch_check and the report. No I/O.
Private to hpc.pytorch.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common import lines
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.expected import is_slice
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import SITE, SLURM

_LARGEST = 2**63

Variables = t.Mapping[str, t.Any]


class Expectation(t.NamedTuple):
    """The GPUs of a node.

    :arg cuda: whether there are any; None for no expectation.
    :arg devices: how many a process sees; None for no expectation.
    :arg gpu: the types that are declared, also those that nobody can know.
    :arg source: whose word this is: ``slurm`` if all of it comes from Slurm's GRES, otherwise ``site``.
    """

    cuda: bool | None = None
    devices: int | None = None
    gpu: tuple[str, ...] = ()
    source: str = SITE


def expectation(variables: Variables, is_login_only: bool) -> Expectation:
    """Return what the variables hpc_gpu_count, hpc_gpu_type and slurm_gres of a host say. Odd values say nothing.

    A type without a number means at least one GPU, and so do slices of GPUs (MIG): a process sees one of them, however
    many the node has.
    """
    if is_login_only:
        return Expectation(cuda=False)
    count, types = whole(variables.get("hpc_gpu_count")), _texts(variables.get("hpc_gpu_type"))
    gres = _gpus(variables.get("slurm_gres"))
    if count == 0:
        return Expectation(False, 0, (), _source(count, (), gres, variables))
    sliced = any(is_slice(item) for item in [*types, *(kind for kind, dummy in gres)])
    devices = None if sliced else count
    cuda = True if count or types or gres else None
    return Expectation(cuda, devices, types, _source(count, types, gres, variables))


def whole(value: object) -> int | None:
    """Return a number of things as an int: 4 and ``"4"`` are 4; None for everything else."""
    if isinstance(value, str):
        value = lines.whole(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None


def _texts(value: object) -> tuple[str, ...]:
    """The GPU types in a text, a list or nested lists. A capability may be without quotes."""
    if isinstance(value, (str, float)):
        return (str(value),) if str(value).strip() else ()
    return tuple(text for item in value for text in _texts(item)) if isinstance(value, (list, tuple)) else ()


def _gpus(gres: object) -> list[tuple[str, int]]:
    """The types (empty for none) and numbers of the GPUs in the variable slurm_gres."""
    items = [item for item in gres if isinstance(item, t.Mapping)] if isinstance(gres, (list, tuple)) else []
    found = [(str(item.get("type") or ""), whole(item.get("count"))) for item in items if item.get("name") == "gpu"]
    return [(kind, count) for kind, count in found if count]


def _source(count: int | None, types: t.Sequence[str], gres: t.Sequence[tuple[str, int]], variables: Variables) -> str:
    """Whose word the number and the types are. A type that gpu_types translates is the site's."""
    known = {kind for kind, dummy in gres}
    slurms = isinstance(variables.get("slurm_gres"), (list, tuple)) and set(types) <= known
    return SLURM if slurms and count in (None, sum(number for dummy, number in gres)) else SITE
