# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the probe, and comes back whatever the probe does. Private to hpc.pytorch.

Everything that touches the environment's folder happens in the child: on a file system that hangs, a mere stat in
this process could not be given up. The child looks, then becomes the interpreter; this process only reads and counts.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import resource
import selectors
import signal
import time
import typing as t

from .._host.errors import UserError
from . import probe
from .environment import find_interpreter, job_variables
from .report import DIED, FINISHED, TIMEOUT, Ending, Report, parse_records, read_report

FIRST_STEP = "look at the environment"
# How long a process may take to leave: after its last word, and after being killed (one in state D does not go).
LEAVING = 5.0
_OUTPUT_KEPT = 4000
_RECORDS_KEPT = 1 << 22
_BOOTSTRAP = (
    "import os, sys; stream = os.fdopen(int(sys.argv[2])); text = stream.read(); stream.close(); "
    "exec(compile(text, 'torch_probe', 'exec'))"
)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def run_probe(prefix: t.Optional[str], python: t.Optional[str], timeout: float) -> Report:
    """Look at the torch of *prefix* or of the interpreter *python*, for at most *timeout* seconds.

    No process of the probe is left behind, except one that the kernel does not let go.

    :raises UserError: the environment is none, or must not be run.
    """
    # Orphans of the probe come to this process instead of init, so they can be found.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = _children()
    started = time.monotonic()
    pipes = _Pipes()
    try:
        child = os.fork()
        if child == 0:
            _be_the_probe(prefix, python, pipes)
        pipes.close(pipes.records_in, pipes.output_in, pipes.source_out)
        heard = _listen(child, pipes, started + timeout)
        status = _end(child)
    finally:
        pipes.close_all()
        _kill_strays(before)
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
    how = FINISHED if heard.said_end else DIED if heard.went_alone else TIMEOUT
    ending = Ending(
        how=how,
        status=status,
        seconds=time.monotonic() - started,
        output=heard.output.decode("utf-8", "replace"),
        stuck=status is None,
    )
    report = read_report(parse_records(heard.records), ending, FIRST_STEP)
    if report.refused is not None:
        raise UserError(report.refused["expected"], report.refused["found"], report.refused["remedy"])
    return report


class _Pipes:
    """The three pipes between this process and the probe; every end is closed once."""

    def __init__(self) -> None:
        self.records_out, self.records_in = os.pipe()
        self.output_out, self.output_in = os.pipe()
        self.source_out, self.source_in = os.pipe()
        self._open = set(vars(self).values())

    def close(self, *ends: int) -> None:
        for end in ends:
            if end in self._open:
                self._open.remove(end)
                os.close(end)

    def close_all(self) -> None:
        self.close(*list(self._open))


class _Heard(t.NamedTuple):
    records: bytes
    output: bytes
    said_end: bool
    went_alone: bool


def _listen(child: int, pipes: _Pipes, deadline: float) -> _Heard:
    """Send the source, and read until the probe has gone or the time is up. The child is left to be reaped."""
    source = memoryview(inspect.getsource(probe).encode("ascii"))
    records, output = bytearray(), bytearray()
    said_end = gone = False
    with selectors.DefaultSelector() as selector:
        for end in (pipes.records_out, pipes.output_out, pipes.source_in):
            os.set_blocking(end, False)
        selector.register(pipes.records_out, selectors.EVENT_READ)
        selector.register(pipes.output_out, selectors.EVENT_READ)
        selector.register(pipes.source_in, selectors.EVENT_WRITE)
        pause = 0.1
        while True:
            # Seen before reading: what is in the pipes after that is all there will be from the probe itself.
            gone = _has_gone(child)
            events = selector.select(0 if gone else max(0.0, min(pause, deadline - time.monotonic())))
            for key, _mask in events:
                if key.fd == pipes.source_in:
                    source = _send(key.fd, source)
                    if not source:
                        selector.unregister(key.fd)
                        pipes.close(key.fd)
                    continue
                data = _receive(key.fd)
                if not data:
                    selector.unregister(key.fd)
                    # The probe is about to go: look for that more often.
                    pause = 0.01
                elif key.fd == pipes.output_out:
                    output = (output + data)[-_OUTPUT_KEPT:]
                elif len(records) < _RECORDS_KEPT:
                    records += data
                    if not said_end and _ends(records):
                        said_end = True
                        deadline = min(deadline, time.monotonic() + LEAVING)
            reading = [key for key, mask in events if key.fd != pipes.source_in]
            if gone and not reading or time.monotonic() >= deadline:
                return _Heard(bytes(records), bytes(output), said_end, gone)


