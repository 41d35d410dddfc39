# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts every command that the collection runs; nothing else imports subprocess. Private to hpc.pytorch.

A command is a list of arguments, never a line for a shell. The caller names its variables, its language among them;
its output is read as UTF-8. It runs in ``/`` unless the caller names a folder.

Ctrl-C and SIGTERM end a module at once, with its threads and commands. Python raises KeyboardInterrupt in the main
thread alone, and then waits for the others, so long work in a thread calls :func:`check`. What is left behind is what a
killed module leaves; the next run removes it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import typing as t

from .lines import lines_of, visible

NOTHING = subprocess.DEVNULL
PIPE = subprocess.PIPE
WITH_OUTPUT = subprocess.STDOUT
TimeoutExpired = subprocess.TimeoutExpired

_LARGEST = 1024 * 1024

Environment = t.Mapping[str, str]


# What runs now, by its number, and whether it leads a session of its own.
_started: dict[int, tuple[subprocess.Popen[bytes], bool]] = {}
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# starting: the main thread starts a command; interrupted: and a signal came meanwhile. ending: a signal came, and the
# other threads start nothing more. owner: the process that set the handlers. forwards: signals are for its child.
_state: dict[str, int] = dict.fromkeys(("starting", "interrupted", "ending", "owner", "forwards"), 0)


class OutOfTime(Exception):
    """A command took longer than it may. It has been killed."""


class Done(t.NamedTuple):
    """The end of a command. ``returncode`` is the negative number of a signal that ended it."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def last_error(self) -> str:
        """The last line on standard error; without one, the exit status."""
        lines = lines_of(self.stderr.strip())
        return lines[-1] if lines else "exit status %d" % self.returncode


class Result(t.NamedTuple):
    """The result of a command. ``rc`` is None if it could not start or ran out of time; ``error`` says which."""

    rc: int | None
    stdout: str
    stderr: str
    error: str

    @property
    def problem(self) -> str:
        """Why the command failed, in a few words; empty if it succeeded."""
        if self.error:
            return self.error
        if self.rc:
            lines = lines_of(self.stderr.strip() or self.stdout.strip())
            return "exit status %d%s" % (self.rc, ": " + visible(lines[-1], 300) if lines else "")
        return ""


def start(
    argv: t.Sequence[str],
    environment: Environment,
    *,
    stdin: t.Any = NOTHING,
    stdout: t.Any = NOTHING,
    stderr: t.Any = NOTHING,
    folder: str | None = "/",
    alone: bool = False,
    descriptors: t.Sequence[int] | None = (),
) -> subprocess.Popen[bytes]:
    """Start a command and return at once.

    :arg stdin: NOTHING, PIPE or an open file; the other streams as well, and *stderr* may be WITH_OUTPUT.
    :arg folder: where it runs; None for the current folder.
    :arg alone: in a session of its own, which no Ctrl-C reaches.
    :arg descriptors: what it inherits besides; None for all that are inheritable.
    :raises OSError: it cannot be started.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        # Only here: a thread that read it and wrote it back could leave it set, and a signal would end nothing.
        _state["starting"] = True
    try:
        process = _popen(list(argv), environment, stdin, stdout, stderr, folder, alone, descriptors)
        for ended in [each for each, _alone in list(_started.values()) if each.returncode is not None]:
            _started.pop(ended.pid, None)
        _started[process.pid] = process, alone
    finally:
        if is_main:
            _state["starting"] = False
    if _state["interrupted"] if is_main else _state["ending"]:
        _state["interrupted"] = False
        _kill(process, alone)
        raise KeyboardInterrupt
    return process


def _popen(
    argv: list[str],
    environment: Environment,
    stdin: t.Any,
    stdout: t.Any,
    stderr: t.Any,
    folder: str | None,
    alone: bool,
    descriptors: t.Sequence[int] | None,
) -> subprocess.Popen[bytes]:
    # AnsibleModule.run_command needs a module, which the commands for users have not; it takes no time limit and shows
    # no output before the end.
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        env=dict(environment),
        start_new_session=alone,
        close_fds=descriptors is not None,
        pass_fds=descriptors or (),
    )


