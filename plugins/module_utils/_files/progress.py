# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports the progress of a long step in a file that the action plugin polls. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
import time
import typing as t

from .trust import may_make

PROGRESS_OPTION = {"progress_file": {"type": "path"}}
# As the action plugin names them.
_NAME = re.compile(r"hpc\.pytorch-[0-9a-f]{32}\.progress\Z")


class Progress:
    """Appends one JSON line per report: ``step``, ``item``, ``done``, ``total``, ``bytes``, ``bytes_total``.

    Without a path every call is a no-op. Use as a context manager: leaving removes the file.
    """

    INTERVAL = 0.2

    def __init__(self, path: str | None = None) -> None:
        self._stream: t.TextIO | None = None
        self._path = path
        self._last = 0.0
        self._step: str | None = None
        # If root must not write there, the progress lines are lost, not the work.
        if path and may_make(path):
            # Other users can write to the folder, so an existing file is neither followed nor reused.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with contextlib.suppress(OSError):
                # Ends with this process, and so tells the next one that the file is of no use any more.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stream = os.fdopen(handle, "w")
            if _NAME.match(os.path.basename(path)):
                remove_abandoned(os.path.dirname(path))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def report(
        self,
        step: str,
        item: str = "",
        done: int | None = None,
        total: int | None = None,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        """Report the progress. Reports of one step within :attr:`INTERVAL` seconds are dropped.

        :arg step: what is being done, such as ``download``, ``link``, ``convert``.
        :arg item: what it is being done to, such as a package's name.
        :arg done: how many of *total* are finished.
        """
        # Another thread may close it meanwhile.
        stream = self._stream
        if stream is None:
            return
        now = time.monotonic()
        if step == self._step and now - self._last < self.INTERVAL:
            return
        self._step, self._last = step, now
        state = {
            "step": step,
            "item": item,
            "done": done,
            "total": total,
            "bytes": bytes_done,
            "bytes_total": bytes_total,
        }
        try:
            stream.write(json.dumps({key: value for key, value in state.items() if value not in (None, "")}) + "\n")
            stream.flush()
        except (OSError, ValueError):
            # On a full disk the progress lines are lost, not the work. A closed file is a ValueError.
            self.close()

    def close(self) -> None:
        """Remove the file."""
        stream, self._stream = self._stream, None
        if stream is None or self._path is None:
            return
        with contextlib.suppress(OSError):
            stream.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def remove_abandoned(folder: str) -> None:
    """Remove the progress files of this user that killed runs left in *folder*; those of running ones are locked."""
    try:
        names = [name for name in os.listdir(folder) if _NAME.match(name)]
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            # Others may have put a fifo or a link there.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                status = os.fstat(handle)
                if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)
            finally:
                os.close(handle)
