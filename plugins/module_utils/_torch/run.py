# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the probe, and returns in time even if the probe hangs or crashes. Private to hpc.pytorch.

Only the child touches the environment's folder: on a file system that hangs, even a stat in this process could not be
abandoned. The child checks the environment, then becomes its interpreter; this process only reads records and waits.

If a device hangs for too long, the probe is killed, and another one goes on with the other devices.
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

from .._common.errors import UserError, one_line
from .._common.lines import lines_of, visible
from .._files.environment import roots_own
from .environment import (
    LIBRARY_VARIABLES,
    find_interpreter,
    job_variables,
    loading_variables,
    require_trusted_variables,
    setting_variables,
)
from .plan import Plan, fewest, gets_further, library_check, package_check, settings_check, what_is_left
from .probe import doubled, kernels, libraries, main, node, numpy_arrays, origin, package, surroundings, talk
from .records import MOST_RECORDS, NotUnderstood, understood
from .report import DIED, FINISHED, TIMEOUT, Broken, Ending, Report, parse_records, read_report

FIRST_STEP = "check the environment"
DEVICE_TIMEOUT = 30.0
# How many seconds a process may take to end: after its last record, and after SIGKILL (one in state D does not end).
LEAVING = 5.0
# Records that count as the first probe sends them. Of every other kind a later probe may send a newer one.
FIRST_COUNTS = frozenset(
    ("refused", "exec_failed", "node", "library_path", "python", "torch_missing", "torch_found", "import_failed")
    + ("torch", "cpu", "cuda", "variables", "settings", "outside")
)
_PARTS = (talk, package, origin, kernels, numpy_arrays, libraries, doubled, surroundings, node, main)
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
    """Test the torch of *prefix* or of the interpreter *python*, for at most *timeout* seconds.

    No process of the probe is left behind, except one that the kernel cannot end.

    :arg device_timeout: seconds for each device, for the all-reduce, and for each check of a driver in trouble.
    :arg expect_devices: with another number of devices the probe searches for the cause.
    :arg root: the folder that has ``/dev`` and ``/proc/driver``; for tests.
    :raises UserError: there is no environment, or it must not be run.
    """
    started = time.monotonic()
    place = _Place(prefix, python, root, started + timeout, device_timeout)
    records: list[dict[str, t.Any]] = []
    broken: list[Broken] = []
    plan: Plan | None = Plan(expect=expect_devices)
    while plan is not None:
        outcome = _one_probe(place, plan)
        if outcome.ending.odd:
            # Nothing that such an interpreter sent before is evidence, least of all against the node.
            records, broken, ending = [], [], outcome.ending
            break
        records += [record for record in outcome.records if not records or record["kind"] not in FIRST_COUNTS]
        ending = outcome.ending
        if outcome.task is not None and ending.how != FINISHED and time.monotonic() < place.deadline:
            broken.append(Broken(outcome.task, outcome.step, ending))
            plan = what_is_left(plan, read_report(records, ending, FIRST_STEP, broken))
            ending = ending._replace(how=FINISHED)
        else:
            plan = None
    ending = ending._replace(seconds=time.monotonic() - started)
    report = read_report(records, ending, FIRST_STEP, broken)
    if report.refused is not None:
        raise UserError(report.refused["expected"], report.refused["found"], report.refused["remedy"])
    report = _compare(place, report) if not ending.odd else report
    return report._replace(ending=ending._replace(seconds=time.monotonic() - started))


def _compare(place: _Place, report: Report) -> Report:
    """Try what failed once more without the variables and packages that may be the cause.

    Libraries and packages each by themselves, then both; and without the settings of torch if none of that helped.
    """

    def helps(plan: Plan | None, without: t.Sequence[str] = ()) -> bool | None:
        if plan is None:
            return None
        outcome = _one_probe(place, plan, without)
        if outcome.ending.odd or outcome.ending.how == TIMEOUT and outcome.task is None:
            return None
        return gets_further(read_report(outcome.records, outcome.ending, FIRST_STEP), report, plan)

    def is_cause(plan: Plan | None, without: t.Sequence[str] = ()) -> bool | None:
        # Once more with all of them: what only failed once is no fault of theirs.
        found = helps(plan, without)
        return found and plan is not None and not helps(plan._replace(alone=False))

    packages = package_check(report)
    without = is_cause(library_check(report), LIBRARY_VARIABLES)
    alone = is_cause(packages) if not without else None
    if without is False and alone is False and is_cause(packages, LIBRARY_VARIABLES):
        without = alone = True
    plan = settings_check(report) if not (without or alone) else None
    unset = fewest(tuple(report.settings), lambda names: helps(plan, names)) if plan else ()
    return report._replace(without=without, alone=alone, unset=unset)


