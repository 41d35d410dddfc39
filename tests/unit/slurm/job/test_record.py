# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record next to the script, the mark of a submission, and what is read from a script."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.record import Record, RecordFile, default_path
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.request import request_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.result.output import output_path
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.result.result import tail_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.part import Part


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "job.sh"
    path.write_text("#!/bin/sh\n#SBATCH --comment='two words'\ntrue\n")
    return path


@pytest.fixture
def files(script):
    return RecordFile(default_path(str(script)))


def test_a_record_comes_back_and_is_its_owners(files, script):
    assert files.read() is None
    record = Record("7", "d", ("--nodes=2",), "campus", "", 1.5, (Part("3", "FAILED", exit_code=2),))
    files.write(record)
    assert files.read() == record
    assert stat.S_IMODE(os.stat(files.path).st_mode) == 0o600 and os.path.dirname(files.path) == str(script.parent)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"job_id": "7", "parts": [{"what": 1}]}', "half a rec"])
def test_a_file_that_is_no_record_is_not_written_over(files, content):
    with open(files.path, "w", encoding="utf-8") as stream:
        stream.write(content)
    with pytest.raises(UserError, match="a record of a submission|the record of a submission"):
        files.read()


@pytest.mark.parametrize("planted", ["mkfifo", "ln -s /dev/zero", "mkdir", "truncate -s 1T"])
def test_a_record_that_is_no_small_regular_file_is_not_waited_for(files, planted):
    assert os.system("%s '%s'" % (planted, files.path)) == 0
    with pytest.raises(UserError, match="a record of a submission|the record of a submission"):
        files.read()


def test_only_one_begins(files, script):
    request = request_of(str(script), [])
    mark = files.begin(request)
    assert mark is not None and files.mark() == mark and mark.digest == request.digest
    assert files.begin(request) is None
    files.end(mark._replace(token="another"))
    assert files.mark() == mark
    files.end(mark)
    assert files.mark() is None and sorted(os.listdir(script.parent)) == ["job.sh"]


def test_a_changed_script_and_other_arguments_are_another_submission(script):
    request = request_of(str(script), ["--nodes=2"])
    record = Record("7", request.digest, ("--nodes=2",), "", "", 0)
    assert record.is_of(request) and not record.is_of(request_of(str(script), []))
    script.write_text(script.read_text() + "true\n")
    assert not record.is_of(request_of(str(script), ["--nodes=2"]))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("#SBATCH --job-name=a", "a"),
        ("#SBATCH --job-name 'a b'", "a b"),
        ("#SBATCH --job-n=a", "a"),
        ("#SBATCH -J a", "a"),
        ("#SBATCH -Ja", "a"),
        ("#SBATCH --time=1 -J x # -J y", "x"),
        ("true\n#SBATCH -J late", "job.sh"),
        ("# a comment\n\n#SBATCH -J a", "a"),
        ("#SBATCH -J 'open", "job.sh"),
    ],
)
def test_the_name_that_a_script_gives_its_job(script, line, name):
    script.write_text("#!/bin/sh\n%s\ntrue\n" % line)
    assert request_of(str(script), []).job_name == name


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("#SBATCH --comment=x", "x"),
        ("#SBATCH --comment 'two words'", "two words"),
        # sbatch takes any beginning of an option's name that fits no other one.
        ("#SBATCH --comm 'x'", "x"),
        ("#SBATCH --comm=x", "x"),
        ("#SBATCH --time=1", ""),
    ],
)
def test_the_comment_of_a_script(script, line, comment):
    script.write_text("#!/bin/sh\n%s\ntrue\n" % line)
    assert request_of(str(script), []).comment == comment


def test_the_name_of_a_job(script):
    assert request_of(str(script), []).job_name == "job.sh" and request_of(str(script), []).comment == "two words"
    assert request_of(str(script), ["--job-name=given"]).job_name == "given"


@pytest.mark.parametrize(
    "argument, message",
    [
        ("-N2", "of the form --name"),
        ("nodes=2", "of the form --name"),
        ("--wait", "found --wait"),
        ("--wrap=id", "found --wrap"),
        ("--comment=x", "found --comment"),
        ("--name=a\nb", "of the form --name"),
    ],
)
def test_an_argument_that_is_none_of_the_jobs_is_refused(script, argument, message):
    with pytest.raises(UserError, match=message):
        request_of(str(script), [argument])


def test_what_is_no_script_is_refused(script, tmp_path):
    with pytest.raises(UserError, match="no file there"):
        request_of(str(tmp_path / "none"), [])
    with pytest.raises(UserError, match="something that is not a file"):
        request_of(str(tmp_path), [])
    script.write_text("true\n")
    with pytest.raises(UserError, match="begins with #!"):
        request_of(str(script), [])


