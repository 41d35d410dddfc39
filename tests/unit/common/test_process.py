# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands: their variables, input, output, folder, descriptors, and what is left of them after an error."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common import process as commands
from ansible_collections.hpc.pytorch.plugins.module_utils._common.process import OutOfTime, follow, run, start

PATH = {"PATH": "/usr/bin:/bin"}


def shell(script: str, *arguments: str) -> list[str]:
    return ["/bin/sh", "-c", script, *arguments]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has taken note of yet counts."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as stream:
            return stream.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture
def child(tmp_path: pathlib.Path) -> t.Iterator[tuple[str, t.Callable[[], int]]]:
    """A script that starts a process and waits for it, and a function that waits for that process to be there."""
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    found: list[int] = []

    def pid() -> int:
        found.append(int(fifo.read_text()))
        return found[0]

    yield "sleep 600 & echo $! > '%s'; wait" % fifo, pid
    for each in found:
        if not gone(each):
            os.kill(each, signal.SIGKILL)


@pytest.fixture
def at_the_limit(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[t.Callable[[], t.Any], BaseException], None]:
    """Make the next communicate() call a function, and then raise an error instead of waiting."""

    def arrange(first: t.Callable[[], t.Any], error: BaseException) -> None:
        def communicate(self: t.Any, *arguments: t.Any, **keywords: t.Any) -> t.NoReturn:
            first()
            raise error

        monkeypatch.setattr(subprocess.Popen, "communicate", communicate)

    return arrange


def test_the_end_of_a_command() -> None:
    done = run(shell("printf 'a\\rb\\n\\377'; echo wrong >&2; echo last >&2; exit 3"), PATH)
    assert done == (3, "a\rb\n\ufffd", "wrong\nlast\n")
    assert done.last_error == "last"
    assert run(shell("exit 4"), PATH).last_error == "exit status 4"
    assert run(shell("kill -9 $$"), PATH).returncode == -9


def test_only_the_given_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPC_FOREIGN", "seen")
    assert run(["/usr/bin/env"], {"LC_ALL": "C", **PATH}).stdout.split() == ["LC_ALL=C", "PATH=/usr/bin:/bin"]


def test_no_shell_reads_the_arguments() -> None:
    words = ["$(id)", "a b", "*", "'", ";ls"]
    assert run(["/usr/bin/printf", "%s\n", *words], PATH).stdout == "".join(word + "\n" for word in words)


def test_the_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    where = [run(shell("pwd -P"), PATH, **named).stdout.strip() for named in ({}, {"folder": None}, {"folder": "/usr"})]
    assert where == ["/", str(tmp_path.resolve()), "/usr"]


def test_standard_input() -> None:
    # Without any, a command that asks finds the end at once, whatever this process reads from.
    assert run(["/bin/cat"], PATH).stdout == ""
    assert run(["/bin/cat"], PATH, given="").stdout == ""
    assert run(["/bin/cat"], PATH, given="caf\u00e9 \ud800").stdout == "caf\u00e9 ?"
    assert run(["/usr/bin/wc", "-c"], PATH, given=b"\0\xff").stdout.strip() == "2"
    # One that does not read it fails on its own terms.
    assert run(shell("exit 5"), PATH, given="x" * 1000000).returncode == 5


def test_no_command_reads_what_is_meant_for_this_process() -> None:
    """Such as the module itself, which Ansible sends through standard input."""
    inner, outer = os.pipe()
    before = os.dup(0)
    try:
        os.dup2(inner, 0)
        question = ["/usr/bin/readlink", "/proc/self/fd/0"]
        lines: list[str] = []
        assert follow(question, PATH, lines.append) == 0
        assert lines == ["/dev/null\n"] == [run(question, PATH).stdout]
        assert commands.run_limited(question, 60, PATH).stdout == "/dev/null\n"
    finally:
        os.dup2(before, 0)
        for descriptor in (inner, outer, before):
            os.close(descriptor)


def test_much_output_on_both_streams() -> None:
    code = "import sys; sys.stderr.write('e' * 1000000); sys.stdout.write('o' * 1000000)"
    done = run([sys.executable, "-I", "-c", code], PATH)
    assert (len(done.stdout), len(done.stderr)) == (1000000, 1000000)


