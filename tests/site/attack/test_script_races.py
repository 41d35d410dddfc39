# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sbatch_script as root, while another user swaps what is on the way, and where that user could."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

RUN = pathlib.Path(__file__).with_name("run_race.py")
# {s} is a sticky folder, {t} root's treasure. The entry whose status root reads, for the nth time, what mallory
# does then, and dest.
RACES = {
    "a new folder": ("new", 1, "ln -s '{t}' '{s}/new'", "{s}/new/passwd"),
    "a new folder, at the second look": ("new", 2, "ln -s '{t}' '{s}/new'", "{s}/new/passwd"),
    "a new folder of hers": ("new", 1, "mkdir '{s}/new'; ln -s '{t}/passwd' '{s}/new/passwd'", "{s}/new/passwd"),
    "two new folders": ("new", 1, "mkdir '{s}/new'; ln -s '{t}' '{s}/new/deep'", "{s}/new/deep/passwd"),
    "a file": ("passwd", 1, "ln -s '{t}/passwd' '{s}/passwd'", "{s}/passwd"),
    "a file, at the second look": ("passwd", 2, "ln -sf '{t}/passwd' '{s}/passwd'", "{s}/passwd"),
    "a file, at the third look": ("passwd", 3, "ln -sf '{t}/passwd' '{s}/passwd'", "{s}/passwd"),
    "a fifo": ("passwd", 1, "mkfifo '{s}/passwd'", "{s}/passwd"),
}


def run(swap: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    done = subprocess.run(
        [sys.executable, str(RUN), "sbatch_script", json.dumps(swap)],
        input=json.dumps({"command": "true", "check_cluster": "false", "make_folder": True, **options}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout
    return t.cast("dict[str, t.Any]", json.loads(lines[-1]))


def swap_of(name: str, words: dict[str, t.Any]) -> tuple[dict[str, t.Any], str]:
    entry, time, does, dest = RACES[name]
    return {"name": entry, "time": time, "does": does.format(**words), "uid": words["uid"]}, dest.format(**words)


@pytest.fixture
def words(scratch: pathlib.Path, mallory: t.Any, treasure: t.Any) -> dict[str, t.Any]:
    return {"s": scratch, "t": treasure.path.parent, "uid": mallory.uid}


@pytest.mark.parametrize("name", RACES)
def test_a_swap_leads_nowhere(words, treasure, name):
    swap, dest = swap_of(name, words)
    result = run(swap, dest=dest, mode="0600", owner=str(words["uid"]))
    assert treasure.is_untouched(), result
    if not result.get("failed"):
        assert pathlib.Path(dest).is_file() and not pathlib.Path(dest).is_symlink()


@pytest.mark.parametrize("name", ["a new folder", "a new folder, at the second look"])
def test_the_same_swap_wins_if_nothing_is_judged(words, treasure, name):
    """The check is broken on purpose, or the test above would prove nothing."""
    swap, dest = swap_of(name, words)
    result = run({**swap, "broken": True}, dest=dest)
    assert result.get("changed") and treasure.path.read_text() == result["content"], result


PLACES = [
    "{s}/new/job.sh",
    "{s}/new/a/b/job.sh",
    "{m}/job.sh",
    "{m}/new/job.sh",
    "{p}/group/job.sh",
    "{p}/group/new/job.sh",
]


@pytest.mark.parametrize("dest", PLACES)
def test_a_folder_that_another_user_could_make_is_refused_in_check_mode_too(
    refused, place, words, mallory, treasure, dest
):
    (place / "group").mkdir()
    os.chown(place / "group", 0, 65534)
    (place / "group").chmod(0o2775)
    path = dest.format(m=mallory.home, p=place, **words)
    for check in (True, False):
        options = {"command": "true", "check_cluster": "false", "make_folder": True, "_ansible_check_mode": check}
        assert "only root can write" in refused("sbatch_script", dest=path, **options)
    assert treasure.is_untouched() and not os.path.lexists(path) and not os.path.lexists(words["s"] / "new")


@pytest.mark.parametrize("folder", ["jobs", "new/jobs", "link", "my jobs", "setgid"])
def test_owner_and_mode_are_set_where_only_root_can_write(as_root, place, alice, folder):
    (place / "jobs").mkdir()
    (place / "my jobs").mkdir()
    (place / "link").symlink_to("jobs")
    (place / "setgid").mkdir()
    os.chown(place / "setgid", 0, 65534)
    (place / "setgid").chmod(0o2755)
    dest = place / folder / "job.sh"
    options = {"dest": str(dest), "command": "true", "check_cluster": "false", "make_folder": True}
    made = as_root("sbatch_script", **options, owner=alice.name, group="0", mode="0740")
    assert made.get("changed"), made
    status = dest.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (alice.uid, 0, 0o740)
    # The script is alice's now, in a folder in which only root can put another one in its place.
    assert as_root("sbatch_script", **options)["changed"] is False
    assert as_root("sbatch_script", **options, mode="u+x,g+x")["changed"] is True
    status = dest.stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (alice.uid, 0o750)


def test_files_next_to_the_script_belong_to_its_owner(as_root, place, alice):
    options = {"dest": str(place / "job.sh"), "command": "true", "check_cluster": "false"}
    wanted = dict(options, files=[{"name": "train.py", "content": "pass\n"}])

    def owner() -> tuple[int, int, int]:
        status = (place / "train.py").stat()
        return status.st_uid, status.st_gid, status.st_mode & 0o7777

    assert as_root("sbatch_script", **wanted)["changed"] and owner() == (0, 0, 0o644)
    made = as_root("sbatch_script", **wanted, owner=alice.name, group="65534")
    assert made["changed"] and made["files"][0]["changed"] and owner() == (alice.uid, 65534, 0o644)
    assert not as_root("sbatch_script", **wanted, owner=alice.name, group="65534")["changed"]
    assert not as_root("sbatch_script", **wanted, owner=alice.name)["changed"] and owner()[1] == 65534
    # Without an owner it is root's again: alice could change it.
    assert as_root("sbatch_script", **wanted)["files"][0]["changed"] and owner()[0] == 0


def test_root_writes_no_file_next_to_a_script_where_another_user_could(refused, place, scratch, mallory, treasure):
    wanted = {"command": "true", "check_cluster": "false", "files": [{"name": "passwd", "content": "written"}]}
    (place / "jobs").mkdir()
    os.symlink(treasure.path.parent / "passwd", place / "jobs/passwd")
    os.lchown(place / "jobs/passwd", mallory.uid, -1)
    for folder in (place / "jobs", scratch):
        for check in (True, False):
            message = refused("sbatch_script", dest=str(folder / "job.sh"), **wanted, _ansible_check_mode=check)
            assert "only root can write" in message, message
        assert treasure.is_untouched() and not (scratch / "passwd").exists()
        # As after a task of its own.
        assert (folder / "job.sh").exists()
