from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import files


def test_content_mode_and_symlink_are_kept(tmp_path):
    real = tmp_path / "real"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to("real")
    files.write_atomically(str(link), b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_follows_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        files.write_atomically(str(tmp_path / "new"), b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail(*args, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "rename", fail)
    with pytest.raises(OSError):
        files.write_atomically(str(target), b"new")
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_hashes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256_of_file(str(tmp_path / "a")).startswith("ba7816bf")
    assert files.sha256_of_json({"a": 1, "b": 2}) == files.sha256_of_json({"b": 2, "a": 1})


def test_only_a_regular_file_is_read_and_no_fifo_is_waited_for(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    with files.open_regular(str(tmp_path / "link")) as stream:
        assert stream.read() == b"content"
    for name in ("fifo", ".", "missing"):
        with pytest.raises(OSError):
            files.open_regular(str(tmp_path / name))
