# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What py-rattler's installer says of itself: progress lines, and which download has fallen silent. Private to hpc.pytorch."""

from __future__ import annotations

import time
import typing as t

from ...._common.progress import Progress


class Reporter:
    """Takes rattler's callbacks, from threads of its own; every callback's first argument is the token we returned."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 0
        self._fetched = 0
        self._linked = 0
        self._names: dict[int, str] = {}
        # Of each download that has not ended: when its last byte came.
        self._heard: dict[int, float] = {}

    def silent_for(self, seconds: float) -> str | None:
        """The package whose download has brought nothing for that long, or None."""
        now = time.monotonic()
        return next(
            (self._names.get(key, "") for key, heard in list(self._heard.items()) if now - heard > seconds), None
        )

    def on_transaction_start(self, total_operations: int) -> None:
        self._total = total_operations

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        self._names[operation] = package_name
        self._progress.report("fetch", package_name, self._fetched, self._total)
        return operation

    def on_populate_cache_complete(self, operation: int) -> None:
        self._heard.pop(operation, None)
        self._fetched += 1
        self._progress.report("fetch", self._names.get(operation, ""), self._fetched, self._total)

    def on_validate_start(self, operation: int) -> int:
        return operation

    def on_download_start(self, operation: int) -> int:
        # Before the request is sent: a server that never answers it is silent, too.
        self._heard[operation] = time.monotonic()
        return operation

    def on_download_progress(self, operation: int, progress: int, total: int | None) -> None:
        if total is not None and progress >= total:
            # All is here; what takes time now is unpacking.
            self._heard.pop(operation, None)
        else:
            self._heard[operation] = time.monotonic()
        name = self._names.get(operation, "")
        self._progress.report("download", name, self._fetched, self._total, progress, total)

    def on_download_completed(self, operation: int) -> None:
        self._heard.pop(operation, None)

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