def bundle(plan: Plan, root: str = "") -> bytes:
    """Return the input of BOOTSTRAP: the probe's files and its plan."""
    parts = [(part.__name__.rpartition(".")[2], inspect.getsource(part)) for part in _PARTS]
    return json.dumps({"parts": parts, "plan": dict(plan._asdict(), root=root)}).encode("ascii")


class _Place(t.NamedTuple):
    """The arguments that all probes of one call share."""

    prefix: str | None
    python: str | None
    root: str
    deadline: float
    device_timeout: float


class _Outcome(t.NamedTuple):
    """The result of one probe; *task* is None if it ended outside of one."""

    records: list[dict[str, t.Any]]
    task: str | None
    step: str
    ending: Ending


def _one_probe(place: _Place, plan: Plan, without: t.Sequence[str] = ()) -> _Outcome:
    """Start a probe and wait for it.

    :arg without: variables to remove from its environment.
    """
    # Orphans of the probe become children of this process instead of init, so they can be found.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = _children()
    started = time.monotonic()
    pipes = _Pipes()
    try:
        child = os.fork()
        if child == 0:
            _become_probe(place, pipes, without, plan.alone)
        pipes.close(pipes.records_in, pipes.output_in, pipes.source_out)
        received = _receive_all(child, pipes, bundle(plan, place.root), place)
        status = _end(child)
    finally:
        pipes.close_all()
        _kill_strays(before)
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
    odd = received.watch.odd
    ending = Ending(
        how=DIED if odd else FINISHED if received.watch.reached_end else DIED if received.ended_alone else TIMEOUT,
        status=status,
        seconds=received.watch.in_task(time.monotonic()) or time.monotonic() - started,
        output="\n".join(visible(line) for line in lines_of(received.output.decode("utf-8", "replace"))),
        stuck=status is None,
        odd=odd,
    )
    return _Outcome(received.watch.records, received.watch.task if not odd else None, received.watch.step, ending)


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
    """Collects the records, and keeps the time limit of the current step."""

    def __init__(self, deadline: float, device_timeout: float) -> None:
        self.records: list[dict[str, t.Any]] = []
        self.step = FIRST_STEP
        self.task: str | None = None
        self.reached_end = False
        self.limit = self._deadline = deadline
        self._device_timeout = device_timeout
        self._task_began = 0.0
        # Why the answer is not understood; nothing more is taken then.
        self.odd = ""
        self._rest = b""
        self._room = _RECORDS_KEPT

    def take(self, data: bytes, now: float) -> None:
        if self.odd:
            return
        self._room -= len(data)
        if self._room < 0:
            self._give_up("more than %d bytes" % _RECORDS_KEPT, now)
            return
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        for found in parse_records(lines + newline):
            try:
                record = understood(found)
            except NotUnderstood as error:
                self._give_up(str(error), now)
                return
            self.records.append(record)
            if len(self.records) > MOST_RECORDS:
                self._give_up("more than %d records" % MOST_RECORDS, now)
                return
            if record["kind"] == "step":
                self._next(record["step"], record.get("task"), now)

    def _give_up(self, why: str, now: float) -> None:
        self.odd, self.limit = one_line(why)[:300], now

    def _next(self, step: str, task: str | None, now: float) -> None:
        self.step = step
        if step == "end":
            self.reached_end = True
            self.limit = min(self._deadline, now + LEAVING)
        elif task != self.task:
            self._task_began = now
            self.limit = self._deadline if task is None else min(self._deadline, now + self._device_timeout)
        self.task = task

    def in_task(self, now: float) -> float | None:
        """Return how long the task has been running, or None outside of one."""
        return None if self.task is None else now - self._task_began


