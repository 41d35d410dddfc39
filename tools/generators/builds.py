# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/builds.md, from the compatibility data."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit, load
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import PLATFORMS, Tables

PAGE = "docs/builds.md"


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The page with both tables."""
    page = block(current(PAGE), "gpus", gpus(load.shipped()))
    return {PAGE: block(page, "glibc", "\n".join(glibc()))}


def gpus(tables: Tables) -> str:
    """A line for each compute capability of a GPU that some build runs on."""
    lines = ["| capability | drivers | CUDA | cuDNN | such as |", "|---|---|---|---|---|"]
    for row in sorted(tables.gpus, key=lambda row: key(row.capability)):
        hosts = fit.host_of((row.capability, row.capability), tables)
        runs = any(fit.runs_on(build, row.capability, tables) != fit.NOTHING for build in tables.builds)
        if not runs or (hosts and hosts[0].no_builds):
            continue
        span = next((span for span in tables.toolkits if row.capability in span.archs), None)
        end = tables.first_cudnn_without.get(row.capability)
        lines.append(
            "| %s | %s | %s | %s | %s |"
            % (
                row.capability,
                _span(fit.first_driver(row.capability, tables), fit.last_driver(row.capability, tables)),
                _span(span.first, span.last) if span else "",
                "below %s" % end if end else "no end known",
                ", ".join(row.names[:4]),
            )
        )
    return "\n".join(lines)


def glibc() -> t.Iterator[str]:
    """A line for each range of builds and platform."""
    yield "| platform | source | torch | CUDA | glibc |"
    yield "|---|---|---|---|---|"
    for platform in PLATFORMS:
        for row in load.shipped(platform).glibc:
            about = row.about
            versions = (
                about.torch_min
                if about.torch_min == about.torch_max
                else "%s to %s" % (about.torch_min, about.torch_max)
            )
            cuda = ", ".join(about.cuda) or "any"
            yield "| %s | %s | %s | %s | %s |" % (platform, ", ".join(about.sources), versions, cuda, row.version)


def _span(first: str | None, last: str | None) -> str:
    if last:
        return "%s to %s" % (first, last) if first else "up to %s" % last
    return "from %s" % first if first else "no limit known"
