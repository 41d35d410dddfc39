# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the output of a job is, and a job that could not make its output."""

from __future__ import annotations

import os
import pwd

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.result.output import output_path
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.part import Part

TASK = Part("23", "RUNNING", number="9", job_name="train", nodes="n[1-2].example.org")
ALONE = Part("", "RUNNING", number="7", job_name="train", nodes="n[01-02],m3")
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize(
    ("pattern", "part", "path"),
    [
        ("/o/foo.%N.out", ALONE, "/o/foo.n01.out"),
        ("/o/foo.%N.out", TASK, "/o/foo.n1.out"),
        ("/o/%u-%b-%A_%a.out", TASK, "/o/%s-3-7_23.out" % ME),
        ("/o/%8x-%4a-%3j", TASK, "/o/train-0023-009"),
        ("/o/\\%x.out", TASK, "/o/%x.out"),
        ("/o/%%N", TASK, "/o/%N"),
        ("/o/%Q.out", TASK, "/o/%Q.out"),
        ("/o/%t%n%s", ALONE, "/o/00batch"),
    ],
)
def test_a_pattern_becomes_the_file_of_the_batch_script(pattern, part, path):
    assert output_path(pattern, part, "7") == path


def test_what_is_not_known_is_searched_for(tmp_path):
    pattern = str(tmp_path / "a[1].%J.%x.out")
    assert output_path(pattern, ALONE, "7") == pattern
    (tmp_path / "a[1].7.0.other.out").touch()
    assert output_path(pattern, ALONE, "7") == pattern
    for number, when in (("6.batch", 1), ("7.batch", 3), ("5.batch", 2)):
        (tmp_path / ("a[1].%s.train.out" % number)).touch()
        os.utime(tmp_path / ("a[1].%s.train.out" % number), (when, when))
    assert output_path(pattern, ALONE, "7") == str(tmp_path / "a[1].7.batch.train.out")
    waiting = ALONE._replace(nodes="")
    (tmp_path / "n1.out").touch()
    assert output_path(str(tmp_path / "%N.out"), waiting, "7") == str(tmp_path / "n1.out")


def test_a_search_has_bounds(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "f").touch()
    for pattern in (str(tmp_path / "%J" / "f"), str(tmp_path / "x" / "%J.%J.%J.%J")):
        assert output_path(pattern, ALONE, "7") == pattern
    assert output_path(str(tmp_path / "x" / ("%J" * 3000)), ALONE, "7") == str(tmp_path / "x" / "f")


def test_the_name_of_a_user_whom_nobody_knows_is_searched_for(tmp_path):
    (tmp_path / "alice.out").touch()
    assert output_path(str(tmp_path / "%u.out"), ALONE, "7", -1) == str(tmp_path / "alice.out")


def test_the_folder_of_an_output_that_could_not_be_made_is_named(scene, call, tmp_path):
    missing, there = tmp_path / "no logs" / "out.%j", tmp_path / "out.%j"
    failed = {"state": "FAILED", "reason": "RaisedSignal:53", "exit": "0:53", "out": str(missing)}
    scene.play(polls=[[failed]])
    returned = call(state="completed")
    assert "make its folder, mkdir -p '%s'" % missing.parent in returned["remedy"]
    assert "its output is in" not in returned["remedy"]
    scene.play(polls=[[dict(failed, out=str(there))]])
    returned = call(state="completed", force=True)
    assert "check that the nodes have the folder %s" % there.parent in returned["remedy"]
    scene.play(polls=[[dict(failed, exit="0:11")]])
    assert "could not be made" not in call(state="completed", force=True)["remedy"]
