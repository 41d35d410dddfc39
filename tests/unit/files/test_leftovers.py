# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ended process left is recognized, and what a running one uses is not, in containers and after a reboot."""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
import socket
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import leftovers

HOST = socket.gethostname()
OTHER = "0badc0de"
NOBODY = 999999999


def tag(pid: int, start: str | None = None, boot: str | None = None, view: str | None = None, host: str = HOST) -> str:
    """A tag; parts that are not given are those of this process."""
    start = leftovers._start_of(os.getpid()) if start is None else start
    return "%s.%d-%s-%s-%s" % (host, pid, start, boot or leftovers._boot(), view or leftovers._view())


ME = os.getpid()
# Tag, whether the file system is shared, whether the folder is older than a day, whether it is held; the answer for
# a file, and for a folder.
CASES = [
    # Seen from here: the process tells, whatever the disk is.
    (tag(ME), False, True, False, (False, False)),
    (tag(NOBODY), False, False, False, (True, True)),
    (tag(NOBODY, host="renamed"), False, False, False, (True, True)),
    (tag(NOBODY), True, False, False, (True, True)),
    # Its command outlived it.
    (tag(NOBODY), False, False, True, (True, False)),
    # Another process has the number by now.
    (tag(ME, "1"), False, False, False, (True, True)),
    (tag(1, "987654321"), False, False, False, (True, True)),
    # /proc could not be read when the name was made.
    (tag(ME, "0"), False, True, False, (False, False)),
    # Of a container of this machine: a lock tells, or, where there is none, the age.
    (tag(ME, view=OTHER), False, False, True, (False, False)),
    (tag(ME, view=OTHER), False, True, True, (False, False)),
    (tag(NOBODY, view=OTHER, host="c1"), False, False, False, (False, True)),
    (tag(NOBODY, view=OTHER), True, False, False, (False, False)),
    (tag(NOBODY, view=OTHER), True, True, False, (False, True)),
    # Of an earlier boot, or of another machine.
    (tag(ME, boot=OTHER), False, False, False, (True, True)),
    (tag(ME, boot=OTHER, host="renamed"), False, False, False, (False, True)),
    (tag(ME, boot=OTHER), True, False, False, (True, False)),
    (tag(ME, boot=OTHER), True, True, False, (True, True)),
    (tag(ME, boot=OTHER, host="elsewhere"), True, True, False, (False, False)),
    # As earlier releases wrote them.
    ("%s.%d" % (HOST, NOBODY), False, False, False, (True, True)),
    ("%s.%d" % (HOST, ME), False, True, False, (False, False)),
    ("elsewhere.%d" % NOBODY, False, True, False, (False, False)),
    # No tags.
    ("", False, True, False, (False, False)),
    ("%s.x" % HOST, False, True, False, (False, False)),
    ("%s.-1" % HOST, False, True, False, (False, False)),
    ("%s.%d-1-%s" % (HOST, NOBODY, OTHER), False, True, False, (False, False)),
    (tag(NOBODY) + "-more", False, True, False, (False, False)),
    ("%s.%s" % (HOST, "9" * 400), False, False, False, (True, True)),
    ("%s.0" % HOST, False, True, False, (False, False)),
]


@pytest.mark.parametrize(("name", "shared", "old", "is_held", "answers"), CASES, ids=map(str, range(len(CASES))))
def test_whether_the_owner_has_ended(monkeypatch, tmp_path, name, shared, old, is_held, answers) -> None:
    monkeypatch.setattr(leftovers, "is_on_network", lambda path: shared)
    monkeypatch.setattr(leftovers, "_is_old", lambda path: old)
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        if is_held:
            fcntl.flock(handle, fcntl.LOCK_EX)
        assert (leftovers.is_abandoned(name), leftovers.is_abandoned(name, str(tmp_path))) == answers
    finally:
        os.close(handle)


def test_an_own_name_is_its_own_and_is_recognized_in_a_text() -> None:
    import re

    assert re.fullmatch(leftovers.OWNER, leftovers.owner_tag()) and "/" not in leftovers.owner_tag()
    assert re.fullmatch(leftovers.OWNER, "%s.12" % HOST)
    assert not leftovers.is_abandoned(leftovers.owner_tag())
    assert leftovers.private_path("/envs/torch", "partial") == "/envs/.torch.%s.partial" % leftovers.owner_tag()


