# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module: one file, by one rename, and no change if anything is refused; and the files next to it."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run the module as Ansible does, and return its result."""
    old = os.umask(0o022)

    def run(check=False, **arguments):
        arguments = {"dest": str(tmp_path / "job.sh"), "command": "true", **arguments}
        with patch_module_args(dict(arguments, _ansible_check_mode=check, _ansible_diff=True)):
            with pytest.raises(SystemExit):
                sbatch_script.main()
        return json.loads(capsys.readouterr().out)

    yield run
    os.umask(old)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def kept(path):
    """What a write would change, which reading does not: a test that reads in between must not depend on the clock."""
    found = path.stat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def test_it_writes_once(call, tmp_path):
    first = call(job_name="a b")
    assert first["changed"] and first["directives"] == {"job-name": "a b"} and not first["folder_made"]
    assert (tmp_path / "job.sh").read_text() == first["content"]
    assert mode(tmp_path / "job.sh") == 0o755
    before = kept(tmp_path / "job.sh")
    assert not call(job_name="a b")["changed"]
    assert kept(tmp_path / "job.sh") == before


def test_check_mode_says_the_same_and_writes_nothing(call, tmp_path):
    planned = call(check=True, job_name="x")
    assert planned["changed"] and os.listdir(tmp_path) == []
    done = call(job_name="x")
    assert (planned["content"], planned["diff"]) == (done["content"], done["diff"])
    assert not call(check=True, job_name="x")["changed"]
    assert call(check=True, job_name="y")["changed"]
    assert (tmp_path / "job.sh").read_text() == done["content"]


def test_the_diff_is_old_and_new(call):
    old = call(job_name="x")["content"]
    (diff,) = call(job_name="y")["diff"]
    assert diff["before"] == old and "--job-name=y" in diff["after"]


def test_mode_is_kept_and_can_be_given(call, tmp_path):
    call()
    (tmp_path / "job.sh").chmod(0o700)
    assert call(job_name="x")["changed"] and mode(tmp_path / "job.sh") == 0o700
    assert call(check=True, job_name="x", mode="0640")["changed"] and mode(tmp_path / "job.sh") == 0o700
    assert call(job_name="x", mode="0640")["changed"] and mode(tmp_path / "job.sh") == 0o640
    assert not call(job_name="x", mode="0640")["changed"]


def test_a_link_is_kept(call, tmp_path):
    (tmp_path / "real.sh").write_text("old")
    (tmp_path / "job.sh").symlink_to("real.sh")
    assert call()["changed"]
    assert (tmp_path / "job.sh").is_symlink() and (tmp_path / "real.sh").read_text().startswith("#!/bin/bash")


def test_a_script_with_other_line_ends_is_replaced(call, tmp_path):
    content = call()["content"]
    (tmp_path / "job.sh").write_bytes(content.replace("\n", "\r\n").encode())
    assert call()["changed"]
    (tmp_path / "job.sh").write_bytes(b"\xff\x00")
    assert call()["changed"]


def test_the_folder_is_made_where_asked(call, tmp_path):
    dest = str(tmp_path / "a" / "b" / "job.sh")
    assert "make_folder" in call(dest=dest)["remedy"]
    planned = call(check=True, dest=dest, make_folder=True)
    assert planned["folder_made"] and os.listdir(tmp_path) == []
    assert call(dest=dest, make_folder=True)["folder_made"]
    assert not call(dest=dest, make_folder=True)["changed"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"command": "echo 'open"},
        {"command": "cat <<END\nx"},
        {"command": "if true; then"},
        {"pre": "f() {", "post": "}"},
        {"gres": "1"},
        {"directives": {"gers": "gpu:1"}},
        {"dest": "relative.sh"},
        {"dest": "/dev/null"},
        {"dest": "/no such folder/job.sh"},
    ],
)
def test_what_is_refused_leaves_nothing_behind(call, tmp_path, arguments):
    result = call(**arguments)
    assert result["failed"] and {"expected", "found", "remedy"} <= set(result)
    assert "\n" not in result["msg"]
    assert os.listdir(tmp_path) == []


def test_a_kind_that_is_not_there_is_refused(call):
    assert "kind" in call(kind="lightning")["msg"]


def test_a_folder_or_a_dead_link_is_not_a_script(call, tmp_path):
    (tmp_path / "folder").mkdir()
    assert call(dest=str(tmp_path / "folder"))["failed"]
    (tmp_path / "link").symlink_to("nowhere")
    assert call(dest=str(tmp_path / "link"))["failed"]
    assert (tmp_path / "link").is_symlink() and not (tmp_path / "nowhere").exists()


