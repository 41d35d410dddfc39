# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where root opens a folder, another user cannot lead it elsewhere: neither before nor while it works."""

from __future__ import annotations

import json
import os
import pathlib
import struct
import subprocess
import sys
import typing as t

import pytest

RUN = pathlib.Path(__file__).with_name("run_folder.py")


@pytest.fixture
def acted() -> t.Callable[..., list[dict[str, t.Any]]]:
    """What root's process did, one answer for each act."""

    def call(acts: t.Sequence[tuple[str, t.Any]], **order: t.Any) -> list[dict[str, t.Any]]:
        done = subprocess.run(
            [sys.executable, str(RUN)],
            input=json.dumps({**order, "acts": [(name, str(path)) for name, path in acts]}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A fifo that is waited for is found by this, and nothing else is.
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return t.cast("list[dict[str, t.Any]]", json.loads(done.stdout.splitlines()[-1]))

    return call


def acl_for(uid: int) -> bytes:
    """A POSIX ACL with which the user can write a folder of root's: u::rwx, u:UID:rwx, g::r-x, m::rwx, o::r-x."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 7, nobody), (0x02, 7, uid), (0x04, 5, nobody), (0x10, 7, nobody), (0x20, 5, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


# Each place: what mallory does, what root has done, and the folder that root then opens. {s} is a sticky folder, {p} a
# folder of root's, {t} root's treasure, {m} mallory's home.
PLACES = {
    "hers": ("", "", "{m}"),
    "hers, deep": ("mkdir -p '{m}/a/b'", "", "{m}/a/b"),
    "root's below hers": ("", "mkdir '{m}/root'", "{m}/root"),
    "her link": ("ln -s '{t}' '{m}/l'", "", "{m}/l"),
    "her link in a sticky folder": ("ln -s '{t}' '{s}/l'", "", "{s}/l"),
    "her link on the way": ("ln -s '{p}' '{s}/l'", "", "{s}/l/treasure"),
    "her relative link": ("ln -s ../treasure '{s}/l'", "", "{s}/l"),
    "her link and two dots": ("ln -s '{t}' '{s}/l'", "", "{s}/l/../treasure"),
    "two dots out of her folder": ("mkdir '{s}/d'", "", "{s}/d/../../treasure"),
    "her folder in a sticky folder": ("mkdir '{s}/d'", "", "{s}/d"),
    "root's link to hers": ("", "ln -s '{m}' '{p}/l'", "{p}/l"),
    "root's link to her link": ("ln -s '{t}' '{s}/l'", "ln -s '{s}/l' '{p}/l'", "{p}/l"),
    "root's relative link to hers": ("", "ln -s home/mallory '{p}/l'", "{p}/l"),
    "her link in root's folder": ("", "ln -s '{t}' '{p}/l' && chown -h {uid} '{p}/l'", "{p}/l"),
    "a group's": ("", "mkdir '{p}/g' && chgrp nogroup '{p}/g' && chmod 0775 '{p}/g'", "{p}/g"),
    "a group's, setgid": ("", "mkdir '{p}/g' && chgrp nogroup '{p}/g' && chmod 2775 '{p}/g'", "{p}/g"),
    "below a group's": ("", "mkdir -p '{p}/g/d' && chgrp nogroup '{p}/g' && chmod 0775 '{p}/g'", "{p}/g/d"),
    "everybody's": ("", "mkdir '{p}/e' && chmod 0777 '{p}/e'", "{p}/e"),
    "below everybody's": ("", "mkdir -p '{p}/e/d' && chmod 0777 '{p}/e'", "{p}/e/d"),
    "write only": ("", "mkdir '{p}/e' && chmod 0733 '{p}/e'", "{p}/e"),
    "sticky": ("", "", "{s}"),
    "sticky for a group": ("", "mkdir '{p}/g' && chgrp nogroup '{p}/g' && chmod 1775 '{p}/g'", "{p}/g"),
    "an ACL": ("", "mkdir '{p}/acl'", "{p}/acl"),
    "below an ACL": ("", "mkdir -p '{p}/acl/d'", "{p}/acl/d"),
}
ALL = ["write", "write file", "read file", "link", "touch", "remove", "make", "make all"]


def layout(place: pathlib.Path, scratch: pathlib.Path, mallory: t.Any, treasure: t.Any) -> dict[str, t.Any]:
    return {"p": place, "s": scratch, "m": mallory.home, "t": treasure.path.parent, "uid": mallory.uid}


def prepare(words: dict[str, t.Any], mallory: t.Any, hers: str, roots: str) -> None:
    mallory.does(hers.format(**words) or ":")
    subprocess.run(["/bin/sh", "-euc", roots.format(**words) or ":"], check=True)
    if "acl" in roots:
        os.setxattr(words["p"] / "acl", "system.posix_acl_access", acl_for(mallory.uid))


@pytest.mark.parametrize("name", PLACES)
def test_root_does_nothing_where_another_user_can_write(acted, place, scratch, mallory, treasure, tree, name):
    hers, roots, opened = PLACES[name]
    words = layout(place, scratch, mallory, treasure)
    prepare(words, mallory, hers, roots)
    before = tree()
    folder = opened.format(**words)
    answers = acted([(act, "%s/%s" % (folder, "passwd")) for act in ALL] + [("make all", folder + "/new/x")])
    assert [answer for answer in answers if "that only root can write" not in answer.get("refused", "")] == []
    assert tree() == before and treasure.is_untouched()


@pytest.fixture
def tree(place: pathlib.Path) -> t.Callable[[], list[tuple[t.Any, ...]]]:
    """Everything below the place, to prove that nothing is changed."""

    def read() -> list[tuple[t.Any, ...]]:
        found = [(path, path.lstat()) for path in sorted(place.rglob("*"))]
        return [(str(path), each.st_mode, each.st_uid, each.st_size, each.st_mtime_ns) for path, each in found]

    return read


# What mallory puts in the place of the file, and root's act; None where root may replace it by its own file.
LEAVES = {
    "her link": ("ln -s '{t}/passwd' '{s}/x'", "write atomically", "belongs to uid"),
    "her dangling link": ("ln -s '{t}/new' '{s}/x'", "write atomically", "belongs to uid"),
    "her link to a folder": ("ln -s '{t}' '{s}/x'", "write atomically", "belongs to uid"),
    "her link, replaced": ("ln -s '{t}/passwd' '{s}/x'", "write in sticky", None),
    "her link, read": ("ln -s '{t}/passwd' '{s}/x'", "read in sticky", "not a regular file"),
    "her link, touched": ("ln -s '{t}/passwd' '{s}/x'", "touch in sticky", ""),
    "her dangling link, touched": ("ln -s '{t}/new' '{s}/x'", "touch in sticky", ""),
    "her file": (": > '{s}/x'", "write atomically", "belongs to uid"),
    "her open file": ("umask 0; : > '{s}/x'", "write atomically", "belongs to uid"),
    "her file, touched": (": > '{s}/x'", "touch in sticky", "not a regular file of this user"),
    "her fifo": ("mkfifo '{s}/x'", "write atomically", "belongs to uid"),
    "her fifo, read": ("mkfifo '{s}/x'", "read in sticky", "not a regular file"),
    "her fifo, replaced": ("mkfifo '{s}/x'", "write in sticky", None),
    "her fifo, touched": ("mkfifo '{s}/x'", "touch in sticky", ""),
    "her folder": ("mkdir '{s}/x'", "write in sticky", "directory"),
    "her folder, read": ("mkdir '{s}/x'", "read in sticky", "not a regular file"),
    "her sparse file": ("truncate -s 1T '{s}/x'", "read in sticky", "larger than"),
    "her names for half a file": (
        "for n in $(seq 1 300); do ln -s '{t}/passwd' '{s}/.x.'$n; done",
        "write in sticky",
        None,
    ),
}


@pytest.mark.parametrize("name", LEAVES)
def test_what_another_user_puts_in_the_place_of_a_file_is_not_followed(acted, place, scratch, mallory, treasure, name):
    hers, act, answer = LEAVES[name]
    words = layout(place, scratch, mallory, treasure)
    prepare(words, mallory, hers, "")
    (found,) = acted([(act, scratch / "x")])
    if answer is None:
        assert found == {"did": None} and (scratch / "x").lstat().st_uid == 0, found
        assert (scratch / "x").read_text() == "written"
    else:
        assert answer in found.get("refused", found.get("failed", "")), found
    assert treasure.is_untouched()


def test_a_hard_link_to_a_file_of_roots_is_replaced_and_never_written_or_touched(acted, scratch, treasure):
    """The kernel lets her make one where protected_hardlinks is off, so root makes it for her."""
    for name in ("x", "y"):
        os.link(treasure.path, scratch / name)
    treasure.before = treasure.state()
    written, touched = acted([("write in sticky", scratch / "x"), ("touch in sticky", scratch / "y")])
    assert written == {"did": None} and "not a regular file of this user" in touched["failed"]
    assert treasure.is_untouched() and (scratch / "x").read_text() == "written"


def test_a_hard_link_to_a_symlink_of_roots_leads_nowhere(acted, place, scratch, treasure):
    (place / "l").symlink_to(treasure.path.parent)
    os.link(place / "l", scratch / "l", follow_symlinks=False)
    (refused, allowed) = acted([("read file", scratch / "l/passwd"), ("read file", treasure.path)])
    assert "hard link" in refused["refused"] and allowed["did"] == treasure.path.read_text()


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty", "/dev/full"])
def test_a_device_is_not_opened(acted, place, device):
    (place / "l").symlink_to(device)
    os.mknod(place / "d", 0o600 | 0o020000, os.stat("/dev/zero").st_rdev)
    for answer in acted(
        [("read file", place / "l"), ("read", place / "l"), ("read", place / "d"), ("touch", place / "l")]
    ):
        assert "failed" in answer or "refused" in answer, answer


SWAP_FOLDER = "mv '{s}/d' '{s}/old' && ln -s '{t}' '{s}/d'"
SWAP_FILE = "rm -f '{s}/x'; ln -s '{t}/passwd' '{s}/x'"
# What mallory has, what she does once root has read the entry's status, and root's act.
RACES = {
    "folder, written": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("write", "{s}/d/passwd")),
    "folder, read": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("read", "{s}/d/passwd")),
    "folder, touched": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("touch", "{s}/d/passwd")),
    "folder, removed": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("remove", "{s}/d/passwd")),
    "folder, linked": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("link", "{s}/d/passwd")),
    "folder, made in": ("mkdir '{s}/d'", "d", SWAP_FOLDER, ("make", "{s}/d/new")),
    "folder on the way": (
        "mkdir -p '{s}/d/treasure'",
        "d",
        "mv '{s}/d' '{s}/old' && ln -s '{p}' '{s}/d'",
        ("write", "{s}/d/treasure/passwd"),
    ),
    "file, read": ("echo hers > '{s}/x'", "x", SWAP_FILE, ("read in sticky", "{s}/x")),
}


def race(words: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    _before, entry, swap, _act = RACES[name]
    return {"call": "stat", "after": True, "name": entry, "swap": swap.format(**words), "uid": words["uid"]}


@pytest.mark.parametrize("name", RACES)
def test_a_swap_between_look_and_open_leads_nowhere(acted, place, scratch, mallory, treasure, name):
    words = layout(place, scratch, mallory, treasure)
    before, _entry, _swap, (act, path) = RACES[name]
    mallory.does(before.format(**words))
    (answer,) = acted([(act, path.format(**words))], **race(words, name))
    assert "did" not in answer and (scratch / ("x" if "file" in name else "d")).is_symlink(), answer
    assert treasure.is_untouched()


@pytest.mark.parametrize("name", RACES)
def test_the_same_swap_wins_if_links_are_followed(acted, place, scratch, mallory, treasure, name):
    """The check is broken on purpose, or the test above would prove nothing."""
    words = layout(place, scratch, mallory, treasure)
    before, _entry, _swap, (act, path) = RACES[name]
    mallory.does(before.format(**words))
    (answer,) = acted([(act, path.format(**words))], broken=True, **race(words, name))
    assert "did" in answer, answer
    assert not treasure.is_untouched() or answer["did"] == treasure.path.read_text()


def test_a_link_that_appears_before_a_file_is_made_is_replaced(acted, place, scratch, mallory, treasure):
    words = layout(place, scratch, mallory, treasure)
    order = {"call": "stat", "after": True, "name": "x", "swap": SWAP_FILE.format(**words), "uid": mallory.uid}
    (answer,) = acted([("write atomically", scratch / "x")], **order)
    assert answer == {"did": None} and not (scratch / "x").is_symlink() and treasure.is_untouched()


# A healthy site. Root makes it, and what is opened in it works.
HEALTHY = {
    "plain": ("mkdir '{p}/d'", "{p}/d"),
    "a link of root's": ("mkdir '{p}/data' && ln -s '{p}/data' '{p}/opt'", "{p}/opt"),
    "a relative link of root's": ("mkdir -p '{p}/data/x' && ln -s data '{p}/opt'", "{p}/opt/x"),
    "a link on the way and two dots": ("mkdir -p '{p}/data/x' && ln -s data/x '{p}/opt'", "{p}/opt/../x"),
    "closed": ("mkdir '{p}/d' && chmod 0700 '{p}/d'", "{p}/d"),
    "read-only": ("mkdir '{p}/d' && chmod 0555 '{p}/d'", "{p}/d"),
    "group root": ("mkdir '{p}/d' && chmod 0775 '{p}/d'", "{p}/d"),
    "setgid": ("mkdir '{p}/d' && chgrp nogroup '{p}/d' && chmod 2755 '{p}/d'", "{p}/d"),
    "setgid, group root": ("mkdir '{p}/d' && chmod 2775 '{p}/d'", "{p}/d"),
    "blanks and letters": ("mkdir '{p}/a b ü$(x)'", "{p}/a b ü$(x)"),
    "root's in a sticky folder": ("mkdir '{s}/d'", "{s}/d"),
    "root's link in a sticky folder": ("mkdir '{p}/d' && ln -s '{p}/d' '{s}/l'", "{s}/l"),
    "slashes and dots": ("mkdir -p '{p}/d/e'", "{p}//d/./e/../e/"),
}


@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_place_is_written(acted, place, scratch, mallory, treasure, name, umask):
    words = layout(place, scratch, mallory, treasure)
    roots, folder = HEALTHY[name]
    prepare(words, mallory, "", roots)
    path = folder.format(**words).rstrip("/") + "/x"
    todo = [(act, path) for act in ("write", "write file", "read", "touch", "remove", "link", "remove", "make")]
    answers = acted([*todo, ("make all", path + "/deep/x"), ("write atomically", path + "/deep/x")], umask=umask)
    assert [answer for answer in answers if "did" not in answer] == [] and answers[2] == {"did": "written"}
    assert pathlib.Path(path, "deep").stat().st_mode & 0o777 == 0o755
    assert pathlib.Path(path, "deep/x").stat().st_mode & 0o777 == 0o644
