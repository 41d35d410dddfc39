# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the compute capability of a GPU by its name. Private to hpc.pytorch."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.capabilities import is_capability
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import is_amd, model_of, read
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Tables

# One for each generation.
_COMMON = ("titan-v", "a100", "h100")


def capability(name: str, tables: Tables) -> str:
    """Return the compute capability of *name*: ``7.0`` for ``Tesla V100-SXM2-32GB``, ``titan-v`` or ``7.0``.

    :raises UserError: the name is unknown or ambiguous.
    """
    if is_capability(name):
        return name
    if not isinstance(name, str) or not name.strip():
        remedy = "put quotes around it" if isinstance(name, (int, float)) else "give a name or a capability"
        raise UserError('the name of a GPU type, or a compute capability in quotes such as "7.0"', repr(name), remedy)
    reading = read(name, tables.models)
    if len(reading.capabilities) == 1:
        return reading.capabilities[0]
    for known, several in tables.ambiguous.items():
        if reading.models == tuple(map(model_of, several)) or model_of(name) == model_of(known):
            raise UserError(
                "the name of one GPU type",
                "%s, which %s are called"
                % (name, ", ".join("%s (%s)" % (one, _known(one, tables)) for one in several)),
                'name one of them, or a compute capability such as "7.0";'
                " nvidia-smi --query-gpu=name,compute_cap --format=csv shows both",
            )
    if is_amd(name):
        raise UserError(
            "an NVIDIA GPU",
            "%s, and there is no data about ROCm builds" % name,
            "leave it out, and declare the packages of that env yourself",
        )
    raise UserError(
        "a known GPU type, such as %s" % ", ".join(_nearest(name, tables)),
        name,
        'correct it, or give its compute capability such as "7.0",'
        ' or add a row {gpus: [{names: [%s], capability: "X.Y"}]} to rows' % model_of(name),
    )


def _nearest(name: str, tables: Tables, most: int = 4) -> list[str]:
    """The known types whose names are most like *name*, then some that everybody knows."""
    known = {model_of(one): one for row in tables.gpus for one in row.names}
    alike = difflib.get_close_matches(model_of(name), list(known), n=most, cutoff=0.6)
    return list(dict.fromkeys([known[model] for model in alike] + [one for one in _COMMON if model_of(one) in known]))


def marks(names: t.Iterable[str], tables: Tables) -> list[str]:
    """Return a warning for each GPU type whose capability is unverified."""
    result = []
    for name in names:
        row = next((tables.gpus_by_model[model] for model in read(name, tables.models).models), None)
        if row and row.unverified:
            result.append("GPU type %s is taken for %s, unverified: %s" % (name, row.capability, row.unverified))
    return result


def _known(name: str, tables: Tables) -> str:
    row = tables.gpus_by_model.get(model_of(name))
    return row.capability if row else "not in the data"
