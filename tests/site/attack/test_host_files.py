# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_files and host_files_info as root, in every place of test_folder.py and with what another user put there."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

FOLDER = "tests/site/attack/test_folder.py"
STATES = {
    "file": {"content": "written"},
    "directory": {"state": "directory", "mode": "0755"},
    "link": {"state": "link", "target": "/"},
    "absent": {"state": "absent"},
    "touched": {"state": "touched", "mode": "0644"},
}


@pytest.fixture(scope="session")
def folder_tests(load_module: t.Callable[[str], t.Any]) -> t.Any:
    return load_module(FOLDER)


@pytest.fixture
def words(place: pathlib.Path, scratch: pathlib.Path, mallory: t.Any, treasure: t.Any) -> dict[str, t.Any]:
    return {"p": place, "s": scratch, "m": mallory.home, "t": treasure.path.parent, "uid": mallory.uid}


def everything(place: pathlib.Path) -> list[tuple[t.Any, ...]]:
    found = [(path, path.lstat()) for path in sorted(place.rglob("*"))]
    return [(str(path), each.st_mode, each.st_uid, each.st_size, each.st_mtime_ns) for path, each in found]


PLACES = [
    "hers",
    "root's below hers",
    "her link",
    "her link in a sticky folder",
    "her link on the way",
    "her link and two dots",
    "root's link to hers",
    "root's link to her link",
    "her link in root's folder",
    "a group's, setgid",
    "below everybody's",
    "sticky",
    "an ACL",
]


@pytest.mark.parametrize("name", PLACES)
def test_no_state_is_made_where_another_user_can_write(refused, folder_tests, words, place, mallory, treasure, name):
    hers, roots, opened = folder_tests.PLACES[name]
    folder_tests.prepare(words, mallory, hers, roots)
    folder = opened.format(**words)
    # as_root makes it at its first call.
    (place / "root").mkdir()
    before = everything(place)
    good = {"path": str(place / "first"), "content": "written"}
    for state, options in STATES.items():
        # A link in the place of the declared folder itself is what made a closed folder of root's open.
        path = folder if state == "directory" else folder + "/passwd"
        refused("host_files", files=[good, {"path": path, **options}])
    refused("host_files", files=[good, {"path": folder + "/new/deep", "content": "written"}])
    refused("host_files", files=[good, {"path": str(place / "first"), "content": ""}], only_root=[folder])
    refused("host_files", files=[good], only_root=[folder])
    refused("host_files_info", paths=[folder + "/passwd"])
    assert everything(place) == before and treasure.is_untouched()


# What root's own folder {p}/d has in it that is another user's.
LEAVES = {
    "her link": "ln -s '{t}/passwd' x && chown -h {uid} x",
    "her link to a folder": "ln -s '{t}' x && chown -h {uid} x",
    "her dangling link": "ln -s '{t}/new' x && chown -h {uid} x",
    "a link to her file": "touch '{m}/x' && chown {uid} '{m}/x' && ln -s '{m}/x' x",
    "a link to /dev/zero": "ln -s /dev/zero x",
    "a fifo": "mkfifo x",
    "a folder": "mkdir x",
    "a sparse file": "truncate -s 1T x",
}


@pytest.mark.parametrize("name", LEAVES)
def test_what_is_in_the_place_of_a_file_is_refused(refused, words, place, treasure, name):
    (place / "d").mkdir()
    assert os.system("cd '%s/d' && %s" % (place, LEAVES[name].format(**words))) == 0
    (place / "root").mkdir()
    before = everything(place)
    wrong = [{"content": "written"}, {"content": "written", "backup": True}, {"state": "link", "target": "/"}]
    # To touch a large file is no harm.
    for options in [*wrong, {"state": "touched"}][: 3 + (name != "a sparse file")]:
        if options.get("state") == "link" and "link" in name:
            # A symlink of any user is what a link replaces.
            continue
        refused("host_files", files=[{"path": str(place / "d/x"), **options}])
    refused("host_files_info", paths=[str(place / "d/x")])
    assert everything(place) == before and treasure.is_untouched()


