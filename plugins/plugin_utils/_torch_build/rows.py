# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns rows of YAML into tables. The top of each file in data/ describes its rows.
Private to hpc.pytorch.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version, key, major_minor
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.capabilities import is_capability
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import (
    PLATFORMS,
    SOURCES,
    Architectures,
    Build,
    CudnnEnd,
    DriverFamily,
    Fact,
    GpuType,
    Host,
    Needs,
    Range,
    Tables,
    ToolkitDriver,
    ToolkitRange,
)
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.row import Row

# Keys that describe a file and hold no rows.
_ABOUT = {"schema", "generated", "sources", "dropped"}

_NOTHING_YET = Tables()


def tables(value: t.Any, base: Tables = _NOTHING_YET, platform: str = PLATFORMS[0]) -> Tables:
    """Return the tables in *value*: the content of one or several data files, or a site's rows.

    :arg base: known tables; a build may be added to a release of *base* by its version alone.
    :arg platform: the platform of builds and architectures whose rows name none.
    :raises UserError: a row is wrong.
    """
    top = Row(
        {name: section for name, section in value.items() if name not in _ABOUT}
        if isinstance(value, t.Mapping)
        else value,
        "",
    )
    builds, own = _builds(top.rows("releases"), base, platform)
    kernels = top.rows("rows") + top.rows("architectures")
    result = Tables(
        builds=builds,
        architectures=own + tuple(_architectures(row, platform) for row in kernels),
        toolkits=tuple(_toolkit_range(row) for row in top.rows("toolkit")),
        families=tuple(_family(row) for row in top.rows("family")),
        toolkit_drivers=tuple(_toolkit_driver(row) for row in top.rows("toolkit_driver")),
        cudnn_ends=tuple(_cudnn_end(row) for row in top.rows("cudnn")),
        brought_cudnn=tuple(_fact(row, "cudnn") for row in top.rows("brings_cudnn")),
        glibc=tuple(_fact(row, "glibc") for row in top.rows("glibc")),
        needs=tuple(_needs(row) for row in top.rows("needs")),
        hosts=tuple(_host(row) for row in top.rows("hosts")),
        gpus=tuple(_gpu(row) for row in top.rows("gpus")),
        ambiguous=dict(_ambiguous(row) for row in top.rows("ambiguous")),
        pytorch_channel_last=top.version("pytorch_channel_last"),
    )
    top.done()
    return result


def _builds(
    releases: t.Sequence[Row], base: Tables, platform: str
) -> tuple[tuple[Build, ...], tuple[Architectures, ...]]:
    """Return the builds, and the architectures that their own rows have."""
    builds: list[Build] = []
    architectures: dict[Architectures, None] = {}
    for row in releases:
        torch = t.cast(str, row.version("torch", required=True))
        known = next((build for build in base.builds if key(build.torch) == key(torch)), None)
        torchvision = row.version("torchvision") or (known.torchvision if known else None)
        torchaudio = row.version("torchaudio") or (known.torchaudio if known else None)
        row.text("released")
        notes = row.texts("notes")
        python = _python(row.row("python")) or ((known.python_min, known.python_max) if known else None)
        for item in row.rows("builds"):
            own = _python(item.row("python")) or python
            if own is None:
                raise UserError(
                    "python ({min, max}) at %s or its release" % item.where,
                    "none",
                    'add it, such as python: {min: "3.10", max: "3.14"}',
                )
            source = item.choice("source", SOURCES)
            local = item.text("local")
            build = Build(
                torch=torch,
                torchvision=item.version("torchvision") or torchvision,
                torchaudio=item.version("torchaudio") or torchaudio,
                python_min=own[0],
                python_max=own[1],
                source=source,
                cuda=t.cast(str, item.version("cuda", required=True)),
                toolkit=item.text("toolkit", required=source == "pytorch"),
                build=item.text("build"),
                channels=item.texts("channels", required=source == "pytorch"),
                local=local,
                index=item.url("index", ("pypi",)),
                find_links=item.url("find_links"),
                wheel_urls=item.url("wheel_urls"),
                needs=item.texts("needs"),
                page=_on_page(item.row("on_page")),
                evidence=item.text("evidence") or "the site's rows",
                unverified=item.mark("unverified"),
                known_bad=item.mark("known_bad"),
                notes=notes + tuple(note for note in [item.text("notes")] if note),
                platform=item.choice("platform", PLATFORMS, platform),
            )
            archs, ptx = item.versions("kernels", required=False), item.version("ptx")
            item.done()
            if archs:
                series = major_minor(torch)
                kernels = Architectures(source, series, series, (build.cuda,), archs, ptx, build.evidence)
                kernels = dataclasses.replace(kernels, unverified=build.unverified, platform=build.platform)
                architectures[kernels] = None
            if (
                source == "wheels"
                and len([place for place in (build.index, build.find_links, build.wheel_urls) if place]) != 1
            ):
                raise UserError(
                    "one of index, find_links and wheel_urls at %s" % item.where,
                    "none or several",
                    "give the place of the wheels once",
                )
            builds.append(build)
        row.done()
    return tuple(builds), tuple(architectures)


