# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds contradictions in the data. Private to hpc.pytorch."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key, major_minor
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import is_past
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import model_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Architectures, Build, Tables


def duplicates(tables: Tables) -> list[str]:
    """Return what the rows state twice. A site's rows may repeat the collection's, but not each other."""
    found = []
    seen: dict[t.Any, str] = {}
    for build in tables.builds:
        if build.same in seen:
            found.append("%s stands there twice" % build.name)
        seen[build.same] = build.name
    for one, other in itertools.combinations(tables.architectures, 2):
        if (
            one.source == other.source
            and set(one.cuda) & set(other.cuda)
            and key(one.torch_min) <= key(other.torch_max)
            and key(other.torch_min) <= key(one.torch_max)
        ):
            found.append("%s and %s are about the same builds" % (_span(one), _span(other)))
    names: dict[str, str] = {}
    for row in tables.gpus:
        for name in row.names:
            if model_of(name) in names:
                found.append(
                    "GPU type %s has two capabilities: %s and %s" % (name, names[model_of(name)], row.capability)
                )
            names[model_of(name)] = row.capability
    return found


def contradictions(tables: Tables) -> list[str]:
    """Return what cannot be true together."""
    found = []
    for build in tables.builds:
        found += ["%s: %s" % (build.name, wrong) for wrong in _build(build, tables)]
    found += _partners(tables.builds)
    for row in tables.architectures:
        found += ["%s: %s" % (_span(row), wrong) for wrong in _architectures(row, tables)]
    found += _ranges(tables)
    found += _drivers(tables)
    names = {model_of(name): row.capability for row in tables.gpus for name in row.names}
    for name, several in tables.ambiguous.items():
        if model_of(name) in names:
            found.append("GPU type %s is ambiguous and has a capability" % name)
        found += [
            "GPU type %s, which %s may mean, has no row" % (one, name) for one in several if model_of(one) not in names
        ]
    return found


def _build(build: Build, tables: Tables) -> t.Iterator[str]:
    digits = build.cuda.replace(".", "")
    if fit.lowest_driver(build, tables) is None:
        yield "no driver for CUDA %s" % build.cuda
    if key(build.python_min) > key(build.python_max):
        yield "python %s to %s" % (build.python_min, build.python_max)
    if build.local and build.local != "cu" + digits:
        yield "local tag %s for CUDA %s" % (build.local, build.cuda)
    for place in (build.index, build.wheel_urls):
        if place and "/cu" in place and place.rstrip("/").rsplit("/", 1)[1] != "cu" + digits:
            yield "CUDA %s from %s" % (build.cuda, place)
    if build.source == "pytorch":
        yield from _channel(build, tables)


def _channel(build: Build, tables: Tables) -> t.Iterator[str]:
    if tables.pytorch_channel_last and key(build.torch) > key(tables.pytorch_channel_last):
        yield "channel pytorch ends at %s" % tables.pytorch_channel_last
    # The package with CUDA's libraries changed its name twice.
    metapackage = (
        "pytorch-cuda=" if key(build.torch) >= (1, 13) else "cudatoolkit=" if key(build.torch) > (1,) else "cuda"
    )
    version = build.cuda if metapackage.endswith("=") else build.cuda.replace(".", "")
    if build.toolkit != metapackage + version:
        yield "toolkit %s is not %s%s" % (build.toolkit, metapackage, version)
    if build.build and "_cuda%s_" % build.cuda not in build.build:
        yield "build %s is not for CUDA %s" % (build.build, build.cuda)


def _partners(builds: t.Sequence[Build]) -> list[str]:
    """Each series of torch has one series of torchvision and torchaudio, and never an older one than an older torch."""
    found = []
    for name in ("torchvision", "torchaudio"):
        series: dict[str, str] = {}
        for build in builds:
            version = getattr(build, name)
            if version and series.setdefault(major_minor(build.torch), major_minor(version)) != major_minor(version):
                found.append(
                    "torch %s with %s %s and %s"
                    % (major_minor(build.torch), name, series[major_minor(build.torch)], version)
                )
        ordered = sorted(series.items(), key=lambda item: key(item[0]))
        for (older, partner), (newer, other) in itertools.pairwise(ordered):
            if key(other) < key(partner):
                found.append("torch %s with %s %s, and torch %s with %s" % (older, name, partner, newer, other))
    return found


def _architectures(row: Architectures, tables: Tables) -> t.Iterator[str]:
    if key(row.torch_min) > key(row.torch_max):
        yield "from %s to %s" % (row.torch_min, row.torch_max)
    for cuda in row.cuda:
        if not any(row.covers(build) for build in tables.builds if build.cuda == cuda):
            yield "no build for CUDA %s" % cuda
        for arch in row.archs:
            span = next((span for span in tables.toolkits if arch in span.archs), None)
            if span is None or key(cuda) < key(span.first) or (span.last and key(cuda) > key(span.last)):
                yield "CUDA %s cannot compile for %s" % (cuda, arch)
    if row.ptx and row.ptx not in row.archs:
        yield "ptx %s is not among archs" % row.ptx


def _ranges(tables: Tables) -> list[str]:
    """Rows about ranges of builds: each CUDA has a build there, and the last driver is none before the first."""
    rows = [("cuDNN " + row.version, row.about) for row in tables.brought_cudnn]
    rows += [("glibc " + row.version, row.about) for row in tables.glibc]
    rows += [(" ".join(row.specs), row.about) for row in tables.needs]
    found = []
    for what, about in rows:
        covered = {build.cuda for build in tables.builds if about.covers(build)}
        missing = [cuda for cuda in about.cuda if cuda not in covered]
        if missing or not covered:
            found.append(
                "%s of torch %s-%s: no build for CUDA %s"
                % (what, about.torch_min, about.torch_max, ", ".join(missing) or "of any version")
            )
    for span in tables.toolkits:
        if span.first_driver and span.last_driver and is_past(span.first_driver, span.last_driver):
            found.append("drivers %s to %s for %s" % (span.first_driver, span.last_driver, ", ".join(span.archs)))
    return found


def _drivers(tables: Tables) -> list[str]:
    found = []
    ordered = sorted(tables.toolkit_drivers, key=lambda row: (key(row.cuda), key(row.min_driver)))
    for older, newer in itertools.pairwise(ordered):
        if key(newer.min_driver) < key(older.min_driver):
            found.append(
                "CUDA %s comes with driver %s, and CUDA %s with %s"
                % (older.cuda, older.min_driver, newer.cuda, newer.min_driver)
            )
    for family in tables.families:
        rows = [row for row in tables.toolkit_drivers if row.cuda.split(".", maxsplit=1)[0] == str(family.major)]
        own = [row.min_driver for row in rows if row.cuda not in family.exceptions]
        if own and key(min(own, key=key)) < key(family.min_driver):
            found.append(
                "CUDA %d needs driver %s, and one of its toolkits comes with %s"
                % (family.major, family.min_driver, min(own, key=key))
            )
    return found


def _span(row: Architectures) -> str:
    return "architectures of torch %s-%s for CUDA %s from %s" % (
        row.torch_min,
        row.torch_max,
        ", ".join(row.cuda),
        row.source,
    )
