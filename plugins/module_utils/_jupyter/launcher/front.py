# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets at which Jupyter expects the kernel. Needs pyzmq, which Jupyter brings. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..protocol.connection import Connection


class Front:
    """The sockets, bound."""

    def __init__(self, connection: Connection) -> None:
        """Bind them.

        :raises UserError: another process has one of the ports, or there is no pyzmq.
        """
        try:
            import zmq
        except ImportError as error:
            raise UserError(
                "pyzmq in the Python that Jupyter runs with", str(error), "start the kernel from JupyterLab"
            ) from error
        self._zmq = zmq
        kinds = {"shell": zmq.ROUTER, "control": zmq.ROUTER, "stdin": zmq.ROUTER, "iopub": zmq.PUB, "hb": zmq.REP}
        self._sockets = {channel: zmq.Context.instance().socket(kind) for channel, kind in kinds.items()}
        self.poller = zmq.Poller()
        for channel, socket in self._sockets.items():
            socket.linger = 1000
            socket.sndhwm = socket.rcvhwm = 0
            if kinds[channel] == zmq.ROUTER:
                # A notebook that connects again is the same one.
                socket.router_handover = True
            try:
                socket.bind(connection.address(channel))
            except zmq.ZMQError as error:
                raise UserError(
                    "the port of the kernel's %s channel to be free" % channel, str(error), "restart the kernel"
                ) from error
            if channel != "iopub":
                self.poller.register(socket, zmq.POLLIN)

    def watch(self, fd: int, for_writing: bool = False) -> None:
        """Make :meth:`wait` return when the descriptor is ready."""
        self.poller.register(fd, self._zmq.POLLOUT if for_writing else self._zmq.POLLIN)

    def forget(self, fd: int) -> None:
        """The opposite of :meth:`watch`."""
        if fd in self.poller:
            self.poller.unregister(fd)

    def wait(self, seconds: float) -> list[tuple[str, list[bytes]]]:
        """Wait for something to happen; return the messages that have come, by channel. Heartbeats are answered."""
        ready = dict(self.poller.poll(max(0.0, 1000 * seconds)))
        found: list[tuple[str, list[bytes]]] = []
        for channel in ("control", "shell", "stdin", "hb"):
            if self._sockets[channel] in ready:
                found += [(channel, frames) for frames in self._take(channel)]
        return found

    def _take(self, channel: str) -> t.Iterator[list[bytes]]:
        socket = self._sockets[channel]
        try:
            while True:
                frames = socket.recv_multipart(self._zmq.NOBLOCK)
                if channel == "hb":
                    socket.send_multipart(frames)
                else:
                    yield frames
        except self._zmq.Again:
            pass

    def send(self, channel: str, frames: t.Sequence[bytes]) -> None:
        """Send a message to Jupyter."""
        self._sockets[channel].send_multipart(list(frames))

    def close(self) -> None:
        """Send what is left, and close."""
        for socket in self._sockets.values():
            socket.close()
        self._zmq.Context.instance().term()
