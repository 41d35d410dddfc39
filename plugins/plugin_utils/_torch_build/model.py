# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compatibility data as plain values. Private to hpc.pytorch."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key, major_minor
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.drivers import Family
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import Models, model_of

SOURCES = ("pytorch", "conda-forge", "wheels")
# The first one is that of builds that do not name theirs.
PLATFORMS = ("linux-64", "linux-aarch64")


@dataclasses.dataclass(frozen=True)
class Build:
    """One build of torch with CUDA."""

    torch: str
    torchvision: str | None
    torchaudio: str | None
    python_min: str
    python_max: str
    source: str
    cuda: str
    toolkit: str | None = None
    build: str | None = None
    channels: tuple[str, ...] = ()
    local: str | None = None
    index: str | None = None
    find_links: str | None = None
    wheel_urls: str | None = None
    needs: tuple[str, ...] = ()
    page: t.Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    evidence: str = ""
    unverified: str | None = None
    known_bad: str | None = None
    notes: tuple[str, ...] = ()
    platform: str = PLATFORMS[0]

    @property
    def same(self) -> tuple[str, str, str]:
        """The key of a build: rows with the same key are about the same build."""
        return (self.torch, self.cuda, self.source)

    @property
    def name(self) -> str:
        """The name for messages: torch 2.13.0+cu126 wheels."""
        if self.source == "wheels":
            return "torch %s+%s wheels" % (self.torch, self.local or "cu" + self.cuda.replace(".", ""))
        return "torch %s for CUDA %s from %s" % (self.torch, self.cuda, self.source)


@dataclasses.dataclass(frozen=True)
class Architectures:
    """The architectures that the builds of some versions have kernels for."""

    source: str
    torch_min: str
    torch_max: str
    cuda: tuple[str, ...]
    archs: tuple[str, ...]
    ptx: str | None = None
    evidence: str = ""
    unverified: str | None = None
    note: str | None = None
    platform: str = PLATFORMS[0]

    def covers(self, build: Build) -> bool:
        """Return whether this row is about *build*."""
        version = key(major_minor(build.torch))
        return (
            self.source == build.source
            and build.cuda in self.cuda
            and key(self.torch_min) <= version <= key(self.torch_max)
        )


@dataclasses.dataclass(frozen=True)
class Range:
    """Builds from some sources, of some versions of torch, for some CUDAs (all, if there are none)."""

    sources: tuple[str, ...]
    torch_min: str
    torch_max: str
    cuda: tuple[str, ...] = ()

    def covers(self, build: Build) -> bool:
        """Return whether *build* is one of them."""
        version = key(major_minor(build.torch))
        return (
            build.source in self.sources
            and (not self.cuda or build.cuda in self.cuda)
            and key(self.torch_min) <= version <= key(self.torch_max)
        )


@dataclasses.dataclass(frozen=True)
class Fact:
    """A version that belongs to the builds of a range: the cuDNN that they bring, or the glibc that they need."""

    about: Range
    version: str
    evidence: str = ""
    unverified: str | None = None


class About(t.NamedTuple):
    """The rows about one build; None where there is none."""

    kernels: Architectures | None
    cudnn: Fact | None
    glibc: Fact | None


@dataclasses.dataclass(frozen=True)
class Needs:
    """Match specs that the builds of a range need, from some Python on."""

    about: Range
    specs: tuple[str, ...]
    python_min: str | None = None
    evidence: str = ""


@dataclasses.dataclass(frozen=True)
class ToolkitRange:
    """The first and last toolkit and branch of the driver that support some architectures."""

    archs: tuple[str, ...]
    first: str
    last: str | None = None
    first_driver: str | None = None
    last_driver: str | None = None
    evidence: str = ""
    unverified: str | None = None


@dataclasses.dataclass(frozen=True)
class DriverFamily:
    """From CUDA 11 on: the oldest driver for all toolkits of one major version."""

    major: int
    min_driver: str
    exceptions: t.Mapping[str, str]
    evidence: str = ""


@dataclasses.dataclass(frozen=True)
class ToolkitDriver:
    """The driver that comes with one toolkit."""

    cuda: str
    update: str
    min_driver: str
    evidence: str = ""


@dataclasses.dataclass(frozen=True)
class CudnnEnd:
    """The first cuDNN that has no kernels for some architectures."""

    archs: tuple[str, ...]
    first_without: str
    evidence: str = ""
    unverified: str | None = None


@dataclasses.dataclass(frozen=True)
class Host:
    """GPUs that only hosts of one platform have."""

    names: tuple[str, ...]
    capabilities: tuple[str, ...]
    platform: str
    no_builds: str | None = None
    evidence: str = ""


