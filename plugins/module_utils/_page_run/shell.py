# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login shell, to which the blocks of a page are given one after the other. Private to hpc.pytorch.

It is interactive, as after a login by ssh, so ``source ~/.bashrc`` and aliases work, but it has no terminal: programs
print neither colours nor progress bars. What a block sets, its folder included, holds in the next one. Its commands
read nothing. It begins with a few variables, not with those of the module.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import signal
import time
import typing as t

from .._common.process import NOTHING, PIPE, TimeoutExpired, start
from .capture import MOST, Kept

# The shell reads a block's file, so that history expansion and a command that reads its input cannot change it. The
# trap notes each command that fails in the block itself, not in a file that the block reads: a block of two lines has
# the exit status of the last one alone. The answer comes on a descriptor that the commands do not have.
_RUN = (
    "__guide_failed=; trap 'if [ ${#BASH_SOURCE[@]} -eq 1 ]; then __guide_failed=\"$__guide_failed $LINENO\"; fi' ERR; "
    "\\builtin . %(step)s < /dev/null > %(pipe)s 2>&1 %(answer)d>&-; "
    '\\builtin echo "done $?$__guide_failed" >&%(answer)d\n'
)
_PATH = '\\builtin echo "path $PATH" >&%(answer)d\n'
_PROXIES = re.compile(r"(?:https?|ftp|all|no)_proxy\Z", re.IGNORECASE)
# How often the run is asked whether to stop, in seconds.
_CHECK = 1.0
# How long programs may take to end, in seconds.
_PATIENCE = 2.0
_READ = 64 * 1024


class Interrupted(Exception):
    """The run was interrupted; its text says how."""


class End(t.NamedTuple):
    """How a block ended.

    :arg status: its exit status; None if the shell did not answer.
    :arg failed: the lines of the block, counted from 1, whose commands failed.
    :arg problem: why there is no status: time, output, or the end of the shell.
    """

    status: int | None
    output: str
    failed: tuple[int, ...] = ()
    problem: str = ""


class Shell:
    """The login shell of a page. As a context manager it ends with all that it has started in its session.

    :arg home: the home directory of its commands, in which it begins.
    :arg steps: a folder for the text of each block.
    :arg pipes: a folder of this machine for their output.
    :arg stopped: why to stop, asked once in a second; empty to go on.
    """

    def __init__(self, home: str, user: str, steps: str, pipes: str, stopped: t.Callable[[], str]) -> None:
        self._home, self._user, self._steps, self._pipes = home, user, steps, pipes
        self._stopped = stopped
        self._count = 0
        # Those of earlier blocks too, into which a program in the background may still write.
        self._outputs: dict[int, Kept] = {}

    def __enter__(self) -> Shell:
        # The number of the second is the same in the shell.
        self._answers, self._answer = os.pipe()
        os.set_blocking(self._answers, False)
        argv = ["bash", "--noediting", "-l", "-i"]
        descriptors = (self._answer,)
        self._process = start(
            argv,
            self._environment(),
            stdin=PIPE,
            stderr=NOTHING,
            folder=self._home,
            alone=True,
            descriptors=descriptors,
        )
        # So that the end of the shell ends the wait for its answer.
        os.close(self._answer)
        self._pending = b""
        return self

    def __exit__(self, *_error: t.Any) -> None:
        with contextlib.suppress(OSError):
            # At its end the shell exits; it ignores the signal.
            t.cast(t.Any, self._process.stdin).close()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutExpired):
            # srun gives its allocation back.
            self._process.wait(_PATIENCE)
        self._signal(signal.SIGKILL)
        self._process.wait()
        for handle in (self._answers, *self._outputs):
            os.close(handle)

    def path(self, seconds: float) -> str | None:
        """PATH as the user's login shell has it; None if the shell does not start within *seconds*."""
        end = self._ask(_PATH % {"answer": self._answer}, seconds, -1)
        return end[5:] if end.startswith("path ") else None

    def run(self, text: str, seconds: float, wrapper: t.Sequence[str] = ()) -> End:
        """Run the commands of a block.

        :arg wrapper: a command that runs them in a bash of its own, such as ``srun``. They run until the first fails.
        :raises Interrupted: the run was interrupted.
        """
        self._count += 1
        step = os.path.join(self._steps, "%03d.sh" % self._count)
        _write(step, text)
        if wrapper:
            inner = [*wrapper, "bash", "-l", "-c", 'set -e; . "$1"', "bash", step]
            step = os.path.join(self._steps, "%03d-outer.sh" % self._count)
            _write(step, " ".join(map(shlex.quote, inner)) + "\n")
        pipe = os.path.join(self._pipes, "%03d" % self._count)
        os.mkfifo(pipe, 0o600)
        output = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        kept = self._outputs[output] = Kept()
        line = _RUN % {"step": shlex.quote(step), "pipe": shlex.quote(pipe), "answer": self._answer}
        answer = self._ask(line, seconds, output)
        if not answer.startswith("done "):
            return End(None, kept.text, (), answer)
        status, *failed = map(int, answer.split()[1:])
        return End(status, kept.text, () if wrapper else tuple(failed))

    def _ask(self, line: str, seconds: float, output: int) -> str:
        """The shell's answer to a line, or why there is none."""
        stdin = t.cast(t.BinaryIO, self._process.stdin)
        try:
            stdin.write(line.encode())
            stdin.flush()
        except OSError:
            return "no login shell: it has ended"
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return "no end within %g seconds" % seconds
            self._wait(min(left, _CHECK))
            ended = self._process.poll() is not None
            answer = self._read_answer()
            if answer or ended:
                # What the commands wrote before they ended is in the pipe by now.
                self._drain(output)
                return answer or "the end of the login shell, with status %d" % self._process.returncode
            if output in self._outputs and self._outputs[output].size > MOST:
                return "more than %d MiB of output" % (MOST // 1024**2)
            why = self._stopped()
            if why:
                raise Interrupted(why)

    def _wait(self, seconds: float) -> None:
        """Wait until there is something to read, and read what the commands write."""
        watch = select.poll()
        for handle in (self._answers, *self._outputs):
            watch.register(handle, select.POLLIN)
        for handle, event in watch.poll(seconds * 1000):
            if handle == self._answers:
                continue
            if event & select.POLLIN:
                self._outputs[handle].add(_read(handle))
            else:
                # Nobody writes into it any more.
                del self._outputs[handle]
                os.close(handle)

    def _drain(self, output: int) -> None:
        data = b"begin"
        while data and output in self._outputs and self._outputs[output].size <= MOST:
            data = _read(output)
            self._outputs[output].add(data)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read_answer(self) -> str:
        with contextlib.suppress(BlockingIOError):
            self._pending += os.read(self._answers, _READ)
        line, end, self._pending = self._pending.partition(b"\n")
        if not end:
            self._pending = line
            return ""
        return line.decode("utf-8", "replace")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if _PROXIES.match(name)}
        own = {
            "HOME": self._home,
            "USER": self._user,
            "LOGNAME": self._user,
            "SHELL": "/bin/bash",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        return dict(kept, **own)


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as stream:
        stream.write(text)


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, _READ)
    except BlockingIOError:
        return b""
