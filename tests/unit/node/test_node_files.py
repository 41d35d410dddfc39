# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_files as the user who runs the tests; as root next to others in tests/site/attack/test_node_files.py."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import stat
import subprocess
import tarfile
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._node.archive import Member, archive_of
from ansible_collections.hpc.pytorch.plugins.module_utils._node.declare import declare
from ansible_collections.hpc.pytorch.plugins.module_utils._node.request import ARGUMENTS, Options

OURS = "# Written by us.\n"
DEFAULTS = {name: option.get("default") for name, option in ARGUMENTS["argument_spec"]["files"]["options"].items()}


def options(*files: t.Mapping[str, t.Any], **given: t.Any) -> Options:
    """As the module has them after its argument spec."""
    filled = [dict(DEFAULTS, **dict(file, path=str(file["path"]))) for file in files]
    return Options.of({"files": filled, "toolkit": None, "root": "/", "tar": None, **given})


def make(*files: t.Mapping[str, t.Any], check: bool = False, path: str = "", **given: t.Any) -> dict[str, t.Any]:
    for name in ("root", "tar"):
        if name in given:
            given[name] = str(given[name])
    return declare(options(*files, **given), not check, True, {"PATH": path}, warn=lambda text: None)


def tree(folder: pathlib.Path) -> list[tuple[str, int, bytes]]:
    """Each entry with its mode, and its content or where it leads."""
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = b""
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        found.append((str(path.relative_to(folder)), status.st_mode, content))
    return found


