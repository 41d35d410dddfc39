# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package writes, overwrites and deletes nothing outside its environment, whatever its records say. As root."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys
import tarfile
import typing as t

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from evil_packages import CONDA_ENV, FORMS, Member, Zeros, Package, entry_of, file, folder, hard_link, link  # isort: skip

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options

# From the env to the treasure, which is a folder with a file of root's.
UP = "../../treasure"


@pytest.fixture
def env(place, monkeypatch):
    """Runs conda_env on one env, as root."""
    monkeypatch.setenv("HOME", str(place / "root"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (place / "root").mkdir()

    def call(*packages: str, **options: t.Any) -> dict[str, t.Any]:
        given = {
            **CONDA_ENV,
            "prefix": str(place / "envs/env"),
            "channels": ["file://%s" % (place / "channel")],
            "packages": list(packages or ["app"]),
            **options,
        }
        return declare_env(Options(**given), False)

    return call


def everything(place: pathlib.Path) -> list[str]:
    """What stands in the place, but for what a refused run may make: root's caches and locks."""
    return sorted(str(path) for path in place.rglob("*") if place / "root" not in path.parents)


def noarch(*points: t.Any) -> dict[str, t.Any]:
    return {"link.json": {"noarch": {"type": "python", "entry_points": list(points)}, "package_metadata_version": 1}}


def path(value: t.Any, *members: Member, **more: t.Any) -> Package:
    """A package whose paths.json names *value*, for an honest file."""
    content = Member("share/app.txt", b"content\n")
    entry = {"_path": value, "path_type": "hardlink", "sha256": hashlib.sha256(b"content\n").hexdigest(), **more}
    return Package([content, *members], paths=[entry])


ABSOLUTE = "/treasure-of-nobody"
NEW = UP + "/new"
# The hostile packages, by what is hostile in them.
EVIL: dict[str, Package] = {
    # --- paths.json
    "path up": path(NEW),
    "path up to what is there": path(UP + "/passwd"),
    "path up after a folder": path("share/../../../treasure/new"),
    "path up in the middle": path("share/../app.txt"),
    "path up with such a member": Package([file(NEW)]),
    "path absolute": path(ABSOLUTE),
    "path absolute with such a member": Package([file(ABSOLUTE)]),
    "path of two slashes": path("//treasure"),
    "path with an empty part": path("share//app.txt"),
    "path with a dot": path("./share/app.txt"),
    "path with a slash at its end": path("share/app.txt/"),
    "path empty": path(""),
    "path dot": path("."),
    "path two dots": path(".."),
    "path with NUL": path("share/app.txt\0"),
    "path with a line's end": path("share/app.txt\n../x"),
    "path with an escape": path("share/\x1b[2J"),
    "path a number": path(7),
    "path null": path(None),
    "path a list": path(["share", "app.txt"]),
    "path too long": path("a" * 300),
    "path half a letter": path("share/\ud800"),
    "path of a member that is not there": path("share/other.txt"),
    "path of a record of the package": path("info/../../../treasure/passwd"),
    "softlink that is a file": path("share/app.txt", path_type="softlink"),
    "directory that is a file": path("share/app.txt", path_type="directory"),
    "path_type unknown": path("share/app.txt", path_type="device"),
    "path_type a number": path("share/app.txt", path_type=1),
    "sha256 of another content": path("share/app.txt", sha256="0" * 64),
    "sha256 that is none": path("share/app.txt", sha256="../" * 20),
    "size of another content": path("share/app.txt", size_in_bytes=1 << 40),
    "size negative": path("share/app.txt", size_in_bytes=-1),
    "placeholder empty": path("share/app.txt", prefix_placeholder="", file_mode="text"),
    "placeholder a number": path("share/app.txt", prefix_placeholder=3, file_mode="text"),
    "file_mode unknown": path("share/app.txt", prefix_placeholder="/opt/x", file_mode="exec"),
    "paths a text": Package([file("share/app.txt")], paths="share/app.txt"),
    "paths of texts": Package([file("share/app.txt")], paths=["share/app.txt"]),
    "paths without _path": Package([file("share/app.txt")], paths=[{"path_type": "hardlink"}]),
    "paths.json no JSON": Package([file("share/app.txt")], info={"paths.json": "{'paths': ["}),
    "paths.json a list": Package([file("share/app.txt")], info={"paths.json": []}),
    "paths.json null": Package([file("share/app.txt")], info={"paths.json": "null"}),
    "paths.json empty": Package([file("share/app.txt")], info={"paths.json": ""}),
    "paths.json deep": Package([file("share/app.txt")], info={"paths.json": "[" * 100000}),
    "paths.json not UTF-8": Package([file("share/app.txt")], info={"paths.json": b'{"paths": "\xff"}'}),
    "no list of files": Package([file("share/app.txt")], info={"paths.json": False}),
    "one path as a file and a link": Package(
        [file("share/app.txt")],
        paths=[
            {"_path": "share/app.txt", "path_type": "hardlink"},
            {"_path": "share/app.txt", "path_type": "softlink"},
        ],
    ),
    # --- the older records
    "files up": Package([file("share/app.txt")], info={"paths.json": False, "files": NEW + "\n"}),
    "files absolute": Package([file("share/app.txt")], info={"paths.json": False, "files": ABSOLUTE + "\n"}),
    "files up next to paths.json": Package([file("share/app.txt")], info={"files": "share/app.txt\n" + NEW + "\n"}),
    "has_prefix up": Package(
        [file("share/app.txt")], info={"files": "share/app.txt\n", "has_prefix": "/opt/x text %s\n" % NEW}
    ),
    # --- commands and other records
    "command up": Package([file("site-packages/app.py")], info=noarch("../../../treasure/new = app:main")),
    "command absolute": Package([file("site-packages/app.py")], info=noarch(ABSOLUTE + " = app:main")),
    "command two dots": Package([file("site-packages/app.py")], info=noarch(".. = app:main")),
    "command in a folder": Package([file("site-packages/app.py")], info=noarch("a/b = app:main")),
    "command empty": Package([file("site-packages/app.py")], info=noarch(" = app:main")),
    "command of code": Package([file("site-packages/app.py")], info=noarch("app = os;import x:main")),
    "command without function": Package([file("site-packages/app.py")], info=noarch("app")),
    "commands a text": Package([file("a")], info={"link.json": {"noarch": {"entry_points": "a = b:c"}}}),
    "link.json no JSON": Package([file("share/app.txt")], info={"link.json": "{"}),
    "link.json a list": Package([file("share/app.txt")], info={"link.json": []}),
    "noarch a text": Package([file("share/app.txt")], info={"link.json": {"noarch": "python"}}),
    "modules up": Package(
        [file("site-packages/app.py")],
        paths=[{"_path": "site-packages/../../../../../treasure/new", "path_type": "hardlink"}],
        info=noarch(),
    ),
    "scripts up": Package(
        [file("python-scripts/app")],
        paths=[{"_path": "python-scripts/../../../treasure/new", "path_type": "hardlink"}],
        info=noarch(),
    ),
    "index.json of another package": Package(
        [file("share/app.txt")], info={"index.json": {"name": "other", "version": "1.0", "build": "0"}}
    ),
    "index.json of another version": Package(
        [file("share/app.txt")], info={"index.json": {"name": "app", "version": "2", "build": "0"}}
    ),
    "index.json no JSON": Package([file("share/app.txt")], info={"index.json": "{"}),
    "index.json a list": Package([file("share/app.txt")], info={"index.json": []}),
    "index.json missing": Package([file("share/app.txt")], info={"index.json": False}),
    "our own mark of a checked package": Package([file("share/app.txt")], info={"hpc_pytorch.checked": "{}"}),
    # --- symlinks
    "link absolute": Package([link("share/x", "/etc/passwd")]),
    "link absolute to a folder": Package([link("share", "/srv")]),
    "link up to a file": Package([link("x", UP + "/passwd")]),
    "link up to a folder": Package([link("x", UP)]),
    "link up from a folder": Package([link("share/a/x", "../../../../treasure")]),
    "link to the folder above": Package([link("x", "..")]),
    "link up and back": Package([link("x", "../env/share")]),
    "link through a link": Package([link("a/b/c", "../.."), link("x", "a/b/c/../../treasure")]),
    "link that spells what lies inside": Package([folder("d"), link("d/e", ".."), link("x", "d/e/../../treasure")]),
    "link without a target": Package([link("x", "")]),
    "links in a circle": Package([link("a", "b/x"), link("b", "a/x")]),
    "link and a file behind it": Package([link("out", UP), file("out/new")]),
    "link and a path behind it": Package([link("out", UP)], paths=[{"_path": "out/passwd", "path_type": "hardlink"}]),
    "link that no path names": Package(
        [file("share/app.txt"), link("out", UP)], paths=[{"_path": "out/passwd", "path_type": "hardlink"}]
    ),
    "link that is to be copied": Package([link("x", UP + "/passwd")], paths=[{"_path": "x", "path_type": "hardlink"}]),
    "link bin to the outside": Package([link("bin", UP), file("site-packages/app.py")], info=noarch("new = app:main")),
    "link out under another case": Package([link("D", "."), link("x", "d/e/f/../../../../treasure")]),
    "link to the env's records": Package([link("x", "conda-meta")]),
    "link to the env's history": Package([link("share/x", "../conda-meta/history")]),
    "hard link up": Package([hard_link("x", UP + "/passwd")]),
    "hard link absolute": Package([hard_link("x", "/etc/passwd")]),
    "hard link through a link": Package([link("out", UP), hard_link("x", "out/passwd")]),
    # --- records of conda's and of ours
    **{
        "record %s" % name: Package([file("conda-meta/" + name)])
        for name in (
            "history",
            "pinned",
            "state",
            "frozen",
            "app-1.0-0.json",
            "python-3.12.0-0.json",
            "hpc_pytorch.record",
            "hpc_pytorch.modes",
            "hpc_pytorch.changing",
            "hpc_pytorch.installer",
            ".hidden",
            "prefix_record_abcdef",
            "history/x",
        )
    },
    **{
        "record %s as a link" % name: Package([link("conda-meta/" + name, "../%s/passwd" % UP)])
        for name in ("history", "hpc_pytorch.record", "hpc_pytorch.modes", "app-1.0-0.json")
    },
    "record in another case": Package([file("Conda-Meta/History")]),
    "records through a link": Package(
        [link("x", "share/.."), file("share/a"), file("y")],
        paths=[{"_path": "x/conda-meta/history", "path_type": "hardlink"}],
    ),
    "records a file": Package([file("conda-meta")]),
    "records a link": Package([link("conda-meta", "share")]),
    # --- archives
    "member up": Package([file("share/app.txt"), file(NEW)], paths=[]),
    "member absolute": Package([file(ABSOLUTE)], paths=[]),
    "member behind a link": Package([link("share", "lib"), file("share/x")]),
    "member a pipe": Package([Member("x", kind=tarfile.FIFOTYPE)]),
    "member a device": Package([Member("x", kind=tarfile.CHRTYPE)]),
    "member twice": Package([file("x"), file("x", "other")]),
    "member a link and a file": Package([link("x", "y"), file("x")]),
    "member a file and a folder": Package([file("x"), file("x/y")]),
    "path too deep": path("a/" * 1500 + "a"),
    "member too deep": Package([file("a/" * 300 + "a")]),
    "archive that fills the disk": Package([Member("x", Zeros(300 << 20))], paths=[]),
    "header that fills the memory": Package([Member("x", pax=2 << 20)], paths=[]),
    "archive cut": Package([file("share/app.txt", "x" * 100000)], damage=lambda content: content[: len(content) // 2]),
    "archive empty": Package(damage=lambda content: b""),
    "archive something else": Package(damage=lambda content: b"#!/bin/sh\n" * 100),
}


# bzip2 takes long to pack zeros.
PACKED = [(name, form) for name in EVIL for form in FORMS if (name, form) != ("archive that fills the disk", FORMS[0])]


@pytest.mark.parametrize("name, form", PACKED)
def test_an_evil_package_is_not_installed(env, place, treasure, name, form):
    EVIL[name].publish(place / "channel", form)
    before = everything(place)
    with pytest.raises(UserError) as refused:
        env()
    assert "\n" not in str(refused.value) and "app" in refused.value.expected
    assert treasure.is_untouched() and everything(place) == before and not os.path.lexists(ABSOLUTE)
    # Nothing of it is ready to be linked by another run.
    cache = place / "root/.cache/rattler/cache/pkgs"
    assert [each for each in os.listdir(cache) if each != ".cache.lock"] == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", list(EVIL)[::6])
def test_an_env_stays_as_it_was_when_a_change_brings_an_evil_package(env, place, treasure, name, form):
    Package([file("share/base.txt")], name="base").publish(place / "channel", ".conda")
    assert env("base")["changed"]
    EVIL[name].publish(place / "channel", form)
    before = everything(place)
    with pytest.raises(UserError):
        env("base", "app")
    assert treasure.is_untouched() and everything(place) == before
    assert not env("base")["changed"]


# Two packages that are harmless alone.
PAIRS = {
    "a file behind the other's link to the records": (
        Package([link("a", "b/..")]),
        Package([file("b/x"), folder("a2")], paths=[{"_path": "b/x", "path_type": "hardlink"}], name="other"),
        False,
    ),
    "a link whose meaning the other changes": (
        Package([link("a", "b/c/../../treasure"), file("z")]),
        Package([link("b/c", "..")], name="other"),
        True,
    ),
    "a record behind the other's link": (
        Package([link("a", ".")]),
        Package([file("a/conda-meta/history")], name="other"),
        True,
    ),
    "a file behind the other's link": (
        Package([link("lib64", "lib"), file("lib/x")]),
        Package([file("share/y")], name="other"),
        False,
    ),
}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("name", PAIRS)
def test_two_packages_are_judged_together(env, place, treasure, name, together):
    first, second, is_evil = PAIRS[name]
    first.publish(place / "channel", ".conda")
    second.publish(place / "channel", ".tar.bz2")
    if not together:
        env("app")
    if is_evil:
        with pytest.raises(UserError):
            env("app", "other")
    else:
        assert env("app", "other")["changed"] and not env("app", "other")["changed"]
    assert treasure.is_untouched() and (place / "treasure").exists()


# --- removal and change --------------------------------------------------------------------------------------------


def listed(value: t.Any) -> t.Callable[[dict[str, t.Any]], None]:
    def edit(record: dict[str, t.Any]) -> None:
        record["files"] = [value]
        record["paths_data"]["paths"] = [{"_path": value, "path_type": "hardlink"}]

    return edit


def renamed(record: dict[str, t.Any]) -> None:
    record["paths_data"]["paths"][0]["original_path"] = UP + "/passwd"


# What the record of a package says that another tool installed, or an older version of this collection.
RECORDS: dict[str, t.Callable[[dict[str, t.Any]], None]] = {
    "up": listed(UP + "/passwd"),
    "up after a folder": listed("share/../%s/passwd" % UP),
    "absolute": listed("/etc/hpc-pytorch-nothing"),
    "empty": listed(""),
    "dot": listed("."),
    "NUL": listed("a\0b"),
    "a number": listed(7),
    "behind a link": listed("out/passwd"),
    "renamed from the outside": renamed,
    "files a text": lambda record: record.update(files="share"),
    "paths a text": lambda record: record.update(paths_data={"paths": "share"}),
    "entries that are texts": lambda record: record.update(paths_data={"paths": ["share"]}),
}


@pytest.mark.parametrize("how", ["change", "remove", "verify"])
@pytest.mark.parametrize("name", RECORDS)
def test_nothing_outside_is_deleted_with_a_package(env, place, treasure, name, how):
    for version in ("1.0", "2.0"):
        Package([file("share/app.txt", version)], version=version).publish(place / "channel", ".conda")
    Package([file("share/base.txt")], name="base").publish(place / "channel", ".conda")
    env("app=1.0", "base")
    prefix = place / "envs/env"
    (prefix / "out").symlink_to(treasure.path.parent)
    meta = prefix / "conda-meta/app-1.0-0.json"
    record = json.loads(meta.read_text())
    RECORDS[name](record)
    meta.write_text(json.dumps(record))
    with pytest.raises(UserError) as refused:
        if how == "change":
            env("app=2.0", "base")
        elif how == "remove":
            env("base", prune=True)
        else:
            env("app=1.0", "base", verify=True)
    assert treasure.is_untouched() and "\n" not in str(refused.value)
    # The remedy.
    if "remove the file" in refused.value.remedy:
        meta.unlink()
    assert env(state="absent")["changed"] and treasure.is_untouched() and not prefix.exists()
    assert env("app=2.0", "base")["changed"]


@pytest.mark.parametrize(
    "name", ["history", "hpc_pytorch.record", "hpc_pytorch.modes", "hpc_pytorch.changing", "state"]
)
def test_no_own_file_of_an_env_is_followed(env, place, treasure, name):
    """The env was made before packages were checked: one has planted a link where we and conda write."""
    for version in ("1.0", "2.0"):
        Package([file("share/app.txt", version)], version=version).publish(place / "channel", ".conda")
    env("app=1.0")
    planted = place / "envs/env/conda-meta" / name
    if planted.exists():
        planted.unlink()
    planted.symlink_to(treasure.path)
    with pytest.raises(UserError):
        env("app=2.0")
    assert treasure.is_untouched()


# --- what keeps working ----------------------------------------------------------------------------------------------

REAL: dict[str, Package] = {
    "libraries with links": Package(
        [file("lib/liba.so.1.2"), link("lib/liba.so.1", "liba.so.1.2"), link("lib/liba.so", "liba.so.1")]
    ),
    "links between folders": Package([file("share/terminfo/x"), link("lib/terminfo", "../share/terminfo")]),
    "a link to a folder in another case": Package([file("lib/x"), link("Lib", "lib")]),
    "a link to a folder": Package([file("lib/x"), link("lib64", "lib")]),
    "a toolkit": Package(
        [
            file("targets/x86_64-linux/lib/libcudart.so.12"),
            link("lib/libcudart.so.12", "../targets/x86_64-linux/lib/libcudart.so.12"),
        ]
    ),
    "a link that leads nowhere yet": Package([link("lib/later.so", "other.so")]),
    "a link to the kernel": Package([link("etc/mtab", "/proc/mounts")]),
    "hard links": Package(
        [file("libexec/git", "git"), hard_link("libexec/git-add", "libexec/git")],
        paths=[
            {"_path": "libexec/git", "path_type": "hardlink"},
            {"_path": "libexec/git-add", "path_type": "hardlink"},
        ],
    ),
    "names of all kinds": Package(
        [file("share/a b/ünï-cødé (1)"), file("share/-rf"), file("share/..x"), file("share/a\\b")]
    ),
    "read-only files": Package([file("share/x", mode=0o444), file("bin/x", mode=0o555)]),
    "files of mode 0": Package([file("share/x", mode=0)]),
    "an empty folder": Package([folder("var"), folder("var/empty"), file("x")], paths=[entry_of(file("x"))]),
    "nothing at all": Package([]),
    "members that start with a dot": Package(
        [Member("./share/x", b"x")], paths=[{"_path": "share/x", "path_type": "hardlink"}]
    ),
    "files that no path names": Package(
        [file("share/x"), file("share/y")], paths=[{"_path": "share/x", "path_type": "hardlink"}]
    ),
    "no paths.json": Package([file("share/x")], info={"paths.json": False, "files": "share/x\n"}),
    "a placeholder": Package(
        [file("bin/x", "#!/opt/builder/placeholder/bin/sh\n", 0o755)],
        paths=[
            {
                "_path": "bin/x",
                "path_type": "hardlink",
                "prefix_placeholder": "/opt/builder/placeholder",
                "file_mode": "text",
            }
        ],
    ),
    "its own file next to conda's records": Package([file("conda-meta/app.txt")]),
    "a menu": Package([file("Menu/app.json", "{}")]),
}


@pytest.mark.parametrize("form, umask", list(zip(FORMS, (0o022, 0o077))))
@pytest.mark.parametrize("name", REAL)
def test_a_real_package_is_installed(env, place, name, form, umask):
    REAL[name].publish(place / "channel", form)
    before = os.umask(umask)
    try:
        assert env()["changed"] and not env()["changed"]
        assert not env(verify=True)["changed"]
        assert env(state="absent")["changed"]
    finally:
        os.umask(before)
    assert not (place / "envs/env").exists()
