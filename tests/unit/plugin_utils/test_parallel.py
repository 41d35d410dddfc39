"""The same work for several names at the same time, in processes of their own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.parallel import at_once


@pytest.fixture(autouse=True)
def no_process_is_left():
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_they_run_at_the_same_time():
    gates = {name: os.pipe() for name in ("a", "b")}

    def work(name):
        other = "b" if name == "a" else "a"
        os.write(gates[other][1], b"x")
        # Waits for the other one, which has to have begun.
        return {"got": os.read(gates[name][0], 1).decode(), "pid": os.getpid()}

    results = at_once(["a", "b"], work, most=2, seconds=60)
    assert [results[name]["got"] for name in results] == ["x", "x"]
    assert len({results["a"]["pid"], results["b"]["pid"], os.getpid()}) == 3


def test_no_more_than_asked_for_at_the_same_time(tmp_path):
    def work(name):
        (tmp_path / name).touch()
        seen = len(list(tmp_path.iterdir()))
        (tmp_path / name).unlink()
        return {"seen": seen}

    names = ["user%d" % number for number in range(20)]
    assert {each["seen"] for each in at_once(names, work, most=1).values()} == {1}
    assert max(each["seen"] for each in at_once(names, work, most=3).values()) <= 3


def test_the_results_are_in_the_order_of_the_names_and_of_any_length():
    results = at_once(["b", "c", "a"], lambda name: {"text": name * 300000}, most=2)
    assert list(results) == ["b", "c", "a"] and results["c"]["text"] == "c" * 300000
    assert at_once([], lambda name: {}, most=2) == {}


def test_what_one_changes_is_gone_with_it():
    kept = []
    assert at_once(["a", "b"], lambda name: kept.append(name) or {"kept": kept}, most=2)["b"] == {"kept": ["b"]}
    assert kept == []


def end_by_signal(_name):
    os.kill(os.getpid(), signal.SIGKILL)


def end_too_early(_name):
    os._exit(7)


def fail(_name):
    raise RuntimeError("no such thing")


def leave(_name):
    raise SystemExit(3)


@pytest.mark.parametrize(
    "work, said",
    [(end_by_signal, "signal 9"), (end_too_early, "exit status 7"), (fail, "no such thing"), (leave, "exit status")],
)
def test_one_that_fails_is_a_result_and_the_others_go_on(work, said):
    results = at_once(["a", "b", "c"], lambda name: work(name) if name == "b" else {"ok": name}, most=2)
    assert results["b"]["failed"] is True and said in results["b"]["msg"]
    assert results["a"] == {"ok": "a"} and results["c"] == {"ok": "c"}


def test_one_that_takes_too_long_ends_and_says_so():
    def work(name):
        try:
            while name == "b":
                signal.pause()
        except Exception:
            return {"caught": True}
        return {"ok": name}

    results = at_once(["a", "b"], work, most=2, seconds=1)
    assert results["a"] == {"ok": "a"} and results["b"]["failed"]
    assert results["b"]["timedout"] == {"period": 1} and "1 second" in results["b"]["msg"]


def test_cleaning_up_takes_its_time(tmp_path):
    """It is not interrupted a second time."""

    def work(name):
        try:
            signal.pause()
        finally:
            done = subprocess.run(["sleep", "2.5"], check=True)
            (tmp_path / "clean").write_text(str(done.returncode))

    results = at_once(["a"], work, most=1, seconds=1)
    assert results["a"]["timedout"] == {"period": 1} and (tmp_path / "clean").read_text() == "0"


def test_cleaning_up_with_an_error_of_its_own_takes_its_time(tmp_path):
    @contextlib.contextmanager
    def cleaned():
        try:
            yield
        finally:
            try:
                raise OSError("it is gone already")
            except OSError:
                subprocess.run(["sleep", "2.5"], check=True)
                (tmp_path / "clean").touch()

    def work(name):
        with cleaned():
            signal.pause()

    assert at_once(["a"], work, most=1, seconds=1)["a"]["timedout"] and (tmp_path / "clean").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_end_that_python_drops_comes_again():
    """As it drops all that is raised in a finalizer, which may run at any time."""

    class Late:
        def __del__(self):
            signal.pause()

    def work(name):
        Late()
        while True:
            signal.pause()

    assert at_once(["a"], work, most=1, seconds=1)["a"]["timedout"] == {"period": 1}


def test_an_interruption_ends_those_that_run():
    interrupted = KeyboardInterrupt()
    read_end, write_end = os.pipe()

    def interrupt(_signal, _frame):
        raise interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)

    def work(_name):
        os.write(write_end, b"x")
        # To the main thread: another one of the test runner would take a signal that the main one blocks.
        ctypes.CDLL(None).tgkill(os.getppid(), os.getppid(), signal.SIGUSR1)
        while True:
            signal.pause()

    try:
        with pytest.raises(KeyboardInterrupt):
            at_once(["a"], work, most=1)
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.close(write_end)
    # The process is gone, and with it the last writer.
    assert os.read(read_end, 2) == b"x" and os.read(read_end, 1) == b""
    os.close(read_end)


def test_an_interruption_while_one_starts_ends_it_too(monkeypatch):
    """The signal comes when the process runs and its number is not noted yet."""

    class Stop(BaseException):
        pass

    def stop(_signal, _frame):
        raise Stop

    fork = os.fork

    def fork_and_signal():
        pid = fork()
        if pid:
            # As above.
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return pid

    monkeypatch.setattr(os, "fork", fork_and_signal)
    before = signal.signal(signal.SIGUSR1, stop)
    read_end, write_end = os.pipe()

    def work(_name):
        os.close(write_end)
        return {"got": os.read(read_end, 1)}

    try:
        with pytest.raises(Stop):
            at_once(["a"], work, most=1)
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.close(write_end)
        os.close(read_end)


def test_the_work_gets_its_signals():
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    results = at_once(["a"], lambda name: {"blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))}, most=1)
    assert results["a"] == {"blocked": sorted(mask)}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
