# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an open folder reads, writes, links and removes; with two users in tests/site/attack/test_folder.py."""

from __future__ import annotations

import os
import pathlib
import socket
import stat

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import folder as door
from ansible_collections.hpc.pytorch.plugins.module_utils._files.leftovers import owner_tag

WHAT = "a folder at"


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("before", ["nothing", "file", "link", "dangling"])
def test_write_replaces_what_is_there_by_a_new_file(tmp_path: pathlib.Path, before: str) -> None:
    other = tmp_path / "other"
    other.write_text("untouched")
    path = tmp_path / "file"
    if before == "file":
        path.write_text("old")
    elif before != "nothing":
        path.symlink_to(other if before == "link" else "missing")
    with door.open_folder(str(tmp_path), WHAT) as folder:
        folder.write("file", b"new", 0o640)
        assert folder.read("file") == b"new" and folder.names() == ["file", "other"]
    assert mode(path) == 0o640 and not path.is_symlink() and other.read_text() == "untouched"


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "socket", "large"])
def test_only_a_regular_file_of_bounded_size_is_read(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "it"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "real").write_text("x")
        path.symlink_to("real")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    else:
        path.touch()
        os.truncate(path, 1 << 40)
    with door.open_folder(str(tmp_path), WHAT) as folder, pytest.raises(OSError) as caught:
        folder.read("it")
    assert caught.value.filename == str(path)


def test_nothing_there_is_none(tmp_path: pathlib.Path) -> None:
    with door.open_folder(str(tmp_path), WHAT) as folder:
        assert folder.read("it") is None and folder.stat("it") is None
        folder.remove("it")


@pytest.mark.parametrize("name", ["a/b", "..", ".", "/etc/passwd"])
def test_a_path_is_no_name(tmp_path: pathlib.Path, name: str) -> None:
    with door.open_folder(str(tmp_path), WHAT) as folder, pytest.raises(ValueError):
        folder.write(name, b"", 0o644)


def test_links_and_dots_lead_where_the_kernel_says(tmp_path: pathlib.Path) -> None:
    (tmp_path / "data/apps").mkdir(parents=True)
    (tmp_path / "apps").symlink_to("data/apps")
    (tmp_path / "whole").symlink_to(tmp_path / "data")
    for path in ("apps/../file", "whole/./file", "data//apps/../../data/file", "whole/apps/../file"):
        with door.open_parent(str(tmp_path / path), WHAT) as (folder, name):
            folder.write(name, path.encode(), 0o644)
            assert folder.path == str(tmp_path / "data")
        assert (tmp_path / "data/file").read_text() == path


def test_a_link_to_a_file_is_written_through(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/rc").write_text("old")
    (tmp_path / "rc").symlink_to("real/rc")
    with door.open_parent(str(tmp_path / "rc"), WHAT) as (folder, name):
        folder.write(name, b"new", 0o644)
    assert (tmp_path / "rc").is_symlink() and (tmp_path / "real/rc").read_text() == "new"


def test_a_circle_of_links_is_an_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in ("a", "a/x"):
        with pytest.raises(OSError), door.open_parent(str(tmp_path / path), WHAT):
            pass


def test_missing_folders_are_made_only_when_asked(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a/b"
    with pytest.raises(FileNotFoundError) as caught, door.open_folder(str(path), WHAT):
        pass
    assert caught.value.filename == str(tmp_path / "a")
    before = os.umask(0o022)
    try:
        with door.open_folder(str(path), WHAT, make=True):
            pass
    finally:
        os.umask(before)
    assert mode(path) == mode(tmp_path / "a") == 0o755


def test_a_folder_is_no_file_and_is_not_removed_with_its_content(tmp_path: pathlib.Path) -> None:
    (tmp_path / "it/in").mkdir(parents=True)
    with door.open_folder(str(tmp_path), WHAT) as folder:
        for act in (
            lambda: folder.write("it", b"", 0o644),
            lambda: folder.remove("it"),
            lambda: folder.link("it", "x"),
        ):
            with pytest.raises(OSError):
                act()
        assert folder.names() == ["it"]
        folder.make("new", 0o750)
        folder.remove("new")
        folder.link("link", "it")
        folder.link("link", "it/in")
        assert folder.target("link") == "it/in"
        folder.remove("link")
    assert (tmp_path / "it/in").is_dir()


def test_touch_makes_a_file_and_follows_nothing(tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    other.chmod(0o600)
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "hard").hardlink_to(other)
    with door.open_folder(str(tmp_path), WHAT) as folder:
        folder.touch("new", 0o644)
        os.utime(tmp_path / "new", (0, 0))
        folder.touch("new", 0o644)
        for name in ("link", "hard"):
            with pytest.raises(OSError):
                folder.touch(name, 0o644)
    assert mode(tmp_path / "new") == 0o644 and (tmp_path / "new").stat().st_mtime > 0 and mode(other) == 0o600


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: pathlib.Path) -> None:
    ended = 2**22 + 1
    left = tmp_path / (".file.%s.%d.new" % (socket.gethostname(), ended))
    own = tmp_path / (".file.%s.new" % owner_tag())
    elsewhere = tmp_path / ".file.other-host.1.new"
    for path in (left, own, elsewhere):
        path.write_text("half")
    with door.open_folder(str(tmp_path), WHAT) as folder:
        folder.write("file", b"whole", 0o644)
        assert folder.names() == [elsewhere.name, "file"]


def test_a_full_disk_leaves_the_old_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(door.os, "fsync", full)
    with door.open_folder(str(tmp_path), WHAT) as folder:
        with pytest.raises(OSError) as caught:
            folder.write("file", b"new", 0o644)
        assert folder.names() == ["file"] and folder.read("file") == b"old"
    assert caught.value.filename == str(tmp_path / "file")