def _python(row: Row | None) -> tuple[str, str] | None:
    if row is None:
        return None
    low, high = t.cast(str, row.version("min", required=True)), t.cast(str, row.version("max", required=True))
    row.text("source")
    row.done()
    if key(low) > key(high):
        raise UserError("min to be at most max at %s" % row.where, "%s to %s" % (low, high), "correct one of them")
    return low, high


def _on_page(row: Row | None) -> dict[str, str]:
    if row is None:
        return {}
    values = {name: row.version(name) for name in ("torchvision", "torchaudio")}
    row.done()
    return {name: value for name, value in values.items() if value}


def _architectures(row: Row, platform: str) -> Architectures:
    first, last = row.span("torch")
    result = Architectures(
        source=row.choice("source", SOURCES),
        torch_min=first,
        torch_max=last,
        cuda=row.versions("cuda"),
        archs=row.versions("archs"),
        ptx=row.version("ptx"),
        evidence=row.text("evidence") or "the site's rows",
        unverified=row.mark("unverified"),
        note=row.text("note"),
        platform=row.choice("platform", PLATFORMS, platform),
    )
    row.done()
    return result


def _toolkit_range(row: Row) -> ToolkitRange:
    result = ToolkitRange(
        archs=row.versions("archs"),
        first=t.cast(str, row.version("first", required=True)),
        last=row.version("last"),
        first_driver=row.version("first_driver"),
        last_driver=row.version("last_driver"),
        evidence=row.text("evidence") or "the site's rows",
        unverified=row.mark("unverified"),
    )
    row.text("note")
    row.done()
    return result


def _family(row: Row) -> DriverFamily:
    exceptions = row.take(
        "except",
        "CUDA versions and their drivers",
        lambda value: isinstance(value, t.Mapping) and all(is_version(item) for pair in value.items() for item in pair),
        default={},
    )
    result = DriverFamily(
        major=row.take(
            "major", "a number", lambda value: isinstance(value, int) and not isinstance(value, bool), required=True
        ),
        min_driver=t.cast(str, row.version("min_driver", required=True)),
        exceptions={str(cuda): str(driver) for cuda, driver in exceptions.items()},
        evidence=row.text("evidence") or "the site's rows",
    )
    row.text("note")
    row.done()
    return result


def _toolkit_driver(row: Row) -> ToolkitDriver:
    result = ToolkitDriver(
        cuda=t.cast(str, row.version("cuda", required=True)),
        update=row.text("update") or "GA",
        min_driver=t.cast(str, row.version("min_driver", required=True)),
        evidence=row.text("evidence") or "the site's rows",
    )
    row.done()
    return result


def _cudnn_end(row: Row) -> CudnnEnd:
    result = CudnnEnd(
        archs=row.versions("archs"),
        first_without=t.cast(str, row.version("first_without", required=True)),
        evidence=row.text("evidence") or "the site's rows",
        unverified=row.mark("unverified"),
    )
    row.done()
    return result


def _range(row: Row) -> Range:
    first, last = row.span("torch")
    return Range(row.choices("source", SOURCES), first, last, row.versions("cuda", required=False))


def _fact(row: Row, name: str) -> Fact:
    result = Fact(
        about=_range(row),
        version=t.cast(str, row.version(name, required=True)),
        evidence=row.text("evidence") or "the site's rows",
        unverified=row.mark("unverified"),
    )
    row.done()
    return result


def _needs(row: Row) -> Needs:
    result = Needs(
        about=_range(row),
        specs=row.texts("specs", required=True),
        python_min=row.version("python_min"),
        evidence=row.text("evidence") or "the site's rows",
    )
    row.done()
    return result


def _host(row: Row) -> Host:
    result = Host(
        names=row.texts("names"),
        capabilities=row.versions("capabilities", required=False),
        platform=row.choice("platform", PLATFORMS),
        no_builds=row.text("no_builds"),
        evidence=row.text("evidence") or "the site's rows",
    )
    row.done()
    return result


def _gpu(row: Row) -> GpuType:
    capability = row.take("capability", 'major.minor in quotes such as "8.6"', is_capability, required=True)
    result = GpuType(
        names=row.texts("names", required=True),
        capability=str(capability),
        evidence=row.text("evidence") or "the site's rows",
        unverified=row.mark("unverified"),
    )
    row.done()
    return result


def _ambiguous(row: Row) -> tuple[str, tuple[str, ...]]:
    result = t.cast(str, row.text("name", required=True)), row.texts("could_be", required=True)
    row.done()
    return result
