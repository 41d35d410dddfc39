"""Ctrl-C and SIGTERM end a module with its threads and commands: the end of a pipe shows that none of them is left."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

COLLECTIONS = str(pathlib.Path(__file__).resolve().parents[3] / ".collections")
HEAD = """
import concurrent.futures, os, sys, types
sys.path.insert(0, sys.argv[1])
from ansible_collections.hpc.pytorch.plugins.module_utils._common import process
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
module = types.SimpleNamespace(params={}, fail_json=print, exit_json=lambda **result: print(result))
def command(alone):
    script = "import os, signal; os.write(%d, b'ready' + bytes([10])); signal.pause()" % out
    process.run([sys.executable, "-c", script], os.environ, alone=alone, descriptors=(out,))
out = int(sys.argv[2])
def tidy():
    os.write(out, b"tidied\\n")
"""
COMMAND = """
def work():
    try:
        command(alone=%s)
    finally:
        tidy()
answer(module, work)
"""
THREADS = """
def endless():
    os.write(out, b"ready\\n")
    while True:
        process.check()
def work():
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for future in [pool.submit(endless), pool.submit(command, True)]:
                future.result()
    finally:
        tidy()
answer(module, work)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("script", "ready"),
    [
        pytest.param(COMMAND % "False", 1, id="a command"),
        pytest.param(COMMAND % "True", 1, id="a command in a session of its own"),
        pytest.param(THREADS, 2, id="threads, and a command of a thread"),
    ],
)
def test_nothing_of_it_is_left(script: str, ready: int, number: signal.Signals) -> None:
    reader, writer = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", HEAD + script, COLLECTIONS, str(writer)],
        pass_fds=[writer],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # As where a shell has started it in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert [stream.readline() for _each in range(ready)] == ["ready\n"] * ready
        child.send_signal(number)
        # To the end of the pipe: every process that could write to it has ended.
        assert stream.read() == "tidied\n"
    output, _nothing = child.communicate()
    assert child.returncode == 130, output
    assert output == ""


RESPAWNS = (
    HEAD
    + """
import subprocess
def work():
    process.forward_to_child()
    sys.exit(subprocess.call([sys.executable, "-c", sys.argv[3], *sys.argv[1:3]], pass_fds=[out]))
answer(module, work)
"""
)


def test_the_module_that_runs_itself_again_waits_for_its_child() -> None:
    """The child may tidy up for as long as it needs, and no second signal keeps it from that."""
    reader, writer = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-c", RESPAWNS, COLLECTIONS, str(writer), HEAD + COMMAND % "True"],
        pass_fds=[writer],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert stream.readline() == "ready\n"
        os.killpg(child.pid, signal.SIGINT)
        os.killpg(child.pid, signal.SIGINT)
        assert stream.read() == "tidied\n"
    output, _nothing = child.communicate()
    assert child.returncode == 130, output
