# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the probe, and comes back whatever the probe does. Private to hpc.pytorch.

Everything that touches the environment's folder happens in the child: on a file system that hangs, a mere stat in
this process could not be given up. The child looks, then becomes the interpreter; this process only reads and counts.

A device that hangs is given up after a while: the probe is killed, and another one goes on with the other devices.
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

from .._common.errors import UserError
from .environment import find_interpreter, job_variables, require_trusted_variables
from .plan import Plan, counter_check, what_is_left
from .probe import kernels, libraries, main, node, package, talk
from .report import DIED, FINISHED, TIMEOUT, Broken, Ending, Report, parse_records, read_report

FIRST_STEP = "look at the environment"
DEVICE_TIMEOUT = 30.0
# How long a process may take to leave: after its last word, and after being killed (one in state D does not go).
LEAVING = 5.0
# What puts libraries before those of the environment.
LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD")
# Records that count as the first probe sends them. Of every other kind a later probe may send a newer one.
FIRST_COUNTS = frozenset(
    ("refused", "exec_failed", "node", "library_path", "python", "torch_missing", "torch_found", "import_failed")
    + ("torch", "cpu", "cuda")
)
_PARTS = (talk, package, kernels, libraries, node, main)
_OUTPUT_KEPT = 4000
_RECORDS_KEPT = 1 << 22
BOOTSTRAP = """
import json, os, sys, types
stream = os.fdopen(int(sys.argv[2]))
bundle = json.load(stream)
stream.close()
parts = types.SimpleNamespace()
for name, text in bundle["parts"]:
    names = {"__name__": "torch_probe_" + name}
    exec(compile(text, "torch_probe/" + name + ".py", "exec"), names)
    setattr(parts, name, types.SimpleNamespace(**names))
parts.main.main(parts, int(sys.argv[1]), bundle["plan"])
"""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def run_probe(
    prefix: str | None,
    python: str | None,
    timeout: float,
    device_timeout: float = DEVICE_TIMEOUT,
    expect_devices: int | None = None,
    root: str = "",
) -> Report:
    """Look at the torch of *prefix* or of the interpreter *python*, for at most *timeout* seconds.

    No process of the probe is left behind, except one that the kernel does not let go.

    :arg device_timeout: seconds for each device, for the all-reduce, and for each look at a driver in trouble.
    :arg expect_devices: another number of devices makes the probe look for the cause.
    :arg root: where ``/dev`` and ``/proc/driver`` are looked for; for tests.
    :raises UserError: the environment is none, or must not be run.
    """
    started = time.monotonic()
    place = _Place(prefix, python, root, started + timeout, device_timeout)
    records: list[dict[str, t.Any]] = []
    broken: list[Broken] = []
    plan: Plan | None = Plan(expect=expect_devices)
    while plan is not None:
        told = _one_probe(place, plan)
        records += [record for record in told.records if not records or record["kind"] not in FIRST_COUNTS]
        ending = told.ending
        if told.task is not None and ending.how != FINISHED and time.monotonic() < place.deadline:
            broken.append(Broken(told.task, told.step, ending))
            plan = what_is_left(plan, read_report(records, ending, FIRST_STEP, broken))
            ending = ending._replace(how=FINISHED)
        else:
            plan = None
    ending = ending._replace(seconds=time.monotonic() - started)
    report = read_report(records, ending, FIRST_STEP, broken)
    if report.refused is not None:
        raise UserError(report.refused["expected"], report.refused["found"], report.refused["remedy"])
    plan = counter_check(report)
    if plan is None:
        return report
    told = _one_probe(place, plan, LIBRARY_VARIABLES)
    other = read_report(told.records, told.ending, FIRST_STEP)
    without = None if told.ending.how == TIMEOUT and told.task is None else gets_further(other, report)
    ending = ending._replace(seconds=time.monotonic() - started)
    return report._replace(ending=ending, without=without)


def bundle(plan: Plan, root: str = "") -> bytes:
    """What BOOTSTRAP reads: the probe's files and what they shall do."""
    parts = [(part.__name__.rpartition(".")[2], inspect.getsource(part)) for part in _PARTS]
    return json.dumps({"parts": parts, "plan": dict(plan._asdict(), root=root)}).encode("ascii")


def gets_further(other: Report, report: Report) -> bool:
    """Whether the counter-check *other* does what *report* failed to do."""
    if other.cpu is None or not other.cpu["passed"]:
        return False
    if report.cuda is None:
        return True
    if not other.cuda or not other.cuda["count"]:
        return False
    failed = [item["index"] for item in report.devices if item["state"] in ("failed", "died")]
    passed = [item["index"] for item in other.devices if item["passed"]]
    return set(failed) <= set(passed)