def test_a_zombie_has_ended_and_a_sleeper_has_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = leftovers._start_of(process.pid)
        assert start and not leftovers.is_abandoned(tag(process.pid, start))
        process.kill()
        # Not waited for, so it stays a zombie.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert leftovers._start_of(process.pid) == ""
        assert leftovers.is_abandoned(tag(process.pid, start))
        assert leftovers.is_abandoned("%s.%d" % (HOST, process.pid))


def test_a_process_that_proc_hides_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_start_of", lambda pid: None)
    assert not leftovers.is_abandoned(tag(os.getppid(), "77"))
    assert leftovers.owner_tag().startswith("%s.%d-0-" % (HOST, os.getpid()))


def test_in_another_container_numbers_mean_something_else(tmp_path: pathlib.Path) -> None:
    """A real one: its process has the number 1 there, and its folder is held until it is killed."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ansible_collections.hpc.pytorch.plugins.module_utils._files import leftovers\n"
        "path = leftovers.private_path(sys.argv[2], 'partial')\n"
        "with leftovers.new_folder(path, 0o700):\n print(path, flush=True); input()"
    )
    root = str(pathlib.Path(__file__).resolve().parents[3] / ".collections")
    # An ordinary user needs a user namespace for that.
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *own, "--pid", "--fork", "--mount-proc", "--kill-child"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", code, root, str(tmp_path / "torch")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        path = process.stdout.readline().strip()
        assert ".%s.1-" % HOST in path and os.path.isdir(path)
        leftovers.remove_abandoned(str(tmp_path / "torch"), "partial")
        assert os.path.isdir(path)
        process.kill()
        process.wait()
        # The child ends with its parent; the pipe tells when.
        assert process.stdout.read() == ""
    leftovers.remove_abandoned(str(tmp_path / "torch"), "partial")
    assert not os.path.exists(path)


def test_only_the_names_of_that_env_and_purpose_go(tmp_path: pathlib.Path) -> None:
    gone = tag(NOBODY)
    kept = [".torch.%s.removing" % gone, ".other.%s.partial" % gone, ".torch.%s.partial.x" % gone, "torch"]
    for name in [*kept, ".torch.%s.partial" % gone]:
        (tmp_path / name).mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / (".torch.%s.partial" % tag(NOBODY, "7"))).symlink_to("mine")
    leftovers.remove_abandoned(str(tmp_path / "torch"), "partial")
    assert (tmp_path / "mine").is_dir()
    assert {path.name for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink()} == {*kept, "mine"}


def test_a_new_folder_is_made_again_if_another_run_took_it_for_abandoned(monkeypatch, tmp_path) -> None:
    made = []
    real = os.mkdir

    def mkdir(path: str, mode: int) -> None:
        real(path, mode)
        made.append(path)

    def open_folder(path: str) -> int:
        handle = os.open(path, os.O_RDONLY)
        if len(made) == 1:
            os.rmdir(path)
        return handle

    monkeypatch.setattr(leftovers.os, "mkdir", mkdir)
    monkeypatch.setattr(leftovers, "_open_folder", open_folder)
    with leftovers.new_folder(str(tmp_path / "x"), 0o700):
        assert (tmp_path / "x").is_dir()
    assert len(made) == 2


def test_without_locks_a_folder_is_made_all_the_same(monkeypatch, tmp_path) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(leftovers.fcntl, "flock", refuse)
    with leftovers.new_folder(str(tmp_path / "x"), 0o700):
        assert (tmp_path / "x").is_dir()
    assert leftovers.is_abandoned(tag(NOBODY), str(tmp_path / "x"))
    with leftovers.held(str(tmp_path / "absent")) as is_there:
        assert not is_there


def test_a_held_folder_may_get_another_name(tmp_path: pathlib.Path) -> None:
    (tmp_path / "torch").mkdir()
    with leftovers.held(str(tmp_path / "torch")) as is_there:
        assert is_there
        (tmp_path / "torch").rename(tmp_path / "away")
        assert leftovers._lock_is_free(str(tmp_path / "away")) is False
    assert leftovers._lock_is_free(str(tmp_path / "away")) is True
