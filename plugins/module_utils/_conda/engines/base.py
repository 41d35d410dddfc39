# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What conda_env asks of an engine: the interface, the request, the solution. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..._common.redact import without_credentials
from ..._files.progress import Progress
from ..env.packages import Package
from .venv import engine_prefix_of


class SolveRequest(t.NamedTuple):
    """What to solve: match specs and the channels to take packages from, whose addresses may hold credentials.

    :arg channel_priority: ``strict``, ``flexible`` or ``disabled``.
    :arg cuda: the version of ``__cuda``, ``none`` for no ``__cuda`` at all, or None for what the machine has.
    :arg prune: whether packages that the request does not need leave the env.
    """

    packages: tuple[str, ...]
    channels: tuple[str, ...]
    channel_priority: str
    cuda: str | None = None
    prune: bool = False

    @property
    def shown_packages(self) -> str:
        """The match specs in one line, without credentials."""
        return ", ".join(map(without_credentials, self.packages))

    @property
    def shown_channels(self) -> str:
        """The channels in one line, without credentials."""
        return ", ".join(map(without_credentials, self.channels))


class Solution(t.NamedTuple):
    """The packages that an engine would install. *handle* is the engine's own, for :meth:`Engine.install`."""

    packages: list[Package]
    handle: t.Any


class Engine(t.Protocol):
    """Solves and installs. A method raises UserError for what a person can fix; nothing was changed then."""

    name: str
    # Whether an env can be installed in another folder and then be renamed to its prefix.
    relocates: bool
    # What the caller should know although the work succeeded.
    warnings: list[str]

    def solve(self, request: SolveRequest, prefix: str | None, latest: bool) -> Solution:
        """Choose packages.

        :arg prefix: the existing env, whose packages are kept where that is possible; None for a new env.
        :arg latest: prefer the newest packages to the installed ones.
        """

    def read_lock(self, path: str, request: SolveRequest) -> Solution:
        """The packages of a lock file, after a check that they satisfy the request."""

    def write_lock(self, path: str, solution: Solution, request: SolveRequest) -> None:
        """Write the lock file of *solution*."""

    def fetch(self, solution: Solution) -> None:
        """Download and check every package, so that :meth:`install` can only fail because of this machine."""

    def install(self, solution: Solution, target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        """Make the folder *target* hold exactly the solution, with *prefix* as the path written into its files."""


class EnginePlace(t.NamedTuple):
    """Where an engine works.

    :arg prefix: the env.
    :arg package_cache: the caller's choice, or None.
    :arg pkgs_dirs: package caches that the condarc names.
    """

    prefix: str
    package_cache: str | None
    pkgs_dirs: t.Sequence[str]
    progress: Progress


Build = t.Callable[[EnginePlace], Engine]


class EngineKind(t.NamedTuple):
    """One value of the option ``engine``: how it is found and started. Each engine's ``find.py`` has its own.

    :arg reads_pkgs_dirs: whether it takes ``pkgs_dirs`` from the condarc files that this collection reads.
    :arg find: from the option ``executable`` to the path of the engine, or None if it is not installed (yet).
    :arg missing: from the option ``executable`` to the error that tells where the engine was searched.
    :arg start: makes sure that this process can use the engine at a path, with PyYAML if the second argument is True;
        for that it may run the module again in another interpreter. Returns what makes an Engine.
    """

    name: str
    reads_pkgs_dirs: bool
    find: t.Callable[[str | None], str | None]
    missing: t.Callable[[str | None], UserError]
    start: t.Callable[[str, bool], Build]


class FoundEngine(t.NamedTuple):
    """An engine before it is started. *executable* is None if it is not installed (yet)."""

    kind: EngineKind
    asked_for: str | None
    executable: str | None

    @property
    def root(self) -> str | None:
        """The engine's own prefix, whose condarc counts."""
        return engine_prefix_of(self.executable) if self.executable else None

    def missing(self) -> UserError:
        """The error for an env that needs an engine that is not installed."""
        return self.kind.missing(self.asked_for)
