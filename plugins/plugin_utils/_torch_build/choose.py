# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice: the newest build that fits, and what is to be installed for it. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import answer, conflict, fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import Constraints, constraints
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Build, Tables

# Of one torch and one CUDA: what is solved together with everything else comes first.
_PREFERRED = ("wheels", "pytorch", "conda-forge")


def choose(values: t.Mapping[str, t.Any], tables: Tables) -> dict[str, t.Any]:
    """The answer to *values*, or a UserError that says what excludes what."""
    wanted = constraints(values, tables)
    return answer.answer(best(wanted, tables), wanted, tables)


def best(wanted: Constraints, tables: Tables) -> Build:
    """The newest build that fits: by torch, then CUDA; of those a verified one, then by source."""
    fitting = [build for build in tables.builds if not fit.violations(build, wanted, tables)]
    if not fitting:
        raise conflict.explain(wanted, tables, newest_first(tables.builds, tables))
    return newest_first(fitting, tables)[0]


def newest_first(builds: t.Iterable[Build], tables: Tables) -> list[Build]:
    """A total order, so that asking for more never leads to something newer."""

    def rank(build: Build) -> tuple[t.Any, ...]:
        row = fit.architectures(build, tables)
        verified = not build.unverified and row is not None and not row.unverified
        return (key(build.torch), key(build.cuda), verified, _PREFERRED.index(build.source))

    return sorted(builds, key=rank, reverse=True)
