# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs conda, mamba or micromamba. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ...._common.lines import with_line_feeds
from ...._common.process import Done, run
from ...._common.redact import secrets_in
from ...._files.environment import clean_environment
from ..base import SolveRequest
from .commands import in_words, variables
from .failure import failure, has_crashed_at_its_end, lacks_reason, reports_failure
from .output import documents
from .scrub import scrub
from .tool import Tool

# How often a solve that has crashed is run again. conda-rattler-solver 0.2.0 crashes in 1 of 10 dry runs, when Python
# ends and one of its threads is still at work.
_CRASHES = 3


class ToolProcess:
    """Runs one tool with one package cache."""

    def __init__(self, tool: Tool, package_cache: str | None) -> None:
        """
        :arg package_cache: the caller's choice, or None for the tool's own.
        """
        self.tool = tool
        self.package_cache = package_cache
        self._caches: list[str] | None = None

    def run(
        self,
        command: t.Sequence[str],
        request: SolveRequest | None = None,
        condarc_path: str | None = None,
        cache: str | None = None,
        addresses: t.Iterable[str] = (),
    ) -> str:
        """Run *command*; return what it prints.

        :arg request: what is solved; its channels and specs are named in an error.
        :arg cache: a package cache for this command alone.
        :arg addresses: what the command reads addresses from; their credentials stay in no package cache.
        :raises UserError: the tool failed.
        """
        secrets = secrets_in(addresses)
        try:
            return self._run(command, request, condarc_path, cache)
        finally:
            if secrets and cache is None:
                scrub(self.package_caches(), secrets)

    def _run(
        self, command: t.Sequence[str], request: SolveRequest | None, condarc_path: str | None, cache: str | None
    ) -> str:
        cuda, priority = (request.cuda, request.channel_priority) if request else (None, "")
        environment = variables(clean_environment(), cuda, cache or self.package_cache, condarc_path, priority)
        done = _ended(command, environment)
        for _unused in range(_CRASHES if request else 0):
            if not has_crashed_at_its_end(done.stdout, done.returncode):
                break
            done = _ended(command, environment)
        if done.returncode == 0 and not reports_failure(done.stdout):
            return done.stdout
        words = done.stderr
        if lacks_reason(done.stdout, done.stderr):
            # With --json these tools may leave out which match spec is in the way.
            words = _ended(in_words(command), environment).stderr
        channels, specs = (request.channels, request.packages) if request else ((), ())
        raise failure(self.tool.kind, channels, specs, done.stdout, words, done.returncode)

    def package_caches(self) -> list[str]:
        """The folders in which the tool searches packages, those that win first."""
        if self.package_cache:
            return [self.package_cache]
        if self._caches is None:
            found = documents(self.run([self.tool.executable, "info", "--json"]))
            # conda and mamba name the list differently.
            lists = (document.get("pkgs_dirs") or document.get("package cache") or [] for document in found)
            self._caches = [str(path) for paths in lists for path in paths]
        return self._caches


def _ended(command: t.Sequence[str], environment: t.Mapping[str, str]) -> Done:
    # The command inherits the lock on the env.
    done = run(command, environment, descriptors=None)
    return Done(done.returncode, with_line_feeds(done.stdout), with_line_feeds(done.stderr))