@pytest.fixture(autouse=True)
def hardened() -> t.Iterator[None]:
    """A umask that must not decide about modes."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_files_are_predicted_written_and_then_left_alone(tmp_path: pathlib.Path) -> None:
    wanted = {"path": tmp_path / "d/a.sh", "content": "export A=ü\n", "mode": "0644"}
    (tmp_path / "d").mkdir()
    before = tree(tmp_path)
    predicted = make(wanted, check=True)
    assert predicted["changed"] and tree(tmp_path) == before
    assert make(wanted) == predicted
    assert (tmp_path / "d/a.sh").read_text() == "export A=ü\n"
    again = make(wanted)
    assert not again["changed"] and again["diff"] == []
    assert again["files"] == [{"path": str(tmp_path / "d/a.sh"), "state": "file", "changed": False}]


@pytest.mark.parametrize(
    "script, gone",
    [
        ("printf '# Written by us.\\nrest' > it", True),
        ("printf '# Written by them.\\n' > it", False),
        (": > it", False),
        ("printf '# Written by us.\\n' > other && ln -s other it", False),
        ("mkdir it", False),
        ("mkfifo it", False),
        ("truncate -s 5M it", False),
        (":", False),
        ("ln -s nowhere it", False),
    ],
)
@pytest.mark.parametrize("in_image", [False, True])
def test_only_a_file_of_ours_is_removed(tmp_path: pathlib.Path, script: str, gone: bool, in_image: bool) -> None:
    (tmp_path / "d").mkdir()
    assert os.system("cd '%s/d' && %s" % (tmp_path, script)) == 0
    wanted = {"path": "/d/it" if in_image else tmp_path / "d/it", "state": "absent", "begins_with": [OURS]}
    given = {"root": tmp_path} if in_image else {}
    before = tree(tmp_path)
    assert make(wanted, check=True, **given)["changed"] == gone and tree(tmp_path) == before
    assert make(wanted, **given)["changed"] == gone
    assert [entry for entry in before if entry not in tree(tmp_path)] == [
        entry for entry in before if gone and entry[0] == "d/it"
    ]
    assert not make(wanted, **given)["changed"]


def test_nothing_is_removed_where_there_is_no_folder(tmp_path: pathlib.Path) -> None:
    wanted = {"path": tmp_path / "no/such/it", "state": "absent", "begins_with": [OURS]}
    assert not make(wanted)["changed"] and tree(tmp_path) == []
    assert not make(wanted, root=tmp_path / "image")["changed"] and tree(tmp_path) == []


def by_folder(tmp_path: pathlib.Path, *names: str) -> dict[str, t.Any]:
    folders = [{"folder": str(tmp_path / name), "content": name} for name in names]
    return {"path": tmp_path / "out", "content_by_folder": folders, "remedy": "do this"}


def test_the_first_folder_that_exists_decides(tmp_path: pathlib.Path) -> None:
    wanted = by_folder(tmp_path, "lib64", "lib")
    with pytest.raises(UserError) as caught:
        make(wanted)
    assert "%s/lib64 or %s/lib" % (tmp_path, tmp_path) in caught.value.expected and caught.value.remedy == "do this"
    assert not (tmp_path / "out").exists()
    (tmp_path / "lib64").write_text("no folder")
    (tmp_path / "lib").mkdir()
    make(wanted)
    assert (tmp_path / "out").read_text() == "lib"
    (tmp_path / "lib64").unlink()
    (tmp_path / "lib64").symlink_to("lib")
    make(wanted)
    assert (tmp_path / "out").read_text() == "lib64"


def test_in_an_image_the_folders_are_those_of_its_tree(tmp_path: pathlib.Path) -> None:
    # Of the machine that makes the image: they decide nothing.
    (tmp_path / "lib64").mkdir()
    wanted = dict(by_folder(tmp_path, "lib64", "lib"), path="/out")
    image = tmp_path / "image"
    inside = image / str(tmp_path)[1:]
    with pytest.raises(UserError, match="do this"):
        make(wanted, root=image)
    # An absolute symlink in it is resolved in it.
    inside.mkdir(parents=True)
    (image / "real").mkdir()
    (inside / "lib").symlink_to("/real")
    make(wanted, root=image)
    assert (image / "out").read_text() == "lib"
    with pytest.raises(UserError, match="archive"):
        make(wanted, tar=tmp_path / "image.tar")
    # Nothing is left to choose, and the toolkit may be mounted later.
    one = dict(by_folder(tmp_path / "none", "lib64"), path="/out")
    make(one, root=image)
    make(one, tar=tmp_path / "image.tar")
    assert (image / "out").read_text() == "lib64"
    with pytest.raises(UserError, match="do this"):
        make(dict(one, path=tmp_path / "out"))


def toolkit_at(folder: pathlib.Path, version: str = "12.4.1") -> pathlib.Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "version.txt").write_text("CUDA Version %s\n" % version)
    return folder


def test_the_toolkit_is_checked_before_anything_is_written_and_no_gpu_is_asked(tmp_path: pathlib.Path) -> None:
    home = toolkit_at(tmp_path / "cuda")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("nvidia-smi", "nvcc"):
        (programs / name).write_text("#!/bin/sh\ntouch '%s/asked'\n" % tmp_path)
        (programs / name).chmod(0o755)
    wanted = {"path": tmp_path / "out", "content": ""}
    path = "%s:/usr/bin:/bin" % programs
    for wrong in ({"home": str(home), "version": "12.5"}, {"home": str(tmp_path / "none"), "version": None}):
        with pytest.raises(UserError):
            make(wanted, toolkit=wrong, path=path)
        assert not (tmp_path / "out").exists()
    result = make(wanted, toolkit={"home": str(home), "version": "12.4"}, path=path)
    assert result["toolkit"] == {"home": str(home), "version": "12.4.1", "source": "version.txt", "lib_dir": None}
    assert result["changed"] and not (tmp_path / "asked").exists()


def test_the_toolkit_of_an_image_is_not_that_of_this_machine(tmp_path: pathlib.Path) -> None:
    wrong = {"home": str(tmp_path / "none"), "version": "12.5"}
    for given in ({"root": tmp_path / "image"}, {"tar": tmp_path / "image.tar"}):
        assert make({"path": "/etc/a", "content": ""}, toolkit=wrong, **given)["toolkit"] is None


# What is in the tree, with {out} for a folder that is outside of it, and where /etc/profile.d/a.sh ends in it.
WAYS = {
    "nothing": (":", "etc/profile.d/a.sh"),
    "an absolute symlink": ("ln -s /usr/etc etc", "usr/etc/profile.d/a.sh"),
    "an absolute symlink to what is outside": ("ln -s '{out}' etc", "{out}/profile.d/a.sh"),
    "two dots": (
        "mkdir usr && ln -s ../../../../../../../../../../../../real etc && mkdir real",
        "real/profile.d/a.sh",
    ),
    "an absolute symlink with two dots": ("mkdir -p x && ln -s /x/../../y etc && mkdir y", "y/profile.d/a.sh"),
    "a symlink through another": ("ln -s b etc && ln -s '{out}' b", "{out}/profile.d/a.sh"),
    "a symlink for the file": ("mkdir -p etc/profile.d x && ln -s /x/a etc/profile.d/a.sh", "x/a"),
    "a symlink for the file to what is outside": (
        "mkdir -p etc/profile.d && ln -s '{out}/secret' etc/profile.d/a.sh",
        "{out}/secret",
    ),
    "a symlink out of the file's folder": (
        "mkdir -p etc/profile.d etc/x && ln -s ../x/a etc/profile.d/a.sh",
        "etc/x/a",
    ),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("linked_root", [False, True])
def test_a_tree_is_never_left(tmp_path: pathlib.Path, name: str, linked_root: bool) -> None:
    script, where = WAYS[name]
    image, outside = tmp_path / "image", tmp_path / "outside"
    image.mkdir(mode=0o755)
    (outside / "profile.d").mkdir(parents=True)
    (outside / "secret").write_text("secret")
    (outside / "profile.d/a.sh").write_text("theirs")
    before = tree(outside)
    assert os.system("cd '%s' && %s" % (image, script.format(out=outside))) == 0
    root = image
    if linked_root:
        root = tmp_path / "link"
        root.symlink_to(image)
    wanted = {"path": "/etc/profile.d/a.sh", "content": "ours", "mode": "0644"}
    in_image = tree(image)
    assert make(wanted, check=True, root=root)["changed"] and tree(image) == in_image
    assert make(wanted, root=root)["changed"] and not make(wanted, root=root)["changed"]
    assert tree(outside) == before
    end = image / where.format(out=str(outside)[1:])
    assert end.read_text() == "ours" and stat.S_IMODE(end.lstat().st_mode) == 0o644
    gone = {"path": "/etc/profile.d/a.sh", "state": "absent", "begins_with": ["ours"]}
    make(gone, root=root)
    assert tree(outside) == before


def test_a_symlink_in_a_circle_ends(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").symlink_to("/etc")
    with pytest.raises(OSError):
        make({"path": "/etc/a", "content": ""}, root=tmp_path)


FILES = [
    {"path": "/etc/profile.d/b.sh", "content": "b\n", "mode": "0644"},
    {"path": "/etc/profile.d/a.sh", "content": "ü\n", "mode": "0755"},
    {"path": "/opt/c", "content": ""},
    {"path": "/etc/profile.d/old.sh", "state": "absent", "begins_with": [OURS]},
]


def test_a_tar_has_what_a_tree_gets_in_the_same_bytes_every_time(tmp_path: pathlib.Path) -> None:
    archive = tmp_path / "image.tar"
    assert make(*FILES, tar=archive, check=True)["changed"] and not archive.exists()
    result = make(*FILES, tar=archive)
    assert result["changed"] and [each["path"] for each in result["files"]] == [str(archive)]
    first = archive.read_bytes()
    assert stat.S_IMODE(archive.stat().st_mode) == 0o644
    os.utime(archive, (0, 0))
    assert not make(*FILES[::-1], tar=archive)["changed"] and archive.stat().st_mtime == 0
    archive.unlink()
    os.umask(0)
    make(*FILES, tar=archive)
    assert archive.read_bytes() == first

    make(*FILES, root=tmp_path / "root")
    (tmp_path / "unpacked").mkdir()
    with tarfile.open(archive) as opened:
        owners = {(each.uid, each.gid, each.uname, each.gname) for each in opened}
    assert owners == {(0, 0, "root", "root")}
    subprocess.run(["tar", "-xpf", str(archive), "-C", str(tmp_path / "unpacked")], check=True)
    assert tree(tmp_path / "unpacked") == tree(tmp_path / "root")
    assert ("etc/profile.d", stat.S_IFDIR | 0o755, b"") in tree(tmp_path / "root")


def test_an_archive_is_sorted_and_has_each_folder_once() -> None:
    members = [Member("/b/c/d", 0o600, b"x"), Member("/b/a", 0o644, b"")]
    with tarfile.open(fileobj=io.BytesIO(archive_of(members))) as opened:
        assert [(each.name, each.mode, each.isdir()) for each in opened] == [
            ("b", 0o755, True),
            ("b/a", 0o644, False),
            ("b/c", 0o755, True),
            ("b/c/d", 0o600, False),
        ]
        assert {each.mtime for each in opened} == {315532800}


def test_an_archive_is_the_same_under_every_python() -> None:
    """A run on another machine must not report a change. GNU tar writes the same bytes with these owners."""
    content = archive_of([Member("/etc/motd", 0o644, b"x\n")])
    assert len(content) == 2560
    assert hashlib.sha256(content).hexdigest() == "87daf399a0a0b77d203f0ed7588f627b743c597ff129dd3148854eddb770e762"


@pytest.mark.parametrize("length", [90, 99, 100, 101, 150, 200, 230])
def test_long_paths_come_out_as_they_went_in(tmp_path: pathlib.Path, length: int) -> None:
    name = ("/" + "ü" * 10 + "/" + "f" * 60 + "/" + "g" * 60 + "/" + "h" * 99)[:length].rstrip("/") + "x"
    (tmp_path / "a.tar").write_bytes(archive_of([Member(name, 0o640, b"content")]))
    with tarfile.open(tmp_path / "a.tar") as opened:
        assert opened.getnames()[-1] == name[1:] and opened.extractfile(name[1:]).read() == b"content"
    subprocess.run(["tar", "-xpf", "a.tar"], cwd=tmp_path, check=True)
    assert (tmp_path / name[1:]).read_bytes() == b"content"


def test_a_path_that_the_format_cannot_hold_is_refused() -> None:
    for path in ("/" + "a" * 101, "/" + "/".join(["a" * 90] * 3), "/" + "a" * 160 + "/b"):
        with pytest.raises(UserError, match="shorter"):
            archive_of([Member(path, 0o644, b"")])


@pytest.mark.parametrize(
    "file, given",
    [
        ({"path": "relative", "content": ""}, {}),
        ({"path": "/a/../b", "content": ""}, {}),
        ({"path": "/a"}, {}),
        ({"path": "/a", "content": "", "content_by_folder": [{"folder": "/b", "content": ""}]}, {}),
        ({"path": "/a", "content_by_folder": [{"folder": "b", "content": ""}]}, {}),
        ({"path": "/a", "state": "absent"}, {}),
        ({"path": "/a", "state": "absent", "begins_with": ["x"], "content": ""}, {}),
        ({"path": "/a", "content": "", "mode": "u+x"}, {}),
        ({"path": "/a", "content": "", "only_root": ["b"]}, {}),
        ({"path": "/a", "content": ""}, {"root": ""}),
        ({"path": "/a", "content": ""}, {"root": "image"}),
        ({"path": "/a", "content": ""}, {"tar": ""}),
        ({"path": "/a", "content": ""}, {"tar": "/a.tar.gz"}),
        ({"path": "/a", "content": ""}, {"tar": "/a.tar", "root": "/b"}),
    ],
)
def test_options_that_make_no_sense_are_refused(file: dict[str, t.Any], given: dict[str, t.Any]) -> None:
    with pytest.raises(UserError):
        options(file, **given)


def test_a_path_is_there_once() -> None:
    with pytest.raises(UserError, match="once"):
        options({"path": "/a", "content": ""}, {"path": "/a", "state": "absent", "begins_with": ["x"]})
