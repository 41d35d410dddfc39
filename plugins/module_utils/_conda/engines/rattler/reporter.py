# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns py-rattler's callbacks into progress lines, and detects silent downloads. Private to hpc.pytorch."""

from __future__ import annotations

import time
import typing as t

from ...._files.progress import Progress


class Reporter:
    """rattler calls the methods from its own threads; the first argument of each is the token that we returned."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 0
        self._fetched = 0
        self._linked = 0
        self._names: dict[int, str] = {}
        # For each download that has not ended: when its last byte arrived.
        self._last_byte: dict[int, float] = {}

    def silent_for(self, seconds: float) -> str | None:
        """The package of a download that has received nothing for that long, or None."""
        now = time.monotonic()
        return next(
            (self._names.get(key, "") for key, last in list(self._last_byte.items()) if now - last > seconds), None
        )

    def on_transaction_start(self, total_operations: int) -> None:
        self._total = total_operations

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        self._names[operation] = package_name
        self._progress.report("fetch", package_name, self._fetched, self._total)
        return operation

    def on_populate_cache_complete(self, operation: int) -> None:
        self._last_byte.pop(operation, None)
        self._fetched += 1
        self._progress.report("fetch", self._names.get(operation, ""), self._fetched, self._total)

    def on_validate_start(self, operation: int) -> int:
        return operation

    def on_download_start(self, operation: int) -> int:
        # Called before the request is sent, so a server that never answers counts as silent too.
        self._last_byte[operation] = time.monotonic()
        return operation

    def on_download_progress(self, operation: int, progress: int, total: int | None) -> None:
        if total is not None and progress >= total:
            # The download is complete; from here on rattler unpacks it.
            self._last_byte.pop(operation, None)
        else:
            self._last_byte[operation] = time.monotonic()
        name = self._names.get(operation, "")
        self._progress.report("download", name, self._fetched, self._total, progress, total)

    def on_download_completed(self, operation: int) -> None:
        self._last_byte.pop(operation, None)

    def on_link_start(self, operation: int, package_name: str) -> int:
        self._progress.report("link", package_name, self._linked, self._total)
        return operation

    def on_link_complete(self, operation: int) -> None:
        self._linked += 1

    def on_unlink_start(self, operation: int, package_name: str) -> int:
        self._progress.report("unlink", package_name, self._linked, self._total)
        return operation

    def __getattr__(self, name: str) -> t.Callable[..., int]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *args: 0
