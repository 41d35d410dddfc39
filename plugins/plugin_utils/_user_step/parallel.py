# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the same piece of work for several names at the same time. Private to hpc.pytorch.

Each runs in a process of its own, a copy of the calling one: what it changes there is gone with it.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import traceback
import typing as t

from .signals import blocked

Result = t.Dict[str, t.Any]
# Python handles a signal that comes just before a system call only after that call, which may never return. So what
# waits does so for at most these seconds, and an alarm comes again.
_AGAIN = 1.0


class TooLong(BaseException):
    """The time of one name is over. No code that the work calls takes it for an error of its own."""


class _Running(t.NamedTuple):
    """The process of one name, and what it has written so far."""

    name: str
    pid: int
    written: bytearray


def at_once(
    names: t.Sequence[str],
    work: t.Callable[[str], Result],
    most: int,
    seconds: int = 0,
) -> dict[str, Result]:
    """The result of *work* for each name, in the order of the names.

    :arg work: its result is carried as JSON.
    :arg most: how many may run at the same time.
    :arg seconds: after which the work for a name ends with the keys ``failed`` and ``timedout``. 0: no limit.
    """
    waiting = list(reversed(names))
    running: dict[int, _Running] = {}
    results: dict[str, Result] = {}
    selector = selectors.DefaultSelector()
    try:
        while waiting or running:
            while waiting and len(running) < max(1, most):
                name = waiting.pop()
                # A signal between the start of a process and the note of it would leave that process running. This
                # thread is the only one that takes signals, as in Ansible's workers: ours for progress blocks them.
                with blocked(signal.valid_signals()) as signals:
                    read_end, pid = _start(name, work, seconds, signals)
                    running[read_end] = _Running(name, pid, bytearray())
                selector.register(read_end, selectors.EVENT_READ)
            for key, _events in selector.select(_AGAIN):
                each, chunk = running[key.fd], os.read(key.fd, 1 << 16)
                each.written.extend(chunk)
                if not chunk:
                    selector.unregister(key.fd)
                    # First: what is closed must not be closed again if a signal comes now.
                    del running[key.fd]
                    os.close(key.fd)
                    results[each.name] = _result(each)
    finally:
        # Only after an error or an interruption is there any left.
        for read_end, each in running.items():
            os.close(read_end)
            os.kill(each.pid, signal.SIGTERM)
            os.waitpid(each.pid, 0)
        selector.close()
    return {name: results[name] for name in names}


def _start(name: str, work: t.Callable[[str], Result], seconds: int, signals: t.AbstractSet[int]) -> tuple[int, int]:
    """The end of a pipe from which to read the result, and the process that writes it.

    :arg signals: those that the process blocks.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return read_end, pid
    try:
        # Ansible's own handlers would end the process group of the parent.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        answer = json.dumps(_limited(name, work, seconds), default=str).encode()
        with open(write_end, "wb", closefd=False) as stream:
            stream.write(answer)
    finally:
        # Nothing of the parent's may run a second time, whatever happened.
        os._exit(0)


def _limited(name: str, work: t.Callable[[str], Result], seconds: int) -> Result:
    def end(_signal: int, _frame: t.Any) -> None:
        # What the work does to clean up takes its time. But Python drops what is raised in a finalizer: then once more.
        if not _is_cleaning_up():
            raise TooLong

    signal.signal(signal.SIGALRM, end)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, max(0, seconds), _AGAIN)
            return work(name)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TooLong:
        # It may have come just before the line above.
        signal.setitimer(signal.ITIMER_REAL, 0)
        return {"failed": True, "timedout": {"period": seconds}, "msg": "it took longer than %d seconds" % seconds}
    except Exception as error:
        return {"failed": True, "msg": str(error) or type(error).__name__, "exception": traceback.format_exc()}


def _is_cleaning_up() -> bool:
    """Whether this is called while TooLong is on its way out of the work."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, TooLong):
        error = error.__context__
    return error is not None


def _result(process: _Running) -> Result:
    """What the process has answered; a failure if it ended before."""
    _pid, status = os.waitpid(process.pid, 0)
    try:
        result = json.loads(bytes(process.written))
    except ValueError:
        result = None
    if isinstance(result, dict):
        return result
    code = os.waitstatus_to_exitcode(status)
    how = "signal %d" % -code if code < 0 else "exit status %d" % code
    return {"failed": True, "msg": "the process of this step ended with %s and without a result" % how}
