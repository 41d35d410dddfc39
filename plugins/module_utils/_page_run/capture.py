# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the output of a command: its begin and its end, however long it is. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

# Bytes of each; a page shows far less.
_BEGIN = _END = 64 * 1024
# A command that writes more than this has gone astray.
MOST = 64 * 1024 * 1024


class Kept:
    """The output of one block."""

    def __init__(self) -> None:
        self._begin, self._end, self.size = bytearray(), bytearray(), 0

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self.size += len(data)
        room = _BEGIN - len(self._begin)
        self._begin += data[: max(0, room)]
        self._end += data[max(0, room) :]
        del self._end[:-_END]

    @property
    def text(self) -> str:
        """What is kept, as UTF-8; a line says how much is left out."""
        left_out = self.size - len(self._begin) - len(self._end)
        middle = b"\n[... %d bytes ...]\n" % left_out if left_out else b""
        return (bytes(self._begin) + middle + bytes(self._end)).decode("utf-8", "replace")
