from __future__ import annotations

import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files import progress as progress_module
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
from ansible_collections.hpc.pytorch.plugins.plugin_utils._progress import progress_line


def test_the_last_line_says_where_the_work_is_and_the_file_goes(tmp_path):
    path = tmp_path / "progress"
    with Progress(str(path)) as progress:
        progress.report("solve")
        progress.report("download", "pytorch", 3, 20, 52_400_000, 160_000_000)
        raw = path.read_text().splitlines()[-1]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert progress_line(raw) == "download pytorch 3 of 20 52.4 MB of 160.0 MB"
    assert not path.exists()


def test_reports_of_one_step_that_come_too_fast_are_dropped(tmp_path):
    path = tmp_path / "progress"
    with Progress(str(path)) as progress:
        for number in range(1000):
            progress.report("link", "x", number, 1000)
        assert len(path.read_text().splitlines()) < 1000


def test_another_thread_that_finds_the_disk_full_ends_no_work(tmp_path, monkeypatch):
    """It closes the file between two lines of a report."""
    progress = Progress(str(tmp_path / "progress"))
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: progress.close() or 1.0)
    progress.report("pack", "torch")
    assert not (tmp_path / "progress").exists()


def test_a_file_or_link_that_stands_there_is_never_used(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "link").symlink_to("victim")
    for name in ("victim", "link"):
        with pytest.raises(OSError):
            Progress(str(tmp_path / name))
    assert (tmp_path / "victim").read_text() == "mine"


def named(folder, number):
    return folder / ("hpc.pytorch-%032x.progress" % number)


def test_what_killed_runs_left_goes_and_nothing_else(tmp_path):
    """A killed one leaves its file without the lock; the others belong to a run, or are no such files."""
    with Progress(str(named(tmp_path, 1))):
        os.mkfifo(named(tmp_path, 2))
        named(tmp_path, 3).symlink_to("mine.txt")
        named(tmp_path, 4).mkdir()
        kept = [
            "mine.txt",
            "hpc.pytorch-1.progress",
            "hpc.pytorch-%s.progress" % ("G" * 32),
            named(tmp_path, 5).name + "x",
        ]
        for name in kept:
            (tmp_path / name).touch()
        named(tmp_path, 6).touch()
        before = set(os.listdir(tmp_path))
        with Progress(str(named(tmp_path, 7))):
            assert before - set(os.listdir(tmp_path)) == {named(tmp_path, 6).name}
    assert not named(tmp_path, 1).exists() and not named(tmp_path, 7).exists()


def test_a_run_that_is_killed_leaves_its_file_unlocked(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress\n"
        "progress = Progress(sys.argv[2]); print('made', flush=True); input()"
    )
    path = named(tmp_path, 1)
    root = str(pathlib.Path(__file__).resolve().parents[3] / ".collections")
    with subprocess.Popen(
        [sys.executable, "-c", code, root, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "made\n"
        Progress(str(named(tmp_path, 2))).close()
        assert path.exists()
        process.kill()
    assert path.exists()
    # A file with a name of the caller's choice cleans nothing.
    Progress(str(tmp_path / "progress")).close()
    assert path.exists()
    Progress(str(named(tmp_path, 3))).close()
    assert os.listdir(tmp_path) == []


def test_files_of_another_user_stay(tmp_path, monkeypatch):
    named(tmp_path, 1).touch()
    monkeypatch.setattr(progress_module.os, "geteuid", lambda: os.getuid() + 1)
    progress_module.remove_abandoned(str(tmp_path))
    assert named(tmp_path, 1).exists()
    progress_module.remove_abandoned(str(tmp_path / "absent"))


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Progress(None) as progress:
        progress.report("solve")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("raw", ["", "half a li", json.dumps({})])
def test_a_line_that_cannot_be_read_shows_nothing(raw):
    assert progress_line(raw) == ""
