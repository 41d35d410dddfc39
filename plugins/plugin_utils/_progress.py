# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a module's progress while it runs. Private to hpc.pytorch.

A module cannot print, so it appends lines to a file, and a thread here reads the last one at intervals. It uses a copy
of the task's connection, so that it shares no become prompt or pipe with the module. No failure here fails the task.
"""

from __future__ import annotations

import copy
import json
import shlex
import signal
import threading
import time
import typing as t
import unicodedata
import uuid

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import is_ordinary, run_module
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.signals import blocked

display = Display()
clock = time.monotonic

# An unchanged task ends before the first poll.
INTERVAL_SECONDS = 3.0
# Of a line, without the name of the host in front of it and the seconds behind it.
COLUMNS = 80
# A line of ours has some hundred bytes.
_BYTES = 4096
_LARGEST = 10**18
# Those by which Ansible ends its workers.
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ProgressAction(ActionBase):
    """Runs the module of the task's name with a progress file."""

    _supports_check_mode = True
    _supports_async = True
    _supports_diff = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module, and print its progress until it ends."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        # Another user of the node cannot guess the name, and the module refuses an existing file.
        arguments.setdefault("progress_file", "/tmp/hpc.pytorch-%s.progress" % uuid.uuid4().hex)
        finished = threading.Event()
        name = str((task_vars or {}).get("inventory_hostname", ""))
        if is_ordinary(self._connection.become):
            # Several users' lines may come at the same time.
            name += " %s" % self._connection.become.get_option("become_user")
        poller = threading.Thread(
            target=_poll, args=(self._connection, arguments["progress_file"], name, finished), daemon=True
        )
        # The system may hand a signal to any thread that takes it, and Python acts on it in the main one alone, which
        # would sleep on: Ctrl-C would end neither this process nor the module. A thread inherits what is blocked.
        with blocked(_SIGNALS):
            poller.start()
        try:
            return run_module(self, arguments, task_vars)
        finally:
            finished.set()


def _poll(connection: t.Any, path: str, host: str, finished: threading.Event) -> None:
    begun = clock()
    shown: str | None = None
    reader: t.Any | None = None
    while not finished.wait(INTERVAL_SECONDS):
        try:
            reader = reader or _copy(connection)
            line = progress_line(_last_line(reader, path))
        except Exception as error:
            # A connection that cannot run two commands at once shows no progress.
            display.debug("no progress from %s: %s" % (host, error))
            return
        if line and line != shown:
            display.display("%s: %s ... %d s" % (host, line, clock() - begun), color="cyan")
            shown = line


def progress_line(raw: str) -> str:
    """A line of a progress file as text: ``download torch 3 of 5 1.0 MB of 2.0 MB``.

    The file belongs to the user of the task, who may write anything into it: what is no progress is left out, and the
    rest is one line that fits a terminal.
    """
    try:
        state = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(state, dict):
        return ""
    parts = [one_line(state[key]) for key in ("step", "item") if isinstance(state.get(key), str)]
    done, total, size, whole_size = (_number(state.get(key)) for key in ("done", "total", "bytes", "bytes_total"))
    if total:
        parts.append("%d of %d" % (done or 0, total))
    if size is not None:
        parts.append("%s of %s" % (_megabytes(size), _megabytes(whole_size)) if whole_size else _megabytes(size))
    return _fit(" ".join(part for part in parts if part))


def _number(value: t.Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _LARGEST:
        return None
    return int(value)


def _fit(line: str) -> str:
    """*line*, cut to the columns of a terminal; East Asian characters take two."""
    used = 0
    for place, char in enumerate(line):
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > COLUMNS:
            return line[: max(0, place - 3)] + "..."
    return line


def _megabytes(count: int) -> str:
    return "%.1f MB" % (count / 1e6)


def _copy(connection: t.Any) -> t.Any:
    reader = copy.copy(connection)
    reader.become = copy.copy(connection.become)
    return reader


def _last_line(connection: t.Any, path: str) -> str:
    # A pipe would be waited for, and a file may be of any size: only the end of a regular file is read, not for long.
    name = shlex.quote(path)
    read = "[ -f %s ] && [ ! -L %s ] && timeout 2 tail -c %d %s 2>/dev/null" % (name, name, _BYTES, name)
    command = "/bin/sh -c %s" % shlex.quote(read)
    if connection.become is not None:
        command = connection.become.build_become_command(command, connection._shell)
    _rc, stdout, _stderr = connection.exec_command(command, in_data=None, sudoable=True)
    lines = lines_of(stdout[-_BYTES:].decode("utf-8", "replace").strip())
    return lines[-1] if lines else ""