class _Received(t.NamedTuple):
    watch: _Watch
    output: bytes
    ended_alone: bool


def _receive_all(child: int, pipes: _Pipes, source: bytes, place: _Place) -> _Received:
    """Send the sources, and read until the probe has ended or the time is up. The caller has to reap the child."""
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
            # Checked before reading: after its end the probe itself adds nothing to the pipes.
            has_ended = _has_ended(child)
            events = selector.select(0 if has_ended else max(0.0, min(pause, watch.limit - time.monotonic())))
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
                    # The probe is about to end: check for that more often.
                    pause = 0.01
                elif key.fd == pipes.output_out:
                    output = (output + data)[-_OUTPUT_KEPT:]
                else:
                    watch.take(data, time.monotonic())
            reading = [key for key, mask in events if key.fd != pipes.source_in]
            if has_ended and not reading or time.monotonic() >= watch.limit:
                return _Received(watch, bytes(output), has_ended)


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


def _has_ended(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: int) -> int | None:
    """Kill the child's group and reap the child. Return its status as subprocess does, or None if it does not end."""
    # The child is not reaped yet, so its number is still that of its group.
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        # Right after the fork it has no group of its own yet.
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
    """Return the numbers of this process's children, if the kernel lists them."""
    result: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open("/proc/self/task/%s/children" % task, "rb") as stream:
                result.update(int(number) for number in stream.read().split())
    except OSError:
        pass
    return result


def _kill_strays(before: set[int]) -> None:
    """Kill processes that left the probe's group and became children of this process, and their own children."""
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


def _become_probe(place: _Place, pipes: _Pipes, without: t.Sequence[str], alone: bool) -> t.NoReturn:
    """In the child: check the environment, then become its interpreter."""
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _leave_no_core()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(pipes.output_in, 1)
        os.dup2(pipes.output_in, 2)
        _close_all_but(0, 1, 2, pipes.records_in, pipes.source_out)
        # Neither packages in the current folder nor a missing folder may have an effect.
        os.chdir("/")
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _send_record(pipes, kind="step", step=FIRST_STEP)
        try:
            found = find_interpreter(place.prefix, place.python)
            variables = {name: value for name, value in os.environ.items() if name not in without}
            require_trusted_variables(variables)
            # The rest has no effect if it is another user's, such as a home that sudo has kept.
            variables = roots_own(variables)
        except UserError as error:
            _send_record(pipes, kind="refused", expected=error.expected, found=error.found, remedy=error.remedy)
            os._exit(0)
        loading = loading_variables(variables)
        if loading:
            _send_record(pipes, kind="variables", variables=loading)
        settings = setting_variables(variables)
        if settings:
            _send_record(pipes, kind="settings", settings=settings)
        _send_record(pipes, kind="step", step="start python")
        os.set_inheritable(pipes.records_in, True)
        os.set_inheritable(pipes.source_out, True)
        ends = [str(pipes.records_in), str(pipes.source_out)]
        command = [found.python, "-B", "-X", "faulthandler", "-c", BOOTSTRAP]
        if alone:
            # By variables and not by -I: Python that torch starts counts too.
            variables = {
                name: value for name, value in variables.items() if name not in loading or name in LIBRARY_VARIABLES
            }
            variables["PYTHONNOUSERSITE"] = "1"
        try:
            os.execve(found.python, command + ends, job_variables(found, variables))
        except OSError as error:
            _send_record(pipes, kind="exec_failed", path=found.python, error=error.strerror)
            os._exit(126)
    except BaseException as error:
        os.write(2, repr(error).encode("utf-8", "replace"))
    finally:
        # Never return to the caller: there would be two of it.
        os._exit(125)


def _send_record(pipes: _Pipes, **record: t.Any) -> None:
    os.write(pipes.records_in, (json.dumps(record) + "\n").encode("ascii"))


def _leave_no_core() -> None:
    # 1 means no dump to the kernel, also if dumps go to a program and other limits do not count.
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
    """Call prctl if there is one: it only helps to clean up."""
    try:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (OSError, AttributeError):
        pass