def test_root_does_not_write_where_somebody_else_could_swap_the_file(call, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    result = call(dest=str(home / "job.sh"))
    assert result["failed"] and "become_user" in result["remedy"] and os.listdir(home) == []


def test_nothing_of_the_environment_runs_while_the_syntax_is_read(call, monkeypatch, tmp_path):
    hook = tmp_path / "hook.sh"
    hook.write_text("touch %s/EXECUTED\n" % tmp_path)
    monkeypatch.setenv("BASH_ENV", str(hook))
    call(command="touch %s/EXECUTED" % tmp_path)
    assert not (tmp_path / "EXECUTED").exists()


def test_warnings_reach_the_user(call, monkeypatch, tmp_path):
    warnings = []
    monkeypatch.setattr(sbatch_script.AnsibleModule, "warn", lambda self, warning: warnings.append(warning))
    call(ntasks=16, mem="8G", time="10", command="python x.py", output="logs/%j.out")
    assert len(warnings) == 2 and "cpus-per-task" in warnings[0] and "/logs" in warnings[1]
    warnings.clear()
    (tmp_path / "logs").mkdir()
    call(command="python x.py", output="logs/%j.out")
    assert [warning.partition(" ")[2].partition(" ")[0] for warning in warnings] == ["CPUs", "memory", "time"]


FILES = [{"name": "train.py", "content": "print('\u00fc')\n"}, {"name": "data.gz", "content_base64": "AP8="}]


def test_files_are_written_next_to_the_script_once(call, tmp_path):
    os.umask(0o077)
    first = call(files=FILES)
    paths = [tmp_path / "train.py", tmp_path / "data.gz"]
    assert first["files"] == [{"path": str(path), "state": "file", "changed": True} for path in paths]
    assert [path.read_bytes() for path in paths] == ["print('\u00fc')\n".encode(), b"\0\xff"]
    assert [mode(path) for path in paths] == [0o644, 0o644]
    assert [one["after_header"] for one in first["diff"]] == [str(tmp_path / "job.sh"), *map(str, paths)]
    before = [kept(path) for path in tmp_path.iterdir()]
    again = call(files=FILES)
    assert not again["changed"] and not any(one["changed"] for one in again["files"])
    assert [kept(path) for path in tmp_path.iterdir()] == before


def test_one_that_differs_is_a_change_and_the_others_stay(call, tmp_path):
    call(files=FILES)
    script = kept(tmp_path / "job.sh")
    (tmp_path / "data.gz").chmod(0o600)
    (tmp_path / "train.py").write_text("mine\n")
    planned = call(check=True, files=FILES)
    assert (tmp_path / "train.py").read_text() == "mine\n" and mode(tmp_path / "data.gz") == 0o600
    done = call(files=FILES)
    assert done["changed"] and (planned["diff"], planned["files"]) == (done["diff"], done["files"])
    assert [one["changed"] for one in done["files"]] == [True, True]
    assert done["diff"][1]["before"] == "mine\n" and done["diff"][2]["before"] == "mode 0600\n"
    assert kept(tmp_path / "job.sh") == script and mode(tmp_path / "data.gz") == 0o644


def test_check_mode_foresees_files_in_a_folder_that_will_be_made(call, tmp_path):
    dest = str(tmp_path / "a" / "job.sh")
    planned = call(check=True, dest=dest, make_folder=True, files=FILES)
    assert planned["files"] and os.listdir(tmp_path) == []
    assert call(dest=dest, make_folder=True, files=FILES)["files"] == planned["files"]
    assert sorted(os.listdir(tmp_path / "a")) == ["data.gz", "job.sh", "train.py"]


@pytest.mark.parametrize("style", ["current", "guide"])
def test_the_script_is_the_same_with_files_and_without(call, style):
    assert call(style=style, files=FILES)["content"] == call(style=style)["content"]
    assert call(style=style)["files"] == call(style=style, files=[])["files"] == []


@pytest.mark.parametrize(
    "files",
    [
        [{"name": "", "content": ""}],
        [{"name": "..", "content": ""}],
        [{"name": "a/b", "content": ""}],
        [{"name": "a\nb", "content": ""}],
        [{"name": "a"}],
        [{"name": "a", "content": "", "content_base64": ""}],
        [{"name": "a", "content_base64": "?"}],
        [{"name": "a", "content": ""}, {"name": "a", "content": "x"}],
        [{"name": "a", "content": ""}, {"name": "job.sh", "content": ""}],
    ],
)
def test_files_that_make_no_sense_leave_nothing_behind(call, tmp_path, files):
    result = call(files=files)
    assert result["failed"] and {"expected", "found", "remedy"} <= set(result), result
    assert "\n" not in result["msg"] and os.listdir(tmp_path) == []


def test_what_the_scripts_link_leads_to_is_no_other_file(call, tmp_path):
    (tmp_path / "real.sh").write_text("old")
    (tmp_path / "job.sh").symlink_to("real.sh")
    assert "other files" in call(files=[{"name": "real.sh", "content": ""}])["expected"]
    assert (tmp_path / "real.sh").read_text() == "old"
    # Next to dest, not to what it leads to.
    (tmp_path / "other").mkdir()
    (tmp_path / "far.sh").symlink_to("other/far.sh")
    (tmp_path / "other/far.sh").write_text("old")
    assert call(dest=str(tmp_path / "far.sh"), files=FILES)["changed"]
    assert os.listdir(tmp_path / "other") == ["far.sh"] and (tmp_path / "train.py").exists()


def test_the_script_stays_if_a_file_cannot_be_written(call, tmp_path):
    (tmp_path / "data.gz").mkdir()
    result = call(files=FILES)
    assert result["failed"] and "data.gz" in result["expected"] and "a folder" in result["found"]
    assert sorted(os.listdir(tmp_path)) == ["data.gz", "job.sh"]
