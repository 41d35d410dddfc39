# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_files as root: on a machine and in the tree of an image, in which another user has put something."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import typing as t

import pytest

OURS = "# ours\n"


@pytest.fixture(scope="session")
def places(load_module: t.Callable[[str], t.Any]) -> t.Any:
    return load_module("tests/site/attack/test_folder.py")


def everything(place: pathlib.Path) -> list[tuple[t.Any, ...]]:
    found = [(path, path.lstat()) for path in sorted(place.rglob("*"))]
    return [(str(path), each.st_mode, each.st_uid, each.st_size, each.st_mtime_ns) for path, each in found]


@pytest.mark.parametrize("name", ["hers", "her link", "her link on the way", "sticky", "a group's, setgid", "an ACL"])
def test_nothing_is_made_where_another_user_can_write(refused, places, place, scratch, mallory, treasure, name):
    words = {"p": place, "s": scratch, "m": mallory.home, "t": treasure.path.parent, "uid": mallory.uid}
    hers, roots, opened = places.PLACES[name]
    places.prepare(words, mallory, hers, roots)
    folder = opened.format(**words)
    # as_root makes it at its first call.
    (place / "root").mkdir()
    good = {"path": str(place / "first"), "content": "written"}
    wanted = {"path": folder + "/passwd", "content": "written"}
    before = everything(place)
    refused("node_files", files=[good, wanted])
    refused("node_files", files=[dict(good, only_root=[folder])])
    refused("node_files", files=[{"path": "/passwd", "content": "written"}], root=folder)
    refused("node_files", files=[{"path": "/passwd", "content": "written"}], root=folder + "/new/deep")
    refused("node_files", files=[{"path": "/passwd", "content": "written"}], tar=folder + "/image.tar")
    assert everything(place) == before and treasure.is_untouched()


def test_a_file_of_hers_that_begins_like_ours_is_left_alone(as_root, place, mallory):
    (place / "d").mkdir()
    path = place / "d/x"
    path.write_text(OURS)
    os.chown(path, mallory.uid, mallory.gid)
    gone = [{"path": str(path), "state": "absent", "begins_with": [OURS]}]
    assert not as_root("node_files", files=gone)["changed"] and path.exists()
    os.chown(path, 0, 0)
    assert as_root("node_files", files=gone)["changed"] and not path.exists()


@pytest.fixture
def image(place: pathlib.Path, mallory: t.Any) -> pathlib.Path:
    """A tree of root's with a folder of hers, one in which everybody can write, and programs."""
    tree = place / "image"
    script = "mkdir -p '{i}' && cd '{i}' && mkdir bin m s etc && chown {uid} m && chmod 1777 s && : > bin/good"
    subprocess.run(["/bin/sh", "-euc", script.format(i=tree, uid=mallory.uid)], check=True)
    return tree


# In the tree. On the machine that makes the image, these paths do not exist or are root's.
WAYS = {
    "her folder": (":", "/m/a.sh"),
    "a sticky folder": (":", "/s/a.sh"),
    "a new folder in a sticky one": (":", "/s/new/a.sh"),
    "an absolute link to hers": ("ln -s /m l", "/l/a.sh"),
    "a link of hers": ("ln -s /etc l && chown -h {uid} l", "/l/a.sh"),
    "a link of hers for the file": ("ln -s /etc/passwd etc/a.sh && chown -h {uid} etc/a.sh", "/etc/a.sh"),
    "a link to hers for the file": ("ln -s /m/a etc/a.sh", "/etc/a.sh"),
    "a fifo": ("mkfifo etc/a.sh", "/etc/a.sh"),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_place_in_the_tree_is_judged_in_the_tree(refused, place, image, mallory, name):
    script, path = WAYS[name]
    subprocess.run(["/bin/sh", "-euc", "cd '%s' && %s" % (image, script.format(uid=mallory.uid))], check=True)
    (place / "root").mkdir()
    before = everything(place)
    refused("node_files", files=[{"path": "/etc/first", "content": ""}, {"path": path, "content": ""}], root=str(image))
    assert everything(place) == before


PROGRAMS = {
    "hers": "touch x && chown {uid} x",
    "everybody's": "touch x && chmod 777 x",
    "a group's": "touch x && chgrp nogroup x && chmod 775 x",
    "a link of hers": "ln -s good x && chown -h {uid} x",
    "a link to hers": "touch ../m/x && chown {uid} ../m/x && ln -s /m/x x",
    "a relative link to hers": "touch ../m/x && chown {uid} ../m/x && ln -s ../m/x x",
    "a link below hers": "ln -s /m/a/b/c x",
    "a link that she can fill": "ln -s /s/later x",
    "a link to a link of hers": "ln -s /bin/good ../s/l && chown -h {uid} ../s/l && ln -s /s/l x",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_folder_of_the_tree_with_a_program_that_she_can_change_is_not_put_on_path(refused, image, mallory, name):
    script = "cd '%s/bin' && %s" % (image, PROGRAMS[name].format(uid=mallory.uid))
    subprocess.run(["/bin/sh", "-euc", script], check=True)
    for folder in ("/bin", "/bin/x"):
        files = [{"path": "/etc/a.sh", "content": "", "only_root": [folder]}]
        refused("node_files", files=files, root=str(image))
    assert not (image / "etc/a.sh").exists()


def test_what_only_root_can_change_in_the_tree_is_accepted(as_root, image, place):
    script = (
        "cd bin && ln -s good a && ln -s /bin/good b && ln -s ../../../../bin/good c && ln -s /opt/later d && ln -s e e"
    )
    subprocess.run(["/bin/sh", "-euc", "cd '%s' && %s" % (image, script)], check=True)
    only_root = ["/bin", "/bin/b", "/opt/conda/bin"]
    files = [{"path": "/etc/a.sh", "content": "", "only_root": only_root}]
    assert as_root("node_files", files=files, root=str(image))["changed"]
    assert not as_root("node_files", files=files, root=str(image))["changed"]


def test_what_is_made_in_a_tree_is_roots_whatever_its_folder_and_the_umask_say(as_root, place, closed_umask):
    image = place / "setgid"
    image.mkdir()
    os.chown(image, 0, 65534)
    image.chmod(0o2755)
    # A file with another group is no longer root's alone when it changes.
    files = [{"path": "/etc/profile.d/a.sh", "content": "a", "mode": "0644"}]
    assert as_root("node_files", files=files, root=str(image))["changed"]
    found = {str(path.relative_to(image)): path.stat() for path in image.rglob("*")}
    assert {name: (stat.S_IMODE(each.st_mode), each.st_uid, each.st_gid) for name, each in found.items()} == {
        "etc": (0o755, 0, 0),
        "etc/profile.d": (0o755, 0, 0),
        "etc/profile.d/a.sh": (0o644, 0, 0),
    }


def test_a_tree_with_absolute_links_never_leads_to_the_machine(as_root, image, treasure):
    """As /etc/profile.d of the tree leads to a folder of root's on this machine, which has another one in the tree."""
    os.symlink(treasure.path.parent, image / "etc/profile.d")
    files = [{"path": "/etc/profile.d/passwd", "content": "a"}]
    assert as_root("node_files", files=files, root=str(image))["changed"]
    assert treasure.is_untouched()
    assert (image / str(treasure.path)[1:]).read_text() == "a"
