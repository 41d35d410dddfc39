# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The launcher's loop, with sockets and a process that do what the test says."""

from __future__ import annotations

import signal
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.launcher.broker import Broker
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.protocol import messages, wire
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.settings import Settings

SIGNER = messages.Signer(b"key")
STDIN = 21


class Front:
    """Sockets: what comes in each round, what is watched, and how long a round would wait."""

    def __init__(self, rounds: list[list[tuple[str, list[bytes]]]]) -> None:
        self.rounds, self.watched, self.seen, self.pauses = rounds, set[int](), list[set[int]](), list[float]()
        self.sent: list[tuple[str, list[bytes]]] = []

    def watch(self, fd: int, for_writing: bool = False) -> None:
        self.watched.add(fd)

    def forget(self, fd: int) -> None:
        self.watched.discard(fd)

    def wait(self, seconds: float) -> list[tuple[str, list[bytes]]]:
        self.seen.append(set(self.watched))
        self.pauses.append(seconds)
        return self.rounds.pop(0)

    def send(self, channel: str, frames: t.Sequence[bytes]) -> None:
        self.sent.append((channel, list(frames)))


class Backend:
    """A process that takes nothing from its input and ends in the second round."""

    stdin, readable, wants_to_write = STDIN, frozenset({30}), True
    errors: t.ClassVar[list[str]] = ["srun: error: Unable to allocate resources: Invalid account"]

    def __init__(self) -> None:
        self.asked = 0

    def flush(self) -> None:
        pass

    def send(self, line: t.Any) -> None:
        pass

    def read(self) -> list[t.Any]:
        return []

    def status(self) -> int | None:
        self.asked += 1
        return 1 if self.asked > 1 else None


class Signals:
    """No signal, until the last round."""

    fd = 3

    def __init__(self, front: Front) -> None:
        self._front = front

    def take(self) -> set[int]:
        return set() if self._front.rounds else {signal.SIGTERM}


def test_a_process_that_has_ended_is_watched_no_more_and_each_cell_is_answered() -> None:
    cell = messages.make(SIGNER, "execute_request", {"code": "1"}, {}, [b"client"], "session")
    forged = messages.make(messages.Signer(b"other"), "shutdown_request", {}, {}, [b"thief"], "session")
    front = Front([[("shell", cell)], [("control", forged)], [("shell", cell)], []])
    broker = Broker(Settings("Torch", "slurm", "torch", False), SIGNER, front, Backend())  # type: ignore[arg-type]
    broker.run(Signals(front), lambda: 0.0)  # type: ignore[arg-type]
    # Its input was full. The number of a closed descriptor may soon be that of another file.
    assert front.seen == [{3, 30, STDIN}, {3, 30, STDIN}, {3}, {3}]
    assert front.pauses[-1] > 60
    replies = [messages.read(frames, SIGNER) for channel, frames in front.sent if channel == "shell"]
    assert [reply.content["evalue"] for reply in replies if reply] == ["Slurm refused the job."] * 2


class Kernel(Backend):
    """A kernel whose lines come in rounds; it takes what is sent."""

    wants_to_write = False

    def __init__(self, rounds: list[list[wire.Line]]) -> None:
        super().__init__()
        self.rounds = rounds
        self.taken: list[list[str]] = []
        self.ended: int | None = None

    def send(self, line: wire.Line) -> None:
        message = messages.read(line.frames, SIGNER) if line.kind == "frames" else None
        if message:
            self.taken[-1].append(message.kind)

    def read(self) -> list[wire.Line]:
        self.taken.append([])
        return self.rounds.pop(0)

    def status(self) -> int | None:
        return self.ended

    def hang_up(self) -> None:
        self.ended = 0


def test_a_cell_waits_until_what_the_kernel_publishes_is_heard() -> None:
    cell = messages.make(SIGNER, "execute_request", {"code": "1"}, {}, [b"client"], "session")
    reply = wire.Line("frames", "shell", (b"hpc.pytorch", b"its answer"))
    heard = wire.Line("frames", "iopub", (b"iopub_welcome", b"hello"))
    kernel = Kernel([[wire.Line("hello", content={"job": "7"})], [reply], [reply], [heard], [reply], []])
    front = Front([[("shell", cell)], [], [], [], [], []])
    broker = Broker(Settings("Torch", "slurm", "torch", False), SIGNER, front, kernel)  # type: ignore[arg-type]
    broker.run(Signals(front), lambda: 0.0)  # type: ignore[arg-type]
    # It answers before the channel of its output is connected: it is asked again, and gets the cell afterwards.
    asked = ["kernel_info_request"]
    assert kernel.taken == [asked, asked, asked, ["execute_request"], [], []]
