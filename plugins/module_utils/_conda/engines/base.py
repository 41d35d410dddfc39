# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small interface that every engine offers to conda_env. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..env.packages import Package
from ..env.request import Request


class Solution(t.NamedTuple):
    """What an engine would put into the env. *handle* is the engine's own, for :meth:`Engine.install`."""

    packages: list[Package]
    handle: t.Any


class Engine(t.Protocol):
    """Solves and installs. Every method raises UserError for what a person can mend and changes nothing then."""

    name: str
    # Whether an env can be installed beside its place and be renamed there.
    relocates: bool

    def solve(self, request: Request, prefix: str | None, latest: bool) -> Solution:
        """Choose packages.

        :arg prefix: the env as it is now, whose packages are kept where that is possible; None for a new env.
        :arg latest: prefer the newest packages to those that are there.
        """

    def read_lock(self, path: str, request: Request) -> Solution:
        """The packages that a lock file names, checked to satisfy the request."""

    def write_lock(self, path: str, solution: Solution, request: Request) -> None:
        """Write the lock file of *solution*."""

    def fetch(self, solution: Solution) -> None:
        """Bring every package into the cache, checked, so that :meth:`install` can only fail on this machine's own."""

    def install(self, solution: Solution, target: str, prefix: str, reinstall: t.AbstractSet[str]) -> None:
        """Make the folder *target* hold exactly the solution, with *prefix* as the path that its files name."""
