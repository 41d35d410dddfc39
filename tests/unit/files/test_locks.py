# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time, and a line for the one that waits."""

from __future__ import annotations

import errno
import os
import threading

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import locks


class Reports:
    """Stands in for Progress: remembers each report, and sets an event."""

    def __init__(self):
        self.lines = []
        self.arrived = threading.Event()

    def report(self, step, item=""):
        self.lines.append("%s %s" % (step, item))
        self.arrived.set()


def test_a_second_run_says_what_it_waits_for_and_goes_on_when_the_first_is_done(tmp_path):
    path, second, order = str(tmp_path / "lock"), Reports(), []

    def work():
        with locks.file_lock(path, second, "/envs/torch") as lock:
            order.append("second")
            assert lock.held

    with locks.file_lock(path, Reports(), "/envs/torch") as lock:
        thread = threading.Thread(target=work)
        thread.start()
        assert second.arrived.wait(30)
        order.append("first")
    thread.join(30)
    assert lock.held and order == ["first", "second"]
    assert second.lines == ["wait for another run that is at work on /envs/torch"]


def test_a_free_lock_is_taken_silently_in_a_file_for_its_owner_alone(tmp_path):
    reports = Reports()
    with locks.file_lock(str(tmp_path / "lock"), reports, "x"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    assert reports.lines == []


def test_a_symlink_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError), locks.file_lock(str(tmp_path / "lock"), Reports(), "x"):
        pass
    assert not os.path.lexists(tmp_path / "target")


def test_a_file_system_without_locks_is_told_apart(tmp_path, monkeypatch):
    def without(_handle, _operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", without)
    with locks.file_lock(str(tmp_path / "lock"), Reports(), "x") as lock:
        assert not lock.held