def _send(end: int, data: memoryview) -> memoryview:
    try:
        return data[os.write(end, data[:65536]):]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return data[:0]


def _receive(end: int) -> bytes:
    try:
        return os.read(end, 65536)
    except BlockingIOError:
        return b""


def _ends(records: bytearray) -> bool:
    return any(record == {"kind": "step", "step": "end"} for record in parse_records(bytes(records[-200:])))


def _has_gone(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: int) -> t.Optional[int]:
    """Kill the child's whole group and reap the child: its status as subprocess has it, None when it stays."""
    # The child is not reaped yet, so its number still is its group's.
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        # Not yet a group of its own, right after the fork.
        os.kill(child, signal.SIGKILL)
    limit = time.monotonic() + LEAVING
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if time.monotonic() >= limit:
            return None
        time.sleep(0.01)


def _children() -> set[int]:
    """The numbers of this process's children, where the kernel lists them."""
    result: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open("/proc/self/task/%s/children" % task, "rb") as stream:
                result.update(int(number) for number in stream.read().split())
    except OSError:
        pass
    return result


def _kill_strays(before: set[int]) -> None:
    """Kill what left the probe's group and came to this process when its parent died, and what that leaves in turn."""
    for _round in range(50):
        strays = _children() - before
        if not strays:
            return
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
            except (ProcessLookupError, ChildProcessError):
                pass
        time.sleep(0.01)


def _be_the_probe(prefix: t.Optional[str], python: t.Optional[str], pipes: _Pipes) -> t.NoReturn:
    """In the child: look at the environment, then become its interpreter."""
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _leave_no_core()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(pipes.output_in, 1)
        os.dup2(pipes.output_in, 2)
        _close_all_but(0, 1, 2, pipes.records_in, pipes.source_out)
        # Neither a package in the current folder nor a folder that is gone shall matter.
        os.chdir("/")
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _tell(pipes, kind="step", step=FIRST_STEP)
        try:
            found = find_interpreter(prefix, python)
        except UserError as error:
            _tell(pipes, kind="refused", expected=error.expected, found=error.found, remedy=error.remedy)
            os._exit(0)
        _tell(pipes, kind="step", step="start python")
        os.set_inheritable(pipes.records_in, True)
        os.set_inheritable(pipes.source_out, True)
        ends = [str(pipes.records_in), str(pipes.source_out)]
        command = [found.python, "-B", "-X", "faulthandler", "-c", _BOOTSTRAP]
        try:
            os.execve(found.python, command + ends, job_variables(found, os.environ))
        except OSError as error:
            _tell(pipes, kind="exec_failed", path=found.python, error=error.strerror)
            os._exit(126)
    except BaseException as error:
        os.write(2, repr(error).encode("utf-8", "replace"))
    finally:
        # Never back into the caller: there would be two of it.
        os._exit(125)


def _tell(pipes: _Pipes, **record: t.Any) -> None:
    os.write(pipes.records_in, (json.dumps(record) + "\n").encode("ascii"))


def _leave_no_core() -> None:
    # 1 is the kernel's word for "no dump", also where dumps go to a program and other limits do not count.
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = 1 if hard == resource.RLIM_INFINITY or hard >= 1 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def _close_all_but(*kept: int) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass


def _prctl(option: int, value: int) -> None:
    """Best effort: what it buys is tidiness."""
    try:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (OSError, AttributeError):
        pass
