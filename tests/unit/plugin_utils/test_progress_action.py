"""The poller with a connection that runs commands here; Ansible's own connection is the outermost edge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import types

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils import _progress


class Connection:
    become = None
    _shell = None

    def __init__(self):
        self.commands = []

    def exec_command(self, command, in_data=None, sudoable=True):
        self.commands.append(command)
        done = subprocess.run(command, shell=True, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr


class Display:
    def __init__(self, stop_after, finished):
        self.lines = []
        self.stop_after = stop_after
        self.finished = finished

    def display(self, line, color=None):
        self.lines.append(line)
        if len(self.lines) == self.stop_after:
            self.finished.set()

    def debug(self, line):
        self.lines.append("debug " + line)


def poll(monkeypatch, connection, path, stop_after):
    finished = threading.Event()
    shown = Display(stop_after, finished)
    monkeypatch.setattr(_progress, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(_progress, "display", shown)
    monkeypatch.setattr(_progress, "clock", iter(range(100, 200, 7)).__next__)
    _progress._poll(connection, str(path), "node1", finished)
    return shown.lines


def test_the_last_line_is_shown_with_the_hosts_name_and_the_seconds_since_the_task_began(monkeypatch, tmp_path):
    path = tmp_path / "it's a $(touch pwned) file"
    path.write_text("{}\n" + json.dumps({"step": "link", "item": "numpy", "done": 1, "total": 2}) + "\n")
    assert poll(monkeypatch, Connection(), path, 1) == ["node1: link numpy 1 of 2 ... 7 s"]


def test_a_connection_that_cannot_is_not_asked_again(monkeypatch, tmp_path):
    class Broken(Connection):
        def exec_command(self, *args, **kwargs):
            raise RuntimeError("one channel only")

    (line,) = poll(monkeypatch, Broken(), tmp_path / "progress", 99)
    assert line.startswith("debug no progress from node1")


def test_an_unchanged_task_is_over_before_the_first_look(monkeypatch, tmp_path):
    finished = threading.Event()
    finished.set()
    connection = Connection()
    _progress._poll(connection, str(tmp_path / "progress"), "node1", finished)
    assert connection.commands == []


@pytest.mark.parametrize(
    "state, line", [({"step": "solve", "item": "x"}, "solve x"), ({"step": "a", "bytes": 1500000}, "a 1.5 MB")]
)
def test_what_is_not_known_is_left_out(state, line):
    assert _progress.progress_line(json.dumps(state)) == line


# The file is a user's, who writes what a terminal obeys, text where a number belongs, or something of another shape.
@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (json.dumps({"step": "\x1b[2J\x1b]0;title\x07 a\nok: [node2]"}), "\\x1b[2J\\x1b]0;title\\x07 a ok: [node2]"),
        (json.dumps({"step": "a\u2028b\x85c\u202ed\u200be"}), "a b c\\u202ed\\u200be"),
        (json.dumps({"step": "a\rb", "item": "\x9b2J"}), "a b \\x9b2J"),
        (json.dumps({"step": "\ud800"}), "\\ud800"),
        (json.dumps({"step": "x" * 3000}), "x" * 77 + "..."),
        (json.dumps({"step": "\u4e2d" * 3000}), "\u4e2d" * 37 + "..."),
        (json.dumps({"step": "caf\u00e9", "item": "\u4e2d\u6587 \U0001f600"}), "caf\u00e9 \u4e2d\u6587 \U0001f600"),
        (json.dumps({"step": ["a"], "item": {"b": 1}}), ""),
        (json.dumps({"step": 1, "item": None}), ""),
        (json.dumps({"step": "a", "unknown": "b" * 3000, "failed": True}), "a"),
        (json.dumps({"step": "a", "done": "1", "total": "2"}), "a"),
        (json.dumps({"step": "a", "done": True, "total": True}), "a"),
        (json.dumps({"step": "a", "done": -1, "total": 2}), "a 0 of 2"),
        (json.dumps({"step": "a", "done": 1, "total": -2}), "a"),
        (json.dumps({"step": "a", "done": {}, "total": 2}), "a 0 of 2"),
        (json.dumps({"step": "a", "total": 10**400}), "a"),
        ('{"step": "a", "total": 1e400}', "a"),
        ('{"step": "a", "total": NaN}', "a"),
        ('{"step": "a", "bytes": Infinity}', "a"),
        ('{"step": "a", "bytes": -Infinity, "bytes_total": NaN}', "a"),
        ('{"step": "a", "total": %s}' % ("9" * 5000), ""),
        (json.dumps({"step": "a", "bytes": "x"}), "a"),
        (json.dumps({"step": "a", "bytes": [], "bytes_total": 1}), "a"),
        (json.dumps({"step": "a", "bytes": 1, "bytes_total": {}}), "a 0.0 MB"),
        ("[" * 4000, ""),
        ('{"a":' * 2000, ""),
        ("[1]", ""),
        ("1", ""),
        ('"text"', ""),
        ("null", ""),
        ("", ""),
        ("\x1b[2J", ""),
        ("{", ""),
    ],
)
def test_a_line_of_another_users_is_one_line_of_progress_or_none(raw, line):
    assert _progress.progress_line(raw) == line


class Watched(Connection):
    """Counts what a command prints."""

    longest = 0

    def exec_command(self, command, in_data=None, sudoable=True):
        found = super().exec_command(command, in_data, sudoable)
        self.longest = max(self.longest, len(found[1]))
        return found


def _sparse(path):
    with path.open("wb") as stream:
        stream.truncate(2**31)


# What may lie at the path instead of the module's own file.
PLANTED = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "folder": lambda path: path.mkdir(),
    "sparse": _sparse,
    "long line": lambda path: path.write_text('{"step": "%s"}\n' % ("x" * 10**6)),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 100),
    "nothing": lambda path: None,
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_not_waited_for_and_not_read_whole(tmp_path, planted):
    path = tmp_path / "progress"
    planted(path)
    connection = Watched()
    assert _progress.progress_line(_progress._last_line(connection, str(path))) == ""
    assert connection.longest <= 4096


def test_a_pipe_that_takes_the_files_place_in_between_leaves_no_process(tmp_path):
    path = tmp_path / "progress"
    os.mkfifo(path)
    connection = Connection()
    # As if the file had been swapped after it was judged.
    connection.exec_command = lambda command, **_unused: Connection.exec_command(
        connection, command.replace("[ -f ", "[ -p ")
    )
    assert _progress._last_line(connection, str(path)) == ""


def test_a_signal_to_end_goes_to_the_thread_that_acts_on_it(monkeypatch):
    # Python runs a handler in the main thread alone, which a signal to another one does not wake.
    masks = {}

    def remember(name):
        masks[name] = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    monkeypatch.setattr(_progress, "_poll", lambda *_arguments: remember("poller"))
    monkeypatch.setattr(_progress, "run_module", lambda *_arguments: remember("module"))
    monkeypatch.setattr(_progress.ActionBase, "run", lambda *_arguments: {})
    action = _progress.ProgressAction.__new__(_progress.ProgressAction)
    action._task, action._connection = types.SimpleNamespace(args={}), Connection()
    action.run()
    for thread in [thread for thread in threading.enumerate() if thread.daemon]:
        thread.join(10)
    assert {signal.SIGINT, signal.SIGTERM} <= masks["poller"]
    assert not {signal.SIGINT, signal.SIGTERM} & masks["module"]