def test_root_does_not_submit_what_another_user_can_write(script, monkeypatch):
    os.chmod(script, 0o666)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="only root can write"):
        request_of(str(script), [])


def test_the_end_of_a_long_output(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"x" * 100000 + b"\nlast but one\n\xffend")
    assert tail_of(str(path), 20) == ["last but one", "\ufffdend"]
    assert tail_of(str(path), 1) == ["\ufffdend"] and tail_of(str(path), 0) == []


def test_nothing_is_waited_for_in_an_output(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert tail_of(str(tmp_path / "pipe"), 5) == tail_of(str(tmp_path / "none"), 5) == tail_of(str(tmp_path), 5) == []


def test_a_pattern_that_slurm_shows_instead_of_a_file():
    part = Part("3", "RUNNING", number="9", job_name="train", nodes="n1")
    assert output_path("/o/%x-%A_%3a-%j.out", part, "7") == "/o/train-7_003-9.out"
    assert output_path("/o/100%%", part, "7") == "/o/100%" and output_path("/o/%Q.out", part, "7") == "/o/%Q.out"


def test_a_mark_is_readable_by_later_runs(files, script):
    mark = files.begin(request_of(str(script), ["--nodes=2"]))
    with open(files.path + ".submitting", encoding="utf-8") as stream:
        assert json.load(stream)["token"] == mark.token


GOOD = {
    "job_id": "7",
    "digest": "d",
    "arguments": [],
    "cluster": "c",
    "elsewhere": "",
    "submitted": 1.5,
    "parts": [{"name": "", "state": "RUNNING"}],
}
ODD = [
    {"job_id": 7},
    {"job_id": ["7"]},
    {"arguments": 7},
    {"arguments": [7]},
    {"cluster": None},
    {"elsewhere": {}},
    {"submitted": "now"},
    {"submitted": 10**400},
    {"parts": 7},
    {"parts": [7]},
    {"parts": ["x"]},
    {"parts": [{"name": ""}]},
    {"parts": [{"name": 1, "state": "RUNNING"}]},
    {"parts": [{"name": "", "state": []}]},
    {"parts": [{"name": "", "state": "RUNNING", "exit_code": "0"}]},
    {"parts": [{"name": "", "state": "RUNNING", "exit_code": True}]},
    {"parts": [{"name": "", "state": "RUNNING", "more": 1}]},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_record_with_values_of_other_types_is_none(files, odd):
    with open(files.path, "w", encoding="utf-8") as stream:
        json.dump(dict(GOOD, **odd), stream)
    with pytest.raises(UserError, match="expected a record of a submission"):
        files.read()


@pytest.mark.parametrize("content", [b"[" * 10**6, b'{"job_id": %s}' % (b"9" * 5000), b"\xff", b""])
def test_a_record_that_is_no_json_is_none(files, content):
    with open(files.path, "wb") as stream:
        stream.write(content)
    with pytest.raises(UserError, match="expected a record of a submission"):
        files.read()


def test_a_pipe_and_a_file_of_any_size_are_no_record(files):
    os.mkfifo(files.path)
    with pytest.raises(UserError, match="expected a record of a submission"):
        files.read()
    os.unlink(files.path)
    with open(files.path, "wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(UserError, match="expected a record of a submission"):
        files.read()


def test_a_good_record_is_read(files):
    with open(files.path, "w", encoding="utf-8") as stream:
        json.dump(GOOD, stream)
    assert files.read().job_id == "7"


@pytest.mark.parametrize("path", ["/o/%999999999x", "/o/%0000j", "/o/%\u00b2x", "/o/" + "%x" * 3000])
def test_a_pattern_makes_no_endless_path(path):
    assert len(output_path(path, Part("", "RUNNING", job_name="n" * 100), "7")) < 10**6


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("10%\r20%\r30%\r\nend\n", ["30%", "end"]),
        ("a\u2028b\x85c\n", ["a\\u2028b\\x85c"]),
        ("\x1b[31mred\x1b[0m\n", ["\\x1b[31mred\\x1b[0m"]),
        ("x" * 60000 + "\n", ["x" * 1997 + "..."]),
        ("caf\u00e9\t\u4e2d\u6587 \U0001f600\n", ["caf\u00e9\t\u4e2d\u6587 \U0001f600"]),
    ],
)
def test_the_end_of_an_output_can_be_seen(tmp_path, text, lines):
    (tmp_path / "out").write_text(text, encoding="utf-8", newline="")
    assert tail_of(str(tmp_path / "out"), 5) == lines


def test_the_output_of_another_users_job_is_read_only_if_it_is_that_users(tmp_path):
    (tmp_path / "out").write_text("mine\n")
    me = os.geteuid()
    assert tail_of(str(tmp_path / "out"), 5, me) == ["mine"]
    assert tail_of(str(tmp_path / "out"), 5, me + 1) == tail_of(str(tmp_path / "out"), 5, -1) == []