class _Place(t.NamedTuple):
    """What all probes of one call have in common."""

    prefix: str | None
    python: str | None
    root: str
    deadline: float
    device_timeout: float


class _Told(t.NamedTuple):
    """What one probe told; *task* is None when it ended outside of one."""

    records: list[dict[str, t.Any]]
    task: str | None
    step: str
    ending: Ending


def _one_probe(place: _Place, plan: Plan, without: t.Sequence[str] = ()) -> _Told:
    """Start a probe and wait for it.

    :arg without: variables that it does not get.
    """
    # Orphans of the probe come to this process instead of init, so they can be found.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = _children()
    started = time.monotonic()
    pipes = _Pipes()
    try:
        child = os.fork()
        if child == 0:
            _be_the_probe(place, pipes, without)
        pipes.close(pipes.records_in, pipes.output_in, pipes.source_out)
        heard = _listen(child, pipes, bundle(plan, place.root), place)
        status = _end(child)
    finally:
        pipes.close_all()
        _kill_strays(before)
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
    ending = Ending(
        how=FINISHED if heard.watch.said_end else DIED if heard.went_alone else TIMEOUT,
        status=status,
        seconds=heard.watch.in_task(time.monotonic()) or time.monotonic() - started,
        output=heard.output.decode("utf-8", "replace"),
        stuck=status is None,
    )
    return _Told(heard.watch.records, heard.watch.task, heard.watch.step, ending)


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


class _Watch:
    """Takes the records in and knows until when the probe may go on."""

    def __init__(self, deadline: float, device_timeout: float) -> None:
        self.records: list[dict[str, t.Any]] = []
        self.step = FIRST_STEP
        self.task: str | None = None
        self.said_end = False
        self.limit = self._deadline = deadline
        self._device_timeout = device_timeout
        self._task_began = 0.0
        self._rest = b""
        self._room = _RECORDS_KEPT

    def take(self, data: bytes, now: float) -> None:
        self._room -= len(data)
        if self._room < 0:
            return
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        for record in parse_records(lines + newline):
            self.records.append(record)
            if record["kind"] == "step":
                self._next(record["step"], record.get("task"), now)

    def _next(self, step: str, task: str | None, now: float) -> None:
        self.step = step
        if step == "end":
            self.said_end = True
            self.limit = min(self._deadline, now + LEAVING)
        elif task != self.task:
            self._task_began = now
            self.limit = self._deadline if task is None else min(self._deadline, now + self._device_timeout)
        self.task = task

    def in_task(self, now: float) -> float | None:
        """How long the task has been running."""
        return None if self.task is None else now - self._task_began


class _Heard(t.NamedTuple):
    watch: _Watch
    output: bytes
    went_alone: bool


def _listen(child: int, pipes: _Pipes, source: bytes, place: _Place) -> _Heard:
    """Send the sources, and read until the probe has gone or the time is up. The child is left to be reaped."""
    rest = memoryview(source)
    watch, output = _Watch(place.deadline, place.device_timeout), bytearray()
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
            events = selector.select(0 if gone else max(0.0, min(pause, watch.limit - time.monotonic())))
            for key, _mask in events:
                if key.fd == pipes.source_in:
                    rest = _send(key.fd, rest)
                    if not rest:
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
                else:
                    watch.take(data, time.monotonic())
            reading = [key for key, mask in events if key.fd != pipes.source_in]
            if gone and not reading or time.monotonic() >= watch.limit:
                return _Heard(watch, bytes(output), gone)


def _send(end: int, data: memoryview) -> memoryview:
    try:
        return data[os.write(end, data[:65536]) :]
    except BlockingIOError:
        return data
    except BrokenPipeError:
        return data[:0]


def _receive(end: int) -> bytes:
    try:
        return os.read(end, 65536)
    except BlockingIOError:
        return b""


def _has_gone(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: int) -> int | None:
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


def _be_the_probe(place: _Place, pipes: _Pipes, without: t.Sequence[str]) -> t.NoReturn:
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
            found = find_interpreter(place.prefix, place.python)
            variables = {name: value for name, value in os.environ.items() if name not in without}
            require_trusted_variables(variables)
        except UserError as error:
            _tell(pipes, kind="refused", expected=error.expected, found=error.found, remedy=error.remedy)
            os._exit(0)
        _tell(pipes, kind="step", step="start python")
        os.set_inheritable(pipes.records_in, True)
        os.set_inheritable(pipes.source_out, True)
        ends = [str(pipes.records_in), str(pipes.source_out)]
        command = [found.python, "-B", "-X", "faulthandler", "-c", BOOTSTRAP]
        try:
            os.execve(found.python, command + ends, job_variables(found, variables))
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