def test_a_file_of_hers_in_roots_folder_becomes_roots_and_is_not_read(as_root, refused, place, mallory):
    path = place / "d/x"
    path.parent.mkdir()
    path.write_text("written")
    os.chown(path, mallory.uid, 0)
    assert "belongs to uid" in refused("host_files_info", paths=[str(path)])
    wanted = [{"path": str(path), "content": "written", "mode": "0644"}]
    assert as_root("host_files", files=wanted)["changed"] and path.stat().st_uid == 0
    assert not as_root("host_files", files=wanted)["changed"]
    assert as_root("host_files_info", paths=[str(path)])["files"][0]["content"] == "written"
    path.chmod(0o666)
    assert "has mode 0666" in refused("host_files_info", paths=[str(path)])


def test_a_folder_of_roots_in_a_sticky_one_is_used_and_none_is_made_there(as_root, refused, scratch):
    (scratch / "sw").mkdir(0o700)
    wanted = [{"path": str(scratch / "sw"), "state": "directory", "mode": "0755"}]
    wanted += [{"path": str(scratch / "sw/modules"), "state": "directory", "mode": "0755"}]
    assert as_root("host_files", files=wanted)["changed"] and not as_root("host_files", files=wanted)["changed"]
    assert (scratch / "sw").stat().st_mode & 0o777 == 0o755
    refused("host_files", files=[{"path": str(scratch / "other"), "state": "directory"}])


# A folder of root's that is put on PATH, and what is in it that another user can change.
PROGRAMS = {
    "hers": "touch x && chown {uid} x",
    "everybody's": "touch x && chmod 777 x",
    "a group's": "touch x && chgrp nogroup x && chmod 775 x",
    "a link of hers": "ln -s /bin/true x && chown -h {uid} x",
    "a link to hers": "touch '{m}/x' && chown {uid} '{m}/x' && ln -s '{m}/x' x",
    "a link below hers": "ln -s '{m}/a/b/c' x",
    "a link that she can fill": "ln -s '{s}/later' x",
    "a link to a link of hers": "ln -s '{t}/passwd' '{s}/l' && chown -h {uid} '{s}/l' && ln -s '{s}/l' x",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_folder_with_a_program_that_another_user_can_change_is_not_put_on_path(refused, words, place, name):
    (place / "bin").mkdir()
    assert os.system("cd '%s/bin' && %s" % (place, PROGRAMS[name].format(**words))) == 0
    for folder in ("bin", "bin/x"):
        refused(
            "host_files", files=[{"path": str(place / "profile.sh"), "content": ""}], only_root=[str(place / folder)]
        )
    assert not (place / "profile.sh").exists()


def test_healthy_folders_are_put_on_path(as_root, place):
    script = "mkdir -p data/bin data/sub && ln -s data opt && cd data/bin && touch a b && chmod 775 a . && ln -s a c"
    script += " && ln -s /bin/true d && ln -s /nonexistent/x e && ln -s ../sub f && mkdir g && chmod 777 g"
    assert os.system("cd '%s' && %s" % (place, script)) == 0
    folders = ["/usr/bin", "/bin", str(place / "opt/bin"), str(place / "not/yet"), str(place / "opt/bin/c")]
    done = as_root("host_files", files=[{"path": str(place / "profile.sh"), "content": ""}], only_root=folders)
    assert done.get("changed"), done


def test_the_remedy_is_true(as_root, refused, place):
    """A folder of root's that all can write is closed by the command in the message, and is then put on PATH."""
    (place / "my bin").mkdir()
    (place / "my bin").chmod(0o777)
    options = {"files": [{"path": str(place / "profile.sh"), "content": ""}], "only_root": [str(place / "my bin")]}
    remedy = refused("host_files", **options).partition("remedy: ")[2]
    assert os.system(remedy.rpartition(": ")[2]) == 0
    assert as_root("host_files", **options)["changed"]
