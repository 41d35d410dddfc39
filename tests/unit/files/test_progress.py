from __future__ import annotations

import json
import os
import stat

import pytest
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


def test_a_file_or_link_that_stands_there_is_never_used(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "link").symlink_to("victim")
    for name in ("victim", "link"):
        with pytest.raises(OSError):
            Progress(str(tmp_path / name))
    assert (tmp_path / "victim").read_text() == "mine"


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Progress(None) as progress:
        progress.report("solve")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("raw", ["", "half a li", json.dumps({})])
def test_a_line_that_cannot_be_read_shows_nothing(raw):
    assert progress_line(raw) == ""