@dataclasses.dataclass(frozen=True)
class GpuType:
    """What a model of GPU is called, and its compute capability."""

    names: tuple[str, ...]
    capability: str
    evidence: str = ""
    unverified: str | None = None


@dataclasses.dataclass(frozen=True)
class Tables:
    """All data for one platform. The first of several rows about the same counts: a site's come before the others."""

    builds: tuple[Build, ...] = ()
    architectures: tuple[Architectures, ...] = ()
    toolkits: tuple[ToolkitRange, ...] = ()
    families: tuple[DriverFamily, ...] = ()
    toolkit_drivers: tuple[ToolkitDriver, ...] = ()
    cudnn_ends: tuple[CudnnEnd, ...] = ()
    brought_cudnn: tuple[Fact, ...] = ()
    glibc: tuple[Fact, ...] = ()
    needs: tuple[Needs, ...] = ()
    hosts: tuple[Host, ...] = ()
    gpus: tuple[GpuType, ...] = ()
    ambiguous: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    pytorch_channel_last: str | None = None

    @functools.cached_property
    def driver_families(self) -> dict[int, Family]:
        """The oldest driver for each major version of CUDA, from 11 on."""
        return {row.major: Family(row.min_driver, row.exceptions) for row in reversed(self.families)}

    @functools.cached_property
    def first_drivers(self) -> dict[str, str]:
        """The first driver that came with each toolkit."""
        found: dict[str, str] = {}
        for row in self.toolkit_drivers:
            found[row.cuda] = min(found.get(row.cuda, row.min_driver), row.min_driver, key=key)
        return found

    @functools.cached_property
    def _about(self) -> dict[tuple[str, str, str], About]:
        return {}

    def about(self, build: Build) -> About:
        """Return the rows about *build*. They are looked for once, as each question is about every build."""
        found = self._about.get(build.same)
        if found is None:
            found = About(
                next((row for row in self.architectures if row.covers(build)), None),
                next((row for row in self.brought_cudnn if row.about.covers(build)), None),
                next((row for row in self.glibc if row.about.covers(build)), None),
            )
            self._about[build.same] = found
        return found

    @functools.cached_property
    def hosts_without_builds(self) -> tuple[Host, ...]:
        """The rows of GPUs that no build of the data runs on."""
        return tuple(row for row in self.hosts if row.no_builds)

    @functools.cached_property
    def first_cudnn_without(self) -> dict[str, str]:
        """The first cuDNN without kernels for each architecture, where there is one."""
        return {arch: row.first_without for row in reversed(self.cudnn_ends) for arch in row.archs}

    @functools.cached_property
    def gpus_by_model(self) -> dict[str, GpuType]:
        """The row for each model, as ``model_of`` spells it."""
        return {model_of(name): row for row in reversed(self.gpus) for name in row.names}

    @functools.cached_property
    def models(self) -> Models:
        """The models that names of GPUs are read as, those of a site among them."""
        return Models(
            {model: row.capability for model, row in self.gpus_by_model.items()},
            {model_of(name): tuple(map(model_of, several)) for name, several in self.ambiguous.items()},
        )

    def extended(self, site: Tables) -> Tables:
        """Return these tables with *site*'s rows first; a site's build replaces the same build here."""
        theirs = {build.same for build in site.builds}
        return Tables(
            builds=site.builds + tuple(build for build in self.builds if build.same not in theirs),
            architectures=site.architectures + self.architectures,
            toolkits=site.toolkits + self.toolkits,
            families=site.families + self.families,
            toolkit_drivers=site.toolkit_drivers + self.toolkit_drivers,
            cudnn_ends=site.cudnn_ends + self.cudnn_ends,
            brought_cudnn=site.brought_cudnn + self.brought_cudnn,
            glibc=site.glibc + self.glibc,
            needs=site.needs + self.needs,
            hosts=site.hosts + self.hosts,
            gpus=site.gpus + self.gpus,
            ambiguous={**self.ambiguous, **site.ambiguous},
            pytorch_channel_last=self.pytorch_channel_last or site.pytorch_channel_last,
        )

    def only(self, platform: str) -> Tables:
        """Return these tables with the builds of one platform, and what is about them."""
        return dataclasses.replace(
            self,
            builds=tuple(build for build in self.builds if build.platform == platform),
            architectures=tuple(row for row in self.architectures if row.platform == platform),
        )

    def without_builds(self) -> Tables:
        """Return what holds on every platform: these tables without builds, and without what is about them."""
        return dataclasses.replace(self, builds=(), architectures=(), brought_cudnn=(), glibc=(), needs=())
