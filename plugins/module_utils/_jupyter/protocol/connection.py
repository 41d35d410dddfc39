# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection file that Jupyter writes for a kernel. Private to hpc.pytorch.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files
"""

from __future__ import annotations

import json
import typing as t

from ..._common.errors import UserError, shown
from .messages import Signer

CHANNELS = ("shell", "control", "stdin", "iopub", "hb")


class Connection(t.NamedTuple):
    """Where Jupyter expects the kernel's sockets.

    :arg ports: by channel.
    """

    transport: str
    ip: str
    ports: dict[str, int]
    signer: Signer

    def address(self, channel: str) -> str:
        """For ZeroMQ: ``tcp://127.0.0.1:45123``, or ``ipc://PATH-1``."""
        between = "-" if self.transport == "ipc" else ":"
        return "%s://%s%s%d" % (self.transport, self.ip, between, self.ports[channel])


def in_folder(folder: str, signer: Signer) -> Connection:
    """Sockets in a folder that only this user can enter: no other user of the machine can reach or read them."""
    return Connection("ipc", folder + "/k", {channel: at + 1 for at, channel in enumerate(CHANNELS)}, signer)


def as_text(connection: Connection) -> str:
    """The content of a connection file."""
    given: dict[str, t.Any] = {"%s_port" % channel: port for channel, port in connection.ports.items()}
    given.update(
        transport=connection.transport,
        ip=connection.ip,
        key=connection.signer.key.decode("utf-8"),
        signature_scheme=connection.signer.scheme,
        kernel_name="",
    )
    return json.dumps(given)


def from_text(text: str, path: str) -> Connection:
    """Read a connection file's content.

    :arg path: of the file, for messages.
    :raises UserError: it is no connection file.
    """
    try:
        given = json.loads(text)
        signer = Signer(given["key"].encode("utf-8"), given["signature_scheme"])
        signer.sign([b""])
        ports = {channel: int(given["%s_port" % channel]) for channel in CHANNELS}
        return Connection(given["transport"], given["ip"], ports, signer)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            "a connection file of Jupyter at %s" % path, shown(str(error)), "start the kernel from Jupyter"
        ) from error