def run(
    argv: t.Sequence[str],
    environment: Environment,
    *,
    seconds: float | None = None,
    given: str | bytes | None = None,
    folder: str | None = "/",
    alone: bool | None = None,
    descriptors: t.Sequence[int] | None = (),
) -> Done:
    """Run a command to its end.

    :arg seconds: its time limit; None for work without a usual length, such as a download.
    :arg given: its standard input.
    :arg alone: in a session of its own: an error, or the end of its time, kills what it has started, too. By default a
        command with a time limit is; the others end with this process when a terminal does.
    :arg folder: as for :func:`start`, and *descriptors*.
    :raises OSError: it cannot be started.
    :raises OutOfTime: it took longer than *seconds*.
    """
    if alone is None:
        alone = seconds is not None
    data = given.encode("utf-8", "replace") if isinstance(given, str) else given
    with start(
        argv,
        environment,
        stdin=NOTHING if data is None else PIPE,
        stdout=PIPE,
        stderr=PIPE,
        folder=folder,
        alone=alone,
        descriptors=descriptors,
    ) as process:
        try:
            out, err = process.communicate(data, timeout=seconds)
        except BaseException as error:
            _kill(process, alone)
            if isinstance(error, subprocess.TimeoutExpired):
                raise OutOfTime("no answer within %g seconds" % t.cast(float, seconds)) from None
            raise
    # Not decoded by Popen, which would make a line break of each carriage return.
    return Done(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def follow(
    argv: t.Sequence[str],
    environment: Environment,
    on_line: t.Callable[[str], None],
    *,
    folder: str = "/",
    descriptors: t.Sequence[int] = (),
    stops: bool = False,
) -> int:
    """Run a command to its end, and give each line of its output and errors to *on_line* as it comes.

    :arg stops: whether an error of *on_line* kills the command; otherwise its end is waited for.
    :arg folder: as for :func:`start`, and *descriptors*.
    :return: the exit status, or the negative number of a signal.
    :raises OSError: it cannot be started.
    """
    with start(argv, environment, stdout=PIPE, stderr=WITH_OUTPUT, folder=folder, descriptors=descriptors) as process:
        try:
            for raw in process.stdout or ():
                on_line(raw.decode("utf-8", "replace"))
        except BaseException:
            if stops:
                process.kill()
            raise
    return process.returncode


def run_limited(argv: t.Sequence[str], seconds: float, environment: Environment) -> Result:
    """Run *argv* for at most *seconds*.

    A failed GPU can hold a process in the kernel where no signal reaches it. So the output goes to files (nothing has
    to drain a pipe), and a process that survives its SIGKILL is left behind.
    """
    # Imported here: it takes longer than all the rest of this file.
    import tempfile

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = start(argv, environment, stdout=out, stderr=err, alone=True)
        except OSError as error:
            return Result(None, "", "", "cannot start: %s" % (error.strerror or error))
        late = ""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = "no answer within %g seconds" % seconds
            _kill(process, alone=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
        out.seek(0)
        err.seek(0)
        return Result(
            None if late else process.returncode,
            out.read(_LARGEST).decode("utf-8", "replace"),
            err.read(_LARGEST).decode("utf-8", "replace"),
            late,
        )


def end_on_signals() -> None:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt in this process, and kill the commands that it has started."""
    if threading.current_thread() is not threading.main_thread():
        return
    _state["owner"] = os.getpid()
    for each in _SIGNALS:
        signal.signal(each, _end)


def forward_to_child() -> None:
    """From now on, a signal is for the child that does the work: this process ends when the child has."""
    _state["forwards"] = True


def check() -> None:
    """End the work of a thread if the module was interrupted.

    :raises KeyboardInterrupt: then.
    """
    if _state["ending"]:
        raise KeyboardInterrupt


def _end(number: int, _frame: t.Any) -> None:
    if os.getpid() != _state["owner"]:
        # A fork of the module that replaced no handler.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    # Once: a second Ctrl-C must not keep it from tidying up.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    if _state["forwards"]:
        for child in _children():
            with contextlib.suppress(OSError):
                os.kill(child, number)
        return
    # If the main thread is starting a command just now, that raises KeyboardInterrupt when it has.
    _state.update(ending=True, interrupted=_state["starting"])
    for process, alone in list(_started.values()):
        if process.returncode is None:
            _kill(process, alone)
    if not _state["starting"]:
        raise KeyboardInterrupt


def _children() -> list[int]:
    try:
        with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as stream:
            return [int(number) for number in stream.read().split()]
    except (OSError, ValueError):
        return []


def _kill(process: subprocess.Popen[bytes], alone: bool) -> None:
    """Kill the command; if it leads a session of its own, with what it has started there."""
    if not alone:
        process.kill()
        return
    # An interrupted communicate() may have seen the end of the process already.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
