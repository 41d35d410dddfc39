# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chooses the newest build that fits. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import answer, conflict, fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import (
    Constraints,
    constraints,
    merged,
    platform_of,
)
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.load import with_rows
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Build, Tables

# Of the same torch and CUDA the last source here is chosen: conda solves it together with all other packages.
_PREFERRED = ("wheels", "pytorch", "conda-forge")


def choose(value: t.Any, keywords: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the result of the filter torch_build.

    :arg value: the filter's input.
    :raises UserError: an option is wrong, or no build fits; then the message has what excludes which builds.
    """
    values = merged(value, keywords)
    tables = with_rows(values.pop("rows", None), platform_of(values))
    wanted = constraints(values, tables)
    return answer.answer(best(wanted, tables), wanted, tables)


def best(wanted: Constraints, tables: Tables) -> Build:
    """Return the newest build that fits: by torch, then by CUDA, then a verified one, then by source.

    :raises UserError: no build fits.
    """
    fitting = [build for build in tables.builds if not fit.violations(build, wanted, tables)]
    if not fitting:
        raise conflict.explain(wanted, tables, newest_first(tables.builds, tables))
    return newest_first(fitting, tables)[0]


def newest_first(builds: t.Iterable[Build], tables: Tables) -> list[Build]:
    """Return all builds in a total order, so that a further constraint never leads to a newer build."""

    def rank(build: Build) -> tuple[t.Any, ...]:
        row = fit.architectures(build, tables)
        verified = not build.unverified and row is not None and not row.unverified
        return (key(build.torch), key(build.cuda), verified, _PREFERRED.index(build.source))

    return sorted(builds, key=rank, reverse=True)
