# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_files as the user who runs the tests; with two users in tests/site/attack/test_host_files.py."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._host import attributes
from ansible_collections.hpc.pytorch.plugins.module_utils._host.declare import declare
from ansible_collections.hpc.pytorch.plugins.module_utils._host.look import look, read_trusted
from ansible_collections.hpc.pytorch.plugins.module_utils._host.request import Options

UNSET = dict.fromkeys(("content", "content_base64", "target", "mode"))


def options(*files: t.Mapping[str, t.Any], only_root: t.Sequence[str] = ()) -> Options:
    given = [{"state": "file", "backup": False, **UNSET, **file} for file in files]
    return Options.of({"files": [{**file, "path": str(file["path"])} for file in given], "only_root": list(only_root)})


def make(*files: t.Mapping[str, t.Any], check: bool = False) -> dict[str, t.Any]:
    return declare(options(*files), write=not check, with_diff=True)


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def tree(folder: pathlib.Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.fixture(autouse=True)
def hardened() -> t.Iterator[None]:
    """A umask that must not decide about modes that are declared."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_all_states_are_predicted_made_and_then_left_alone(tmp_path: pathlib.Path) -> None:
    (tmp_path / "old").write_text("")
    wanted = [
        {"path": tmp_path / "deep/folder/file", "content": "ü\n", "mode": "0644"},
        {"path": tmp_path / "bytes", "content_base64": "AP8=", "mode": "0600"},
        {"path": tmp_path / "folder", "state": "directory", "mode": "0755"},
        {"path": tmp_path / "link", "state": "link", "target": "folder"},
        {"path": tmp_path / "old", "state": "absent"},
    ]
    before = tree(tmp_path)
    predicted = make(*wanted, check=True)
    assert predicted["changed"] and tree(tmp_path) == before
    assert make(*wanted) == predicted
    assert (tmp_path / "deep/folder/file").read_text() == "ü\n" and mode(tmp_path / "deep/folder/file") == 0o644
    assert (tmp_path / "bytes").read_bytes() == b"\0\xff" and mode(tmp_path / "bytes") == 0o600
    assert mode(tmp_path / "folder") == 0o755 and os.readlink(tmp_path / "link") == "folder"
    before = tree(tmp_path)
    again = make(*wanted)
    assert not again["changed"] and again["diff"] == [] and tree(tmp_path) == before
    assert [each["path"] for each in again["files"]] == [str(each["path"]) for each in wanted]


def test_touched_changes_always(tmp_path: pathlib.Path) -> None:
    wanted = {"path": tmp_path / "it", "state": "touched", "mode": "0644"}
    assert make(wanted)["changed"] and mode(tmp_path / "it") == 0o644
    os.utime(tmp_path / "it", (0, 0))
    assert make(wanted)["changed"] and (tmp_path / "it").stat().st_mtime > 0


def test_a_mode_is_exact_for_a_file_and_the_least_for_a_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for path, before in (("file", 0o666), ("folder", 0o2770)):
        (tmp_path / path).chmod(before)
    wanted = [
        {"path": tmp_path / "file", "content": "x", "mode": "0640"},
        {"path": tmp_path / "folder", "state": "directory", "mode": "755"},
    ]
    result = make(*wanted)
    assert [each["changed"] for each in result["files"]] == [True, True]
    assert [(each["before"], each["after"]) for each in result["diff"]] == [
        ("mode 0666\n", "mode 0640\n"),
        ("folder, mode 2770\n", "folder, mode 2775\n"),
    ]
    assert mode(tmp_path / "file") == 0o640 and mode(tmp_path / "folder") == 0o2775
    assert not make(*wanted)["changed"]


def test_without_a_mode_the_present_one_stays(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir(0o700)
    (tmp_path / "file").chmod(0o600)
    result = make({"path": tmp_path / "file", "content": "new"}, {"path": tmp_path / "folder", "state": "directory"})
    assert [each["changed"] for each in result["files"]] == [True, False]
    assert mode(tmp_path / "file") == 0o600 and mode(tmp_path / "folder") == 0o700


def test_a_link_in_the_place_is_followed_for_a_file_and_kept_for_a_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "real/file").write_text("old")
    (tmp_path / "file").symlink_to("real/file")
    (tmp_path / "folder").symlink_to("real")
    make(
        {"path": tmp_path / "file", "content": "new"},
        {"path": tmp_path / "folder", "state": "directory", "mode": "0755"},
    )
    assert (tmp_path / "file").is_symlink() and (tmp_path / "real/file").read_text() == "new"
    assert (tmp_path / "folder").is_symlink() and mode(tmp_path / "real") == 0o700


def test_a_backup_keeps_content_and_mode(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    wanted = {"path": path, "content": "new", "mode": "0644", "backup": True}
    path.write_text("old")
    path.chmod(0o600)
    assert "backup_file" not in make(wanted, check=True)["files"][0]
    backup = pathlib.Path(make(wanted)["files"][0]["backup_file"])
    assert backup.read_text() == "old" and mode(backup) == 0o600 and backup.name.startswith("file.")
    path.chmod(0o600)
    # Its content is the same, so there is nothing to keep.
    assert "backup_file" not in make(wanted)["files"][0]


IN_THE_WAY = {
    "file: a folder": ({"content": "x"}, "mkdir it"),
    "file: a fifo": ({"content": "x"}, "mkfifo it"),
    "file: a large file": ({"content": "x"}, "truncate -s 1T it"),
    "link: a file": ({"state": "link", "target": "x"}, "touch it"),
    "link: a folder": ({"state": "link", "target": "x"}, "mkdir it"),
    "absent: a full folder": ({"state": "absent"}, "mkdir -p it/in"),
    "touched: a folder": ({"state": "touched"}, "mkdir it"),
    "touched: a symlink": ({"state": "touched"}, "ln -s / it"),
    "touched: a fifo": ({"state": "touched"}, "mkfifo it"),
    "touched: a file with two names": ({"state": "touched"}, "touch it; ln it other"),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", IN_THE_WAY)
def test_something_else_is_refused_before_anything_is_written(tmp_path: pathlib.Path, name: str, check: bool) -> None:
    wanted, script = IN_THE_WAY[name]
    assert os.system("cd '%s' && %s" % (tmp_path, script)) == 0
    before = tree(tmp_path)
    with pytest.raises(UserError) as caught:
        make({"path": tmp_path / "first", "content": "x"}, {"path": tmp_path / "it", **wanted}, check=check)
    assert tree(tmp_path) == before
    # The remedy, word for word.
    assert "move" in caught.value.remedy
    os.rename(tmp_path / "it", tmp_path / "away")
    (tmp_path / "other").unlink(missing_ok=True)
    assert make({"path": tmp_path / "it", **wanted}, check=check)["changed"] == (wanted.get("state") != "absent")


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "relative", "content": ""},
        {"path": "/", "state": "directory"},
        {"path": "/a/..", "state": "directory"},
        {"path": "/a/.", "state": "absent"},
        {"path": "/a\nb", "content": ""},
        {"path": "/a", "state": "directory", "content": ""},
        {"path": "/a", "state": "absent", "mode": "0644"},
        {"path": "/a", "state": "link", "target": ""},
        {"path": "/a", "content": "", "target": "b"},
        {"path": "/a", "content": "", "mode": "u+x"},
        {"path": "/a", "content": "", "mode": "42"},
        {"path": "/a", "content": "", "mode": "99999"},
        {"path": "/a", "content_base64": "%%%"},
        {"path": "/a", "content_base64": "\u00e9"},
    ],
)
def test_values_that_do_not_fit_together_are_refused(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(UserError):
        options(wrong)


def test_a_path_is_wanted_once_and_what_only_root_may_write_is_absolute() -> None:
    with pytest.raises(UserError, match="once"):
        options({"path": "/a", "content": ""}, {"path": "/a/", "state": "directory"})
    with pytest.raises(UserError, match="absolute"):
        options(only_root=["bin"])


def test_the_diff_shows_no_credentials(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("channels: [https://alice:SECRET1@host/t/SECRET2/c]\n")
    result = make({"path": tmp_path / "file", "content": "channels: [https://bob:SECRET3@host/c]\n"})
    assert "SECRET" not in str(result)


@pytest.mark.parametrize("script", ["mkfifo it", "ln -s /dev/zero it", "mkdir it", "truncate -s 1T it"])
def test_only_a_small_regular_file_is_read(tmp_path: pathlib.Path, script: str) -> None:
    assert os.system("cd '%s' && %s" % (tmp_path, script)) == 0
    with pytest.raises((UserError, OSError)):
        read_trusted(str(tmp_path / "it"))
    assert read_trusted(str(tmp_path / "none")) is read_trusted(str(tmp_path / "no/folder")) is None


@pytest.mark.parametrize(
    "params, expected",
    [
        ({}, (0o750, 7, 8)),
        ({"mode": "0644"}, (0o644, 7, 8)),
        ({"mode": 0o600}, (0o600, 7, 8)),
        ({"mode": "u-w,o+r"}, (0o554, 7, 8)),
        ({"owner": "root", "group": "0"}, (0o750, 0, 0)),
        ({"owner": "12", "group": "root"}, (0o750, 12, 0)),
    ],
)
def test_attributes_in_numbers(params: dict[str, t.Any], expected: tuple[int, int, int]) -> None:
    start = attributes.Attributes(0o750, 7, 8)
    assert attributes.asked({"mode": None, "owner": None, "group": None, **params}, start) == expected


@pytest.mark.parametrize(
    "wrong", [{"mode": "rwx"}, {"mode": ["0644"]}, {"owner": "no-such-user"}, {"group": "no-such-group"}]
)
def test_unknown_attributes_are_refused(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(UserError):
        attributes.asked({"mode": None, "owner": None, "group": None, **wrong}, attributes.Attributes(0, 0, 0))


def test_the_owner_of_a_file_counts_where_it_is_requested(tmp_path: pathlib.Path) -> None:
    make({"path": tmp_path / "file", "content": "x"})
    uid, gid = os.stat(tmp_path / "file").st_uid, os.stat(tmp_path / "file").st_gid
    (wanted,) = options({"path": tmp_path / "file", "content": "x"}).files
    for owner in [(uid, gid), (-1, gid), (uid, -1), (-1, -1)]:
        assert not look(wanted._replace(owner=owner)).changed
    for owner in [(uid + 1, gid), (-1, gid + 1)]:
        found = declare(Options((wanted._replace(owner=owner),), ()), write=False, with_diff=True)
        diff = found["diff"][0]
        assert found["changed"] and diff["before"].endswith("owner %d, group %d\n" % (uid, gid))
        assert diff["after"].endswith("owner %d, group %d\n" % (max(owner[0], uid), max(owner[1], gid)))
