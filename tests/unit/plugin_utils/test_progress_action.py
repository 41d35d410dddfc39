"""The poller with a connection that runs commands here; Ansible's own connection is the outermost edge."""

from __future__ import annotations

import json
import subprocess
import threading

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
    _progress._poll(connection, str(path), "node1", finished)
    return shown.lines


def test_the_last_line_is_shown_with_the_hosts_name(monkeypatch, tmp_path):
    path = tmp_path / "it's a $(touch pwned) file"
    path.write_text("{}\n" + json.dumps({"step": "link", "item": "numpy", "done": 1, "total": 2}) + "\n")
    assert poll(monkeypatch, Connection(), path, 1) == ["node1: link numpy 1 of 2"]


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
