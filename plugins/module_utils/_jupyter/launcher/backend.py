# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that runs the kernel: bash here, or srun. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import typing as t

from ..._common import process
from ..._common.lines import lines_of, visible
from ..protocol import wire

# The name of the start script in the environment: there nobody else can read what it exports.
SCRIPT = "HPC_PYTORCH_KERNEL"
_BASH = ("bash", "--noprofile", "--norc", "-c", 'eval "$%s"' % SCRIPT, "kernel")
# srun gives up a job that waits, and hands the signal on to one that runs, which then ends in order. For SIGTERM it
# would kill what runs.
_STOP = signal.SIGUSR1
# The command gets that signal when the launcher ends, however it does: 1 is PR_SET_PDEATHSIG.
_TIED = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGUSR1)\n"
    "if os.getppid() != int(sys.argv[1]):\n"
    "    os._exit(1)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)
_ERRORS_KEPT = 40


class Backend:
    """The process and its streams, none of which blocks."""

    def __init__(self, prefix: t.Sequence[str], script: str, variables: t.Mapping[str, str]) -> None:
        """Start it.

        :arg prefix: srun and its options; empty for this machine.
        :raises OSError: it cannot be started.
        """
        command = [sys.executable, "-I", "-c", _TIED, str(os.getpid()), *prefix, *_BASH]
        environment = {**variables, SCRIPT: script}
        pipes: dict[str, t.Any] = {"stdin": process.PIPE, "stdout": process.PIPE, "stderr": process.PIPE}
        # Alone: Jupyter's signals are for the launcher, which knows what they mean.
        self._process = process.start(command, environment, folder=None, alone=True, **pipes)
        self.stdin = t.cast(t.Any, self._process.stdin).fileno()
        self.stdout = t.cast(t.Any, self._process.stdout).fileno()
        self.stderr = t.cast(t.Any, self._process.stderr).fileno()
        for fd in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(fd, False)
        self._out: list[bytes] = []
        self._cut, self._errors_cut = wire.Lines(), wire.Lines()
        self._open = {self.stdin, self.stdout, self.stderr}
        self.errors: list[str] = []

    @property
    def readable(self) -> set[int]:
        """The streams that have not ended."""
        return self._open - {self.stdin}

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out) and self.stdin in self._open

    def put(self, data: bytes) -> None:
        """Write *data* as soon as the process takes it."""
        self._out.append(data)
        self.flush()

    def send(self, line: wire.Line) -> None:
        """Write a message."""
        self.put(wire.encode(line))

    def flush(self) -> None:
        """Write what can be written now."""
        while self._out and self.stdin in self._open:
            try:
                count = os.write(self.stdin, self._out[0])
            except BlockingIOError:
                return
            except OSError:
                # It has ended; how it did will be known soon.
                self._close(self.stdin)
                return
            rest = self._out[0][count:]
            self._out[:1] = [rest] if rest else []

    def read(self) -> list[wire.Line]:
        """The messages that have come.

        Other lines, and those on standard error, go to the log and to :attr:`errors`.
        """
        found: list[wire.Line] = []
        for raw in self._raw(self.stdout, self._cut):
            line = wire.decode(raw)
            if line is None:
                self._log(raw)
            else:
                found.append(line)
        for raw in self._raw(self.stderr, self._errors_cut):
            self._log(raw)
        return found

    def _raw(self, fd: int, cut: wire.Lines) -> list[bytes]:
        found: list[bytes] = []
        while fd in self._open:
            try:
                data = os.read(fd, 1 << 16)
            except BlockingIOError:
                break
            if not data:
                self._close(fd)
                if cut.rest():
                    found += cut.feed(b"\n")
                break
            found += cut.feed(data)
        return found

    def _log(self, raw: bytes) -> None:
        for line in lines_of(raw.decode("utf-8", "replace").replace("\r", "\n")):
            if line.strip():
                self.errors = [*self.errors, visible(line, 1000)][-_ERRORS_KEPT:]
                with contextlib.suppress(OSError):
                    sys.stderr.write(visible(line) + "\n")
                    sys.stderr.flush()

    def _close(self, fd: int) -> None:
        self._open.discard(fd)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None and not stream.closed and stream.fileno() == fd:
                with contextlib.suppress(OSError):
                    stream.close()

    def hang_up(self) -> None:
        """Tell it that the launcher needs it no more."""
        self._out = []
        self._close(self.stdin)
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(_STOP)

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def status(self) -> int | None:
        """Its exit status once it has ended and everything has been read."""
        return None if self.readable else self._process.poll()