def test_descriptors_that_a_command_inherits() -> None:
    inner, outer = os.pipe()
    try:
        question = shell("[ -e /proc/self/fd/%d ] && echo yes || echo no" % outer)
        assert run(question, PATH).stdout == "no\n"
        assert run(question, PATH, descriptors=(outer,)).stdout == "yes\n"
        assert run(question, PATH, descriptors=None).stdout == "no\n"
        os.set_inheritable(outer, True)
        assert run(question, PATH).stdout == "no\n"
        assert run(question, PATH, descriptors=None).stdout == "yes\n"
        lines: list[str] = []
        follow(question, PATH, lines.append, descriptors=(outer,))
        assert lines == ["yes\n"]
    finally:
        os.close(inner)
        os.close(outer)


def test_a_command_that_does_not_start() -> None:
    for call in (lambda: run(["/nowhere/at/all"], PATH), lambda: follow(["/nowhere/at/all"], PATH, print)):
        with pytest.raises(FileNotFoundError):
            call()


SESSION = [sys.executable, "-I", "-c", "import os; print(os.getsid(0) == os.getpid())"]


def test_who_is_in_a_session_of_its_own() -> None:
    """A terminal's Ctrl-C reaches conda and pip, which clean up; what has a time limit ends with its own children."""
    assert run(SESSION, PATH).stdout == "False\n"
    assert run(SESSION, PATH, seconds=60).stdout == "True\n"
    assert run(SESSION, PATH, alone=True).stdout == "True\n"
    assert run(SESSION, PATH, seconds=60, alone=False).stdout == "False\n"


def test_the_time_limit_ends_what_a_command_has_started(child: t.Any, at_the_limit: t.Any) -> None:
    script, pid = child
    found: list[int] = []
    at_the_limit(lambda: found.append(pid()), subprocess.TimeoutExpired("sh", 7))
    with pytest.raises(OutOfTime, match="no answer within 7 seconds"):
        run(shell(script), PATH, seconds=7)
    # Its parent has been waited for; the kernel ends the group as a whole.
    while not gone(found[0]):
        pass


def test_a_real_time_limit() -> None:
    with pytest.raises(OutOfTime, match="no answer within 0.1 seconds"):
        run(["/bin/sleep", "600"], PATH, seconds=0.1)


def test_a_child_that_has_left_the_session_is_not_waited_for(tmp_path: pathlib.Path, at_the_limit: t.Any) -> None:
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    found: list[int] = []
    at_the_limit(lambda: found.append(int(fifo.read_text())), subprocess.TimeoutExpired("sh", 7))
    with pytest.raises(OutOfTime):
        # It holds the pipe, and no signal to the group reaches it.
        run(shell("setsid sh -c 'echo $$ > %s; exec sleep 600'" % fifo), PATH, seconds=7)
    os.kill(found[0], signal.SIGKILL)


def test_an_interrupt_ends_the_command_and_stays_an_interrupt(child: t.Any, at_the_limit: t.Any) -> None:
    script, pid = child
    found: list[int] = []
    at_the_limit(lambda: found.append(pid()), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(shell(script), PATH, alone=True)
    while not gone(found[0]):
        pass


def test_lines_come_as_they_are_written(tmp_path: pathlib.Path) -> None:
    """The second line is written only after the first one has arrived."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        if line == "one\n":
            fifo.write_text("go\n")

    status = follow(shell("echo one >&2; read word < '%s'; echo $word; printf '\\377end'; exit 6" % fifo), PATH, note)
    assert (status, lines) == (6, ["one\n", "go\n", "\ufffdend"])


@pytest.mark.parametrize("stops", [True, False])
def test_an_error_while_lines_are_read(tmp_path: pathlib.Path, stops: bool) -> None:
    marker = tmp_path / "ended"

    def refuse(line: str) -> None:
        if stops:
            raise ValueError(line)
        # It goes on and is waited for.
        fifo.write_text("go\n")
        raise ValueError(line)

    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    with pytest.raises(ValueError, match="one"):
        follow(shell("echo one; read word < '%s'; : > '%s'" % (fifo, marker)), PATH, refuse, stops=stops)
    assert marker.exists() is not stops


def test_start_returns_at_once() -> None:
    with start(["/bin/cat"], PATH, stdin=commands.PIPE, stdout=commands.PIPE) as process:
        assert process.poll() is None
        assert process.communicate(b"given") == (b"given", None)


def test_a_thread_does_not_say_that_the_main_thread_starts_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With that said, a signal waits for the main thread, which may wait for the thread."""

    written: list[str] = []

    class State(t.Dict[str, int]):
        def __setitem__(self, key: str, value: int) -> None:
            if threading.current_thread() is not threading.main_thread():
                written.append(key)
            super().__setitem__(key, value)

    monkeypatch.setattr(commands, "_state", State(commands._state))
    thread = threading.Thread(target=run, args=(["true"], os.environ))
    thread.start()
    thread.join()
    assert written == []
