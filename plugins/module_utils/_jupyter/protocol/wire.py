# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between the launcher of a kernel and the kernel's machine, a line each. No I/O. Private to hpc.pytorch.

The lines go through the standard streams of srun (or of a local process), so no port is opened on the network. The
first character marks a line of ours: a site's TaskProlog may print lines of its own into the same stream.
"""

from __future__ import annotations

import base64
import json
import typing as t

MARK = b"\x1e"
# A line that does not end is no message of ours: the largest one holds a figure or a data frame, not a disk.
LARGEST = 1 << 30


class Line(t.NamedTuple):
    """A message.

    :arg kind: ``frames`` (of a ZeroMQ message on *channel*), or a word that only the two ends know, such as ``hello``.
    :arg content: of another kind than ``frames``; plain data.
    """

    kind: str
    channel: str = ""
    frames: tuple[bytes, ...] = ()
    content: t.Any = None


def encode(line: Line) -> bytes:
    """The message as one line with its end."""
    packed: list[t.Any] = [line.kind]
    if line.kind == "frames":
        packed += [line.channel, [base64.b64encode(frame).decode("ascii") for frame in line.frames]]
    else:
        packed.append(line.content)
    return MARK + json.dumps(packed).encode("ascii") + b"\n"


def decode(raw: bytes) -> Line | None:
    """The message in a line; None if the line is not one of ours."""
    if not raw.startswith(MARK):
        return None
    try:
        packed = json.loads(raw[1:])
        if packed[0] == "frames":
            return Line("frames", packed[1], tuple(base64.b64decode(frame) for frame in packed[2]))
        return Line(packed[0], content=packed[1])
    except (ValueError, TypeError, IndexError, KeyError):
        return None


class Lines:
    """Cuts what comes from a stream into lines."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that *data* completes, without their ends."""
        if b"\n" not in data:
            self._parts.append(data)
            self._size += len(data)
            if self._size > LARGEST:
                self._parts, self._size = [], 0
            return []
        first, *rest = data.split(b"\n")
        found = [b"".join([*self._parts, first]), *rest]
        self._parts, self._size = [found[-1]], len(found[-1])
        return found[:-1]

    def rest(self) -> bytes:
        """What has come without an end of line."""
        return b"".join(self._parts)
