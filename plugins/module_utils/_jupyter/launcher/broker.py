# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between JupyterLab and the kernel, message by message. Private to hpc.pytorch.

While the kernel starts, requests wait; once it runs, they are passed on as they are; when it fails, each is answered
with the reason, those that it was working on as well.
"""

from __future__ import annotations

import enum
import signal
import sys
import typing as t
import uuid

from ..protocol import answers, messages, wire
from ..settings import SLURM, Settings
from ..signals import Signals
from . import reasons, waiting
from .backend import Backend
from .front import Front

# Seconds until a notebook learns that the kernel waits, between questions to Slurm, between signs of life, for an end.
_SOON, _QUEUE, _ALIVE, _END = 5.0, 20.0, 30.0, 4.0
_OURS = b"hpc.pytorch"


class Phase(enum.Enum):
    """What the kernel does."""

    STARTING = 1
    RUNNING = 2
    FAILED = 3
    ENDING = 4
    OVER = 5


class Request(t.NamedTuple):
    """A request without an answer yet."""

    channel: str
    frames: list[bytes]
    message: messages.Message


class Broker:
    """A kernel as JupyterLab sees it.

    :arg backend: None if it could not be started, for the reason *failure*.
    """

    def __init__(
        self,
        settings: Settings,
        signer: messages.Signer,
        front: Front,
        backend: Backend | None,
        failure: reasons.Failure | None = None,
    ) -> None:
        self._settings, self._signer, self._front = settings, signer, front
        self._backend = backend
        self._session = uuid.uuid4().hex
        self._phase = Phase.STARTING
        self._failure: reasons.Failure | None = None
        self._waiting: list[Request] = []
        self._noted: set[str] = set()
        self._note = ""
        # What the kernel works on, by number.
        self._asked: dict[str, Request] = {}
        self._kernel_answers = self._kernel_heard = self._torch_passed = False
        self._end_status: int | None = None
        self._job = ""
        self._now = self._began = self._next_sign = self._next_question = self._end_at = 0.0
        if failure:
            self._fail(failure)

    # --- the loop ---

    def run(self, signals: Signals, clock: t.Callable[[], float]) -> None:
        """Until JupyterLab, or a signal, ends the kernel."""
        self._now = self._began = self._next_sign = clock()
        self._next_question = self._began + _SOON
        self._front.watch(signals.fd)
        watched: set[int] = set()
        writing: int | None = None
        while self._phase is not Phase.OVER:
            wanted = self._backend.readable if self._backend else set()
            for fd in watched - wanted:
                self._front.forget(fd)
            for fd in wanted - watched:
                self._front.watch(fd)
            watched = set(wanted)
            # The number of a closed one may soon be that of another file.
            blocked = self._backend.stdin if self._backend and self._backend.wants_to_write else None
            if blocked != writing:
                if writing is not None:
                    self._front.forget(writing)
                if blocked is not None:
                    self._front.watch(blocked, for_writing=True)
                writing = blocked
            came = self._front.wait(self._pause())
            self._now = clock()
            if signals.take() & {signal.SIGTERM, signal.SIGHUP}:
                self._end()
            for channel, frames in came:
                self._from_jupyter(channel, frames)
            self._from_backend()
            self._on_time()

    def _pause(self) -> float:
        if self._backend is None:
            return 0.0 if self._phase is Phase.ENDING else 3600.0
        if self._phase in (Phase.ENDING, Phase.FAILED):
            return self._end_at - self._now
        if self._phase is Phase.STARTING:
            return min(self._next_sign, self._next_question) - self._now
        return self._next_sign - self._now

    def _on_time(self) -> None:
        if self._backend is None:
            if self._phase is Phase.ENDING:
                self._phase = Phase.OVER
            return
        if self._now >= self._next_sign:
            self._next_sign = self._now + _ALIVE
            self._backend.send(wire.Line("alive"))
        if self._phase is Phase.STARTING and self._now >= self._next_question:
            self._next_question = self._now + _QUEUE
            self._tell_what_it_waits_for()
        if self._phase in (Phase.ENDING, Phase.FAILED) and self._now >= self._end_at:
            self._backend.kill()
            if self._job:
                waiting.cancel(self._job)
            self._backend = None
            self._phase = Phase.OVER if self._phase is Phase.ENDING else Phase.FAILED

    # --- Jupyter's side ---

    def _from_jupyter(self, channel: str, frames: list[bytes]) -> None:
        message = messages.read(frames, self._signer)
        if message is None:
            # Not from this kernel's JupyterLab.
            return
        if message.kind == "shutdown_request":
            self._shutdown(channel, frames, message)
        elif message.kind == "interrupt_request":
            if self._backend and self._phase is Phase.RUNNING:
                self._backend.send(wire.Line("interrupt"))
            self._answer(answers.interrupt(), channel, message)
        elif self._phase is Phase.RUNNING:
            self._pass_on(Request(channel, frames, message))
        elif self._phase is Phase.STARTING:
            self._hold(Request(channel, frames, message))
        elif self._phase is Phase.FAILED and self._failure:
            self._answer(answers.failed(message, *self._failure), channel, message)

    def _shutdown(self, channel: str, frames: list[bytes], message: messages.Message) -> None:
        if self._phase is Phase.RUNNING and self._backend:
            self._backend.send(wire.Line("frames", channel, tuple(frames)))
            self._phase, self._end_at = Phase.ENDING, self._now + _END
        else:
            self._answer(answers.shutdown(message), channel, message)
            self._end()

    def _pass_on(self, request: Request) -> None:
        if request.channel in ("shell", "control"):
            self._asked[request.message.id] = request
        if self._backend:
            self._backend.send(wire.Line("frames", request.channel, tuple(request.frames)))

    def _hold(self, request: Request) -> None:
        if request.message.kind == "kernel_info_request" and self._now >= self._began + _SOON:
            self._answer(answers.kernel_info(self._note), request.channel, request.message)
            return
        self._waiting.append(request)
        self._show_note(request)

    def _show_note(self, request: Request) -> None:
        """Write below a cell what it waits for, once."""
        if self._note and request.message.kind == "execute_request" and request.message.id not in self._noted:
            self._noted.add(request.message.id)
            self._answer(answers.note(self._note), request.channel, request.message)

    def _answer(self, given: t.Sequence[answers.Answer], channel: str, request: messages.Message) -> None:
        for kind, content, to_all in given:
            identities = (kind.encode("ascii"),) if to_all else request.identities
            frames = messages.make(self._signer, kind, content, request.header, identities, self._session)
            self._front.send("iopub" if to_all else channel, frames)

    # --- the kernel's side ---

    def _from_backend(self) -> None:
        if self._backend is None:
            return
        self._backend.flush()
        for line in self._backend.read():
            self._take(line)
        status = self._backend.status()
        if status is None:
            return
        backend, self._backend = self._backend, None
        if self._job and status:
            # srun itself may have been killed, and its job goes on.
            waiting.cancel(self._job)
        if self._phase is Phase.ENDING:
            self._phase = Phase.OVER
        elif self._phase is not Phase.FAILED:
            was_ready = self._phase is Phase.RUNNING
            self._fail(reasons.of_end(self._settings, self._end_status, backend.errors, was_ready))

    def _take(self, line: wire.Line) -> None:
        if line.kind == "frames":
            self._frames(line.channel, list(line.frames))
        elif line.kind == "hello":
            self._job = line.content["job"]
            self._torch_passed = not self._settings.expect_cuda
            self._ask_kernel()
        elif line.kind == "verdict":
            self._torch_passed = True
            if line.content["failed"] and self._phase is Phase.STARTING:
                self._fail(reasons.of_verdict(self._settings, line.content["text"]))
            self._may_run()
        elif line.kind == "failed" and self._backend:
            self._fail(reasons.of_report(self._settings, line.content, self._backend.errors))
        elif line.kind == "end":
            self._end_status = line.content["status"]

    def _ask_kernel(self) -> None:
        frames = messages.make(self._signer, "kernel_info_request", {}, {}, (_OURS,), self._session)
        if self._backend:
            self._backend.send(wire.Line("frames", "shell", tuple(frames)))

    def _frames(self, channel: str, frames: list[bytes]) -> None:
        if frames and frames[0] == _OURS:
            self._kernel_answers = True
            if not self._kernel_heard:
                # It answers and publishes, and what it publishes is lost until its iopub channel is connected as well.
                self._ask_kernel()
            self._may_run()
            return
        if self._phase not in (Phase.RUNNING, Phase.ENDING):
            # Its own status: JupyterLab has not asked it anything yet.
            self._kernel_heard = self._kernel_heard or channel == "iopub"
            self._may_run()
            return
        if channel == "iopub":
            if frames and b"iopub_welcome" in frames[0]:
                return
        elif channel in ("shell", "control"):
            message = messages.read(frames, None)
            if message:
                self._asked.pop(str(message.parent.get("msg_id", "")), None)
        self._front.send(channel, frames)

    def _may_run(self) -> None:
        ready = self._kernel_answers and self._kernel_heard and self._torch_passed
        if self._phase is not Phase.STARTING or not ready:
            return
        self._phase = Phase.RUNNING
        held, self._waiting = self._waiting, []
        for request in held:
            if request.message.id in self._noted:
                self._answer(answers.NO_NOTE, request.channel, request.message)
            self._pass_on(request)

    # --- ends ---

    def _fail(self, failure: reasons.Failure) -> None:
        self._phase, self._failure, self._end_at = Phase.FAILED, failure, self._now + _END
        sys.stderr.write(failure.text + "\n")
        sys.stderr.flush()
        if self._backend:
            self._backend.hang_up()
        left = [*self._asked.values(), *self._waiting]
        self._asked, self._waiting = {}, []
        for request in left:
            self._answer(answers.failed(request.message, *failure), request.channel, request.message)

    def _end(self) -> None:
        if self._phase not in (Phase.ENDING, Phase.OVER):
            self._phase, self._end_at = Phase.ENDING, self._now + _END
        if self._backend:
            self._backend.hang_up()
        else:
            self._phase = Phase.OVER

    def _tell_what_it_waits_for(self) -> None:
        job = waiting.job_of(self._backend.errors) if self._backend else ""
        if self._settings.start == SLURM and job:
            note = waiting.what_it_waits_for(job)
        else:
            note = "The kernel %s is starting." % self._settings.display_name
        if note != self._note:
            self._note = note
            self._noted.clear()
            sys.stderr.write(note + "\n")
            sys.stderr.flush()
        held, self._waiting = self._waiting, []
        for request in held:
            self._hold(request)
