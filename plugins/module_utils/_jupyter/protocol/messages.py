# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jupyter's messages: their frames, signature and headers. No I/O, no ZeroMQ. Private to hpc.pytorch.

https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import typing as t
import uuid

DELIMITER = b"<IDS|MSG>"
# Of the frames after the signature: header, parent header, metadata, content. Buffers may follow.
_SIGNED = 4
_PROTOCOL = "5.3"


class Signer(t.NamedTuple):
    """Signs messages as the connection file asks.

    :arg key: empty for no signature.
    :arg scheme: such as ``hmac-sha256``.
    """

    key: bytes
    scheme: str = "hmac-sha256"

    def sign(self, frames: t.Sequence[bytes]) -> bytes:
        """The signature of header, parent header, metadata and content."""
        if not self.key:
            return b""
        digest = hmac.new(self.key, digestmod=getattr(hashlib, self.scheme.rpartition("-")[2]))
        for frame in frames:
            digest.update(frame)
        return digest.hexdigest().encode("ascii")


class Message(t.NamedTuple):
    """A message that has been read.

    :arg identities: the frames before the delimiter, by which an answer finds its way.
    """

    identities: tuple[bytes, ...]
    header: dict[str, t.Any]
    parent: dict[str, t.Any]
    content: dict[str, t.Any]

    @property
    def kind(self) -> str:
        """Its type: ``execute_request``."""
        return str(self.header.get("msg_type", ""))

    @property
    def id(self) -> str:
        """Its number."""
        return str(self.header.get("msg_id", ""))


def read(frames: t.Sequence[bytes], signer: Signer | None) -> Message | None:
    """The message in *frames*; None without one, or with a wrong signature.

    :arg signer: None leaves the signature to the next reader.
    """
    try:
        at = list(frames).index(DELIMITER)
        signature, signed = frames[at + 1], frames[at + 2 : at + 2 + _SIGNED]
        if signer and not hmac.compare_digest(signature, signer.sign(signed)):
            return None
        header, parent, _metadata, content = (json.loads(frame) for frame in signed)
    except (ValueError, IndexError):
        return None
    if not all(isinstance(part, dict) for part in (header, parent, content)):
        return None
    return Message(tuple(frames[:at]), header, parent, content)


def make(
    signer: Signer,
    kind: str,
    content: t.Mapping[str, t.Any],
    parent: t.Mapping[str, t.Any],
    identities: t.Sequence[bytes],
    session: str,
) -> list[bytes]:
    """The frames of a message of our own.

    :arg parent: the header of the request that it answers; empty for none.
    """
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": session,
        "username": "kernel",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "version": _PROTOCOL,
    }
    signed = [json.dumps(part).encode("utf-8") for part in (header, dict(parent), {}, dict(content))]
    return [*identities, DELIMITER, signer.sign(signed), *signed]
