# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains why no build fits, and suggests the nearest constraints that work. Private to hpc.pytorch."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import is_past
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import Constraints, gpu_text
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Build, Tables

# How many lines a message has at most.
GROUPS, SUGGESTIONS = 6, 5
# To drop more constraints than these is not a useful suggestion.
GIVE_UP = 3

Misfit = tuple[Build, list[fit.Violation]]


def explain(wanted: Constraints, tables: Tables, newest_first: t.Sequence[Build]) -> UserError:
    """Return the error for *wanted*, for the caller to raise."""
    misfits = [(build, fit.violations(build, wanted, tables)) for build in newest_first]
    advice = [_advice(suggestion, wanted, tables) for suggestion in suggestions(misfits)]
    return UserError(
        "a build of torch for %s" % wanted,
        "none among %d: %s" % (len(misfits), "; ".join(excluded(misfits))),
        "; or ".join(advice) if advice else "ask for less, or add a build that fits to rows",
    )


def excluded(misfits: t.Sequence[Misfit]) -> list[str]:
    """Return builds with what excludes them, a line each: the nearest first, equal ones together, the rest counted."""
    groups: dict[tuple[str, ...], list[Build]] = {}
    for build, against in misfits:
        groups.setdefault(tuple(violation.reason for violation in against), []).append(build)
    ordered = sorted(groups.items(), key=lambda item: len(item[0]))
    lines = ["%s: %s" % (_names(builds), " and ".join(reasons)) for reasons, builds in ordered[:GROUPS]]
    rest = ordered[GROUPS:]
    if rest:
        counts: dict[str, int] = {}
        for reasons, builds in rest:
            for reason in reasons:
                counts[reason] = counts.get(reason, 0) + len(builds)
        number = sum(len(builds) for dummy, builds in rest)
        most = sorted(counts.items(), key=lambda item: -item[1])
        lines.append("the other %d: %s" % (number, ", ".join("%s (%d)" % item for item in most)))
    return lines


def _names(builds: t.Sequence[Build]) -> str:
    """Return builds for a message: torch 2.12.0 to 2.14.1 for CUDA 13.0, 13.2 (wheels)."""

    def span(values: t.Iterable[str]) -> str:
        ordered = sorted(set(values), key=key)
        return ", ".join(ordered) if len(ordered) <= 3 else "%s to %s" % (ordered[0], ordered[-1])

    return "torch %s for CUDA %s (%s)" % (
        span(build.torch for build in builds),
        span(build.cuda for build in builds),
        ", ".join(sorted({build.source for build in builds})),
    )


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """Constraints to drop, and the build that then fits."""

    given_up: tuple[str, ...]
    build: Build


def suggestions(misfits: t.Sequence[Misfit]) -> list[Suggestion]:
    """Return the fewest constraints to drop, by the newest build, with other sources of the same torch.

    :arg misfits: the newest build first.
    """
    # Many builds have the same violations: each such lot is handled once.
    lots: dict[frozenset[frozenset[str]], list[tuple[int, Build]]] = {}
    for rank, (build, against) in enumerate(misfits):
        lots.setdefault(frozenset(violation.blames for violation in against), []).append((rank, build))
    blames = sorted({blame for lot in lots for alternatives in lot for blame in alternatives})
    for number in range(1, GIVE_UP + 1):
        found: list[tuple[int, Suggestion]] = []
        for given_up in itertools.combinations(blames, number):
            repaired = (lots[lot] for lot in lots if all(alternatives & set(given_up) for alternatives in lot))
            fitting = sorted((item for lot in repaired for item in lot), key=lambda item: item[0])
            sources: set[str] = set()
            for rank, build in fitting:
                if build.torch == fitting[0][1].torch and build.source not in sources:
                    sources.add(build.source)
                    found.append((rank, Suggestion(given_up, build)))
        if found:
            return [suggestion for dummy, suggestion in sorted(found, key=lambda item: item[0])[:SUGGESTIONS]]
    return []


def _advice(suggestion: Suggestion, wanted: Constraints, tables: Tables) -> str:
    what = " and ".join(_give_up(blame, suggestion.build, wanted, tables) for blame in suggestion.given_up)
    return "%s: %s" % (what, suggestion.build.name)


def _give_up(blame: str, build: Build, wanted: Constraints, tables: Tables) -> str:
    if blame.startswith("gpu:"):
        return "drop %s (it can have an env of its own)" % next(
            gpu_text(gpu) for gpu in wanted.gpus if "gpu:" + gpu[0] == blame
        )
    if blame == "driver":
        return _other_driver(build, wanted, tables)
    if blame == "python":
        return "take python %s" % (
            build.python_min
            if build.python_min == build.python_max
            else "%s to %s" % (build.python_min, build.python_max)
        )
    if blame == "glibc":
        least = fit.glibc_of(build, tables)
        return "take nodes with glibc %s or newer" % (least.version if least else "of today")
    return {
        "cuda": "take CUDA %s" % build.cuda,
        "source": "take source %s" % build.source,
        "torch": "take torch %s" % build.torch,
    }[blame]


def _other_driver(build: Build, wanted: Constraints, tables: Tables) -> str:
    capabilities = [capability for dummy, capability in wanted.gpus]
    lowest = fit.lowest_driver(build, tables, capabilities)
    lasts = [last for last in (fit.last_driver(capability, tables) for capability in capabilities) if last]
    if lasts and lowest and is_past(lowest, min(lasts, key=key)):
        # Such as a K80 and an H100: one environment may serve them, but no driver does.
        return "give the drivers of all nodes: %s at most for the oldest GPU, %s or newer for the newest" % (
            min(lasts, key=key),
            lowest,
        )
    if lasts and wanted.driver and any(is_past(wanted.driver, last) for last in lasts):
        return "take driver %s of at least %s" % (min(lasts, key=key), lowest)
    return "update the driver to %s or newer" % lowest
