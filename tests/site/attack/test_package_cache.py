# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a package cache is this user's own work, from the first byte on, or it is not used."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pathlib
import shutil
import stat
import sys
import tarfile
import typing as t

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from evil_packages import CONDA_ENV, FORMS, Member, Package, file  # isort: skip

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler import checked_cache

LABEL = "app-1.0-0"


@pytest.fixture
def env(place, monkeypatch):
    """Runs conda_env as the user of this process, on an env in a folder of root's or in *home*."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (place / "root").mkdir()

    def call(home: pathlib.Path = place / "root", **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setenv("HOME", str(home))
        given = {"prefix": str(home / "env"), "channels": ["file://%s" % (place / "channel")], "packages": ["app"]}
        return declare_env(Options(**{**CONDA_ENV, **given, **options}), False)

    return call


@contextlib.contextmanager
def being(user: t.Any) -> t.Iterator[None]:
    """This process is *user*. What it imports later must be imported by now."""
    before = os.getgroups()
    os.setgroups([])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def honest(place: pathlib.Path, form: str = ".conda") -> None:
    Package([file("share/app.txt", "honest\n"), file("bin/app", "#!/bin/sh\n", 0o755)]).publish(place / "channel", form)


def cache_of(place: pathlib.Path) -> pathlib.Path:
    return place / "root/.cache/rattler/cache/pkgs"


def writable_for_others(top: pathlib.Path) -> list[str]:
    found = []
    for path in [top, *top.rglob("*")]:
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode) and (status.st_mode & 0o022 or status.st_uid != os.geteuid()):
            found.append("%s %o %d" % (path, status.st_mode, status.st_uid))
    return found


# --- root's own cache ------------------------------------------------------------------------------------------------

MODES = [0o666, 0o777, 0o622, 0o662, 0o4755, 0o2755, 0o6777, 0o1777, 0o000, 0o002]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", MODES)
def test_a_mode_in_an_archive_opens_nothing(env, place, monkeypatch, mallory, mode, form, umask):
    members = [
        Member("share", kind=tarfile.DIRTYPE, mode=mode),
        file("share/ww.pth", "import os\n", mode),
        file("ww", "x", mode),
    ]
    Package(members, paths=[{"_path": "share/ww.pth", "path_type": "hardlink"}]).publish(place / "channel", form)
    # Next to a package that makes the run fail.
    Package([file("x")], paths=[{"_path": "../x", "path_type": "hardlink"}], name="bad").publish(
        place / "channel", form
    )
    seen = []
    real = checked_cache.Store.check

    def check(self, package, unpacked, where, digest):
        # While it is unpacked: nobody else can even enter.
        private = pathlib.Path(where).parent.parent
        seen.append(stat.S_IMODE(private.stat().st_mode))
        return real(self, package, unpacked, where, digest)

    monkeypatch.setattr(checked_cache.Store, "check", check)
    before = os.umask(umask)
    try:
        with pytest.raises(UserError):
            env(packages=["app", "bad"])
        assert writable_for_others(cache_of(place)) == []
        env()
    finally:
        os.umask(before)
    assert set(seen) == {0o700} and writable_for_others(place / "root") == []
    assert not any(path.lstat().st_mode & 0o7000 for path in (place / "root").rglob("*") if path.is_file())


def test_the_owner_in_an_archive_is_not_kept(env, place, mallory, monkeypatch):
    real = tarfile.TarInfo

    class Owned(real):  # type: ignore[misc,valid-type]
        def __init__(self, name: str = "") -> None:
            super().__init__(name)
            self.uid, self.gid = mallory.uid, mallory.gid

    monkeypatch.setattr("evil_packages.tarfile.TarInfo", Owned)
    honest(place)
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(place / "root"))
    env()
    assert writable_for_others(place / "root") == []


def tampered(entry: pathlib.Path) -> None:
    (entry / "share/app.txt").unlink()
    (entry / "share/app.txt").write_text("evil!!\n")


def by_another(entry: pathlib.Path, mallory: t.Any) -> None:
    tampered(entry)
    for path in [entry, *entry.rglob("*")]:
        os.chown(path, mallory.uid, mallory.gid, follow_symlinks=False)


def open_to_all(entry: pathlib.Path, mallory: t.Any) -> None:
    tampered(entry)
    entry.chmod(0o777)


def open_to_a_group(entry: pathlib.Path, mallory: t.Any) -> None:
    tampered(entry)
    os.chown(entry, 0, mallory.gid)
    entry.chmod(0o775)


def note(write: t.Callable[[pathlib.Path], t.Any]) -> t.Callable[[pathlib.Path, t.Any], None]:
    def plant(entry: pathlib.Path, mallory: t.Any) -> None:
        tampered(entry)
        path = entry / "info/hpc_pytorch.checked"
        text = path.read_text()
        path.unlink()
        write(path)
        if path.exists() and path.is_file() and path.stat().st_size == 0:
            path.write_text(text)

    return plant


def edited(**change: t.Any) -> t.Callable[[pathlib.Path, t.Any], None]:
    def plant(entry: pathlib.Path, mallory: t.Any) -> None:
        tampered(entry)
        path = entry / "info/hpc_pytorch.checked"
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    return plant


def a_link(entry: pathlib.Path, mallory: t.Any) -> None:
    tampered(entry)
    entry.rename(mallory.home / "entry")
    entry.symlink_to(mallory.home / "entry")


def a_file(entry: pathlib.Path, mallory: t.Any) -> None:
    shutil.rmtree(entry)
    entry.write_text("evil\n")


PLANTED: dict[str, t.Callable[[pathlib.Path, t.Any], None]] = {
    "another user's": by_another,
    "open to all": open_to_all,
    "open to a group": open_to_a_group,
    "a link": a_link,
    "a file": a_file,
    "unpacked by another tool or an older version": note(lambda path: None),
    "a note that is a fifo": note(os.mkfifo),
    "a note that is a folder": note(os.mkdir),
    "a note that leads nowhere": note(lambda path: path.symlink_to("nothing")),
    "a note without end": note(lambda path: path.symlink_to("/dev/zero")),
    "an empty note": note(lambda path: path.write_text(" ")),
    "a note of another archive": edited(archive="0" * 64),
    "a note of another format": edited(format=0),
    "a note without contents": edited(contents=None),
    "a note of other contents": edited(contents={"entries": [1], "is_python": 1, "commands": 0}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_root_links_nothing_that_it_did_not_check(env, place, mallory, treasure, name):
    honest(place)
    env()
    entry = cache_of(place) / LABEL
    shutil.rmtree(place / "root/env")
    PLANTED[name](entry, mallory)
    env()
    assert (place / "root/env/share/app.txt").read_text() == "honest\n"
    assert (entry / "share/app.txt").read_text() == "honest\n" and treasure.is_untouched()
    assert sorted(os.listdir(cache_of(place))) == [".cache.lock", LABEL, LABEL + ".lock"]


@pytest.mark.parametrize("name", [LABEL, LABEL + ".lock"])
def test_nothing_is_written_through_a_link_in_the_cache(env, place, treasure, name):
    honest(place)
    cache_of(place).mkdir(parents=True)
    (cache_of(place) / name).symlink_to(treasure.path if name.endswith("lock") else treasure.path.parent)
    env()
    assert treasure.is_untouched() and (place / "root/env/share/app.txt").read_text() == "honest\n"


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775])
def test_root_uses_no_cache_that_others_can_write(env, place, scratch, mallory, mode):
    honest(place)
    (scratch / "pkgs").mkdir()
    os.chown(scratch / "pkgs", 0, mallory.gid)
    (scratch / "pkgs").chmod(mode)
    with pytest.raises(UserError, match="cache"):
        env(package_cache=str(scratch / "pkgs"))
    assert os.listdir(scratch / "pkgs") == []


# --- caches that users share -----------------------------------------------------------------------------------------


def shared(scratch: pathlib.Path, mode: int, gid: int = 0) -> pathlib.Path:
    path = scratch / "pkgs"
    path.mkdir()
    os.chown(path, 0, gid)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o3775, 0o2775, 0o755])
@pytest.mark.parametrize("how", ["planted", "by a run"])
def test_no_user_links_what_another_put_into_a_shared_cache(env, place, scratch, alice, mallory, mode, how):
    honest(place)
    env()
    cache = shared(scratch, mode, alice.gid)
    with being(mallory):
        env(mallory.home, package_cache=str(cache))
    if how == "planted" and mode != 0o755:
        shutil.copytree(cache_of(place) / LABEL, cache / LABEL)
        shutil.copy(cache_of(place) / (LABEL + ".lock"), cache)
    for path in [*cache.rglob("app.txt"), *mallory.home.rglob("app.txt")]:
        path.chmod(0o666)
        path.write_text("evil!!\n")
    for path in cache.rglob("*"):
        os.chown(path, mallory.uid, mallory.gid)
    with being(alice):
        result = env(alice.home, package_cache=str(cache))
    assert any("%s is not used" % cache in warning for warning in result["warnings"]), result["warnings"]
    text = alice.home / "env/share/app.txt"
    assert text.read_text() == "honest\n" and text.stat().st_uid == alice.uid
    # Nor does she share a file with another user.
    inodes = {path.stat().st_ino for path in [*cache.rglob("app.txt"), *mallory.home.rglob("app.txt")]}
    assert text.stat().st_ino not in inodes


def test_another_users_package_in_an_own_cache_is_replaced(env, place, alice, mallory):
    """She could have made the folder before she closed it."""
    honest(place)
    env()
    with being(alice):
        env(alice.home)
    entry = alice.home / ".cache/rattler/cache/pkgs" / LABEL
    by_another(entry, mallory)
    with being(alice):
        shutil.rmtree(alice.home / "env")
        env(alice.home)
    assert (alice.home / "env/share/app.txt").read_text() == "honest\n"
    assert entry.stat().st_uid == alice.uid


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o000])
@pytest.mark.parametrize("mode", [0o755, 0o700, None])
def test_a_cache_of_ones_own_is_used(env, place, scratch, alice, mode, umask):
    honest(place)
    env()
    cache = scratch / "alice/pkgs"
    with being(alice):
        before = os.umask(umask)
        (scratch / "alice").mkdir()
        if mode is not None:
            cache.mkdir()
            cache.chmod(mode)
        try:
            env(alice.home, package_cache=str(cache))
        finally:
            os.umask(before)
    one, other = cache / LABEL / "share/app.txt", alice.home / "env/share/app.txt"
    assert one.stat().st_ino == other.stat().st_ino and not one.stat().st_mode & 0o022


def test_a_cache_of_the_users_own_group_is_used(env, place, scratch, alice, monkeypatch):
    """useradd gives each user a group of that name, and umask 002 goes with it."""
    honest(place)
    env()
    cache = scratch / "pkgs"
    cache.mkdir()
    os.chown(cache, alice.uid, alice.gid)
    cache.chmod(0o2775)
    group = grp.struct_group((alice.name, "x", alice.gid, []))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: group)
    with being(alice):
        env(alice.home, package_cache=str(cache))
    assert (cache / LABEL / "share/app.txt").exists()
