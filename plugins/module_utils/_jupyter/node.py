# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the kernel on its machine and passes its messages on. Started by the start script. Private to hpc.pytorch.

It runs with the environment's own Python. The kernel's sockets are in a folder that only this user can enter, so the
other users of a node can neither reach them nor read what the kernel prints. It ends the kernel when the launcher is
gone: when its input ends, when Slurm sends a signal, and when nothing has come from it for minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import typing as t

from .._common import process
from .protocol import connection, wire
from .protocol.messages import Signer
from .signals import Signals

# The descriptors that the start script opens.
OUTPUT, INPUT = 3, 4
# The launcher sends something more often than this; without it, its machine is down.
SILENCE = 600.0
# Seconds that the kernel may take to end by itself.
_GRACE = 3.0
# From the launcher, and from Slurm.
_STOPS = {signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP}
# With more, the path of a socket is longer than the system takes.
_LONGEST_FOLDER = 80


class Gone(Exception):
    """The launcher has ended."""


def main(folder: str) -> None:
    """Entry point; does not return.

    :arg folder: a new one of this user, with the program in it.
    """
    status = 0
    try:
        # Before anything else: a signal must not end this without its kernel.
        signals = Signals(signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGINT)
        signal.alarm(0)
        _run(folder, signals)
    except Gone:
        pass
    except BaseException as error:
        status = 1
        with contextlib.suppress(Gone):
            _send(wire.Line("failed", content={"why": "broken", "text": "%s: %s" % (type(error).__name__, error)}))
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _run(folder: str, signals: Signals) -> None:
    asked = _first_line()
    try:
        import ipykernel  # noqa: F401
        import zmq
    except Exception as error:
        text = "%s: %s" % (type(error).__name__, error)
        _send(wire.Line("failed", content={"why": "ipykernel", "text": text, "prefix": sys.prefix}))
        return
    sockets = folder if len(folder) <= _LONGEST_FOLDER else tempfile.mkdtemp(prefix="hpk-", dir="/tmp")
    try:
        place = connection.in_folder(sockets, Signer(asked["key"].encode("utf-8"), asked["scheme"]))
        path = os.path.join(folder, "kernel.json")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(connection.as_text(place))
        _Kernel(path, folder, place, bool(asked["expect_cuda"]), zmq).run(signals)
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _first_line() -> t.Any:
    """What the launcher asks for, the first line after the program."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(INPUT, 1)
        if not part:
            raise Gone
        data += part
    line = wire.decode(data[:-1])
    if line is None:
        raise Gone
    return line.content


def _send(line: wire.Line) -> None:
    data = memoryview(wire.encode(line))
    try:
        while data:
            data = data[os.write(OUTPUT, data) :]
    except OSError as error:
        raise Gone from error


class _Kernel:
    """The kernel, and the check of its torch, as processes; and the sockets between."""

    def __init__(self, path: str, folder: str, place: connection.Connection, expect_cuda: bool, zmq: t.Any) -> None:
        self._zmq = zmq
        # The same name on both: the kernel asks for input where the request came from.
        self._sockets = {
            channel: self._socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            for channel in ("iopub", "shell", "control", "stdin")
        }
        # A kernel drops the question of an input() until that channel is connected; requests wait for it.
        done = zmq.EVENT_HANDSHAKE_SUCCEEDED if zmq.zmq_version_info() >= (4, 3) else zmq.EVENT_CONNECTED
        self._connected = self._sockets["stdin"].get_monitor_socket(done)
        self._held: list[wire.Line] | None = []
        for channel, socket in self._sockets.items():
            socket.connect(place.address(channel))
        # The kernel ends by itself when this process is gone.
        variables = dict(os.environ, JPY_PARENT_PID=str(os.getpid()))
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", path]
        self._process = process.start(command, variables, stdout=2, stderr=2, folder=None, alone=True)
        self._check: t.Any = None
        if expect_cuda:
            code = "import sys; sys.path[:] = [%r, *filter(None, sys.path)]; from %s.check import main; main()" % (
                os.path.join(folder, "kernel.zip"),
                __name__.rpartition(".")[0],
            )
            self._check = process.start(
                [sys.executable, "-c", code], os.environ, stdout=process.PIPE, stderr=2, folder="/", alone=True
            )
        self._verdict = b""

    def _socket(self, kind: int) -> t.Any:
        socket = self._zmq.Context.instance().socket(kind)
        socket.linger = 0
        # A slow network must not cost a message.
        socket.sndhwm = socket.rcvhwm = 0
        if kind == self._zmq.SUB:
            socket.subscribe(b"")
        else:
            socket.identity = b"launcher"
        return socket

    def run(self, signals: Signals) -> None:
        """Pass messages on until the kernel or the launcher ends."""
        try:
            _send(wire.Line("hello", content={"job": os.environ.get("SLURM_JOB_ID", "")}))
            self._pass_on(signals)
        finally:
            for started in (self._check, self._process):
                if started is not None:
                    _end(started)

    def _pass_on(self, signals: Signals) -> None:
        poller = self._zmq.Poller()
        # What a cell prints goes before the answer that it is done.
        for waited in (*self._sockets.values(), self._connected, INPUT, signals.fd):
            poller.register(waited, self._zmq.POLLIN)
        if self._check is not None:
            poller.register(self._check.stdout.fileno(), self._zmq.POLLIN)
        lines, heard = wire.Lines(), time.monotonic()
        while True:
            ready = dict(poller.poll(1000 * SILENCE))
            if signals.take() & _STOPS or time.monotonic() - heard > SILENCE:
                return
            for channel, socket in self._sockets.items():
                if socket in ready:
                    self._drain(channel, socket)
            if self._connected in ready:
                poller.unregister(self._connected)
                self._release()
            if INPUT in ready:
                data = os.read(INPUT, 1 << 16)
                if not data:
                    return
                heard = time.monotonic()
                for raw in lines.feed(data):
                    self._obey(wire.decode(raw))
            if self._check is not None and self._check.stdout.fileno() in ready and self._read_check():
                poller.unregister(self._check.stdout.fileno())
                self._check = None
            status = self._process.poll()
            if status is not None:
                for channel, socket in self._sockets.items():
                    self._drain(channel, socket)
                _send(wire.Line("end", content={"status": status}))
                return

    def _drain(self, channel: str, socket: t.Any) -> None:
        try:
            while True:
                _send(wire.Line("frames", channel, tuple(socket.recv_multipart(self._zmq.NOBLOCK))))
        except self._zmq.Again:
            pass

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for line in held:
            self._obey(line)

    def _obey(self, line: wire.Line | None) -> None:
        if line is None:
            return
        if line.kind == "frames" and line.channel in self._sockets:
            if self._held is None:
                self._sockets[line.channel].send_multipart(line.frames)
            else:
                self._held.append(line)
        elif line.kind == "interrupt":
            _signal(self._process, signal.SIGINT)

    def _read_check(self) -> bool:
        """Whether the check of torch has ended; the result has been sent then."""
        data = os.read(self._check.stdout.fileno(), 1 << 16)
        self._verdict += data
        if data:
            return False
        self._check.wait()
        try:
            content = json.loads(self._verdict)
        except ValueError:
            # It did not come to a verdict, which is not against the node.
            content = {"failed": False, "text": ""}
        _send(wire.Line("verdict", content=content))
        return True


def _end(started: t.Any) -> None:
    """End a process and what it has started."""
    if started.poll() is None:
        _signal(started, signal.SIGTERM)
        with contextlib.suppress(Exception):
            started.wait(_GRACE)
    _signal(started, signal.SIGKILL)
    started.wait()


def _signal(started: t.Any, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(started.pid, number)
