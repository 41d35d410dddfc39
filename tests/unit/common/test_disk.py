# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full disk is recognized in errors and in texts, and the message names the path and what is short."""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import types
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common import disk
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer

NO_SPACE, QUOTA, LARGE = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
TEXTS = [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "space"),
    ("failed to unpack `lib/x.pyc`: No space left on device (os error 28)", "space"),
    ("an io error occurred (os error 28)", "space"),
    ("cp: error writing 'x': No space left on device", "space"),
    ("fatal: write error: No space left on device", "space"),
    ("NoSpaceLeftError: No space left on devices.", "space"),
    ("conda_build.exceptions.NotEnoughSpace", "space"),
    ("critical libmamba Could not write: NO SPACE LEFT ON DEVICE", "space"),
    ("[Errno 122] Disk quota exceeded: '/home/a/x'", "quota"),
    ("failed to link: Disk quota exceeded (os error 122)", "quota"),
    ("curl: (23) Failure writing output: EDQUOT", "quota"),
    ("[Errno 27] File too large", "too large"),
    ("an io error occurred (os error 27)", "too large"),
]
OTHER = [
    "",
    "Permission denied (os error 13)",
    "os error 280",
    "[Errno 2] No such file or directory: '/opt/[Errno 28'",
    "no space in the margin",
    "the quota of job submissions is 28",
    "HTTP status client error (413 Payload Too Large)",
]


def chained(cause: Exception) -> Exception:
    """As zipfile does: closing the archive after a failed write raises another error."""
    try:
        try:
            raise cause
        finally:
            raise ValueError("Can't close the ZIP file while there is an open writing handle on it.")
    except ValueError as error:
        return error


ERRORS = [
    (OSError(NO_SPACE, "x"), "/place", "space"),
    (OSError(NO_SPACE, "x", "/there/file"), "/there/file", "space"),
    (OSError(NO_SPACE, "x", b"/there/file"), "/there/file", "space"),
    (OSError(NO_SPACE, "x", "/from", None, "/there/file"), "/there/file", "space"),
    (OSError(NO_SPACE, "x", "file"), "/place", "space"),
    (OSError(NO_SPACE, "x", 7), "/place", "space"),
    (OSError(QUOTA, "x", "/there/file"), "/there/file", "quota"),
    (OSError(LARGE, os.strerror(LARGE), "/there/file"), "/there/file", "too large"),
    (shutil.Error([("/a", "/b", "[Errno 28] No space left on device: '/b'")]), "/place", "space"),
    (chained(OSError(NO_SPACE, "x", "/there/file")), "/there/file", "space"),
    (chained(OSError(QUOTA, "x")), "/place", "quota"),
    (RuntimeError("failed to link (os error 28)"), "/place", "space"),
]


@pytest.mark.parametrize(("text", "short"), TEXTS)
def test_the_output_of_a_program_that_found_the_disk_full(text: str, short: str) -> None:
    full = disk.full_disk(text, "/place")
    assert full and short in str(full) and "/place" in str(full) + full.remedy or short == "too large"


@pytest.mark.parametrize(("error", "path", "short"), ERRORS)
def test_an_exception_of_a_full_disk_names_the_path_and_what_is_short(error: Exception, path: str, short: str) -> None:
    full = disk.full_disk(error, "/place")
    assert full and path in full.expected and short in str(full)
    assert "then run again" in full.remedy and "\n" not in str(full)


@pytest.mark.parametrize("text", OTHER)
def test_other_texts_and_errors_are_none(text: str) -> None:
    assert disk.full_disk(text, "/place") is None
    assert disk.full_disk(RuntimeError(text), "/place") is None
    assert disk.full_disk(OSError(LARGE, "larger than 4 bytes", "/x"), "/place") is None
    # A file may have such a name.
    assert disk.full_disk(OSError(errno.EACCES, "Permission denied", "/x/No space left on device"), "/place") is None


def a_disk(monkeypatch: pytest.MonkeyPatch, blocks: int, inodes: int, files: int = 1000) -> None:
    values = types.SimpleNamespace(
        f_frsize=4096, f_bfree=blocks, f_bavail=blocks, f_ffree=inodes, f_favail=inodes, f_files=files, f_blocks=10000
    )
    monkeypatch.setattr(disk.os, "statvfs", lambda path: values)


@pytest.mark.parametrize(
    ("blocks", "inodes", "files", "message"),
    [
        (0, 900, 1000, r"enough free space for /x/y; found none left on the file system at / \(0.0 MB are free now"),
        (
            5000,
            900,
            1000,
            r"enough free space for /x/y; found none left .* \(20.5 MB are free now, which was not enough",
        ),
        (5000, 0, 1000, r"enough free inodes for /x/y; .* \(0 inodes are free now, which was .*, and 20.5 MB\)"),
        # By now half of the space and a fifth of the inodes are free again.
        (5000, 200, 1000, r"enough free inodes for /x/y; .* \(200 inodes are free now"),
        (1000, 200, 1000, r"enough free space for /x/y"),
        # Nothing is left of what filled it.
        (10000, 999, 1000, r"enough free space for /x/y"),
        # btrfs counts no inodes.
        (5000, 0, 0, r"enough free space for /x/y"),
    ],
)
def test_what_is_short_is_space_or_inodes(monkeypatch, blocks, inodes, files, message) -> None:
    a_disk(monkeypatch, blocks, inodes, files)
    monkeypatch.setattr(disk, "mount_point_of", lambda path: "/")
    with pytest.raises(UserError, match=message):
        raise disk.full_disk(OSError(NO_SPACE, "x"), "/x/y")  # type: ignore[misc]


def test_a_program_that_hides_its_reason_failed_for_lack_of_space_if_there_is_little(monkeypatch) -> None:
    a_disk(monkeypatch, 1000, 900)
    assert disk.nearly_full("/x", 4) is None
    full = disk.nearly_full("/x", 5)
    assert full and full.expected == "enough free space for /x"
    a_disk(monkeypatch, 1000, 3)
    few = disk.nearly_full("/x", 4)
    assert few and few.expected == "enough free inodes for /x"


def test_the_disk_of_a_path_that_is_not_there_is_that_of_its_folder(tmp_path: pathlib.Path) -> None:
    assert disk._free(str(tmp_path / "a/b"))[0] > 0
    assert disk._free("relative/path")[0] == disk._free("")[0] == 1 << 62


def test_of_several_places_on_one_disk_the_first_is_named_while_others_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(1000, 0, -1))
    monkeypatch.setattr(
        disk.os,
        "statvfs",
        lambda path: types.SimpleNamespace(
            f_ffree=9, f_favail=9, f_files=0, f_frsize=4096, f_bfree=(blocks := next(left)), f_bavail=blocks
        ),
    )
    monkeypatch.setattr(disk, "mount_point_of", lambda path: "/")
    assert disk._fullest(["", "/a", "/b", "/c"]) == "/a" and disk._fullest([]) == ""


def test_of_several_places_the_fullest_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"/env": 10, "/cache": 3, "/unknown": 0}

    def statvfs(path: str) -> types.SimpleNamespace:
        if path == "/unknown":
            raise OSError(errno.ESTALE, "Stale file handle")
        return types.SimpleNamespace(
            f_frsize=1, f_bfree=free[path], f_bavail=free[path], f_ffree=99, f_favail=99, f_files=99, f_blocks=99
        )

    monkeypatch.setattr(disk.os, "statvfs", statvfs)
    monkeypatch.setattr(disk, "mount_point_of", lambda path: path)
    full = disk.full_disk("No space left on device", "/env", "", "/cache", "/unknown")
    assert full and full.expected == "enough free space for /cache"
    assert str(disk.full_disk("No space left on device")).startswith("expected enough free space; found none left on ")


def test_the_disk_that_a_program_names_is_the_one_that_was_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "mount_point_of", lambda path: "/" + path.split("/")[1])
    text = "failed to copy from /cache/a b/x to /env/.t.partial/x.pyc: No space left on device (os error 28)"
    full = disk.full_disk(UserError("packages", text, "x"), "/cache/pkgs", "/env/torch", "/tmp")
    assert full and full.expected.endswith(" for /env/torch")
    full = disk.full_disk("http://host/env/x: NoSpaceLeft `lib/x`, '/elsewhere/x'", "/cache/pkgs")
    assert full and full.expected.endswith(" for /cache/pkgs")


def test_the_texts_of_a_full_disk_are_not_taken_for_one_again() -> None:
    for number in (NO_SPACE, QUOTA, LARGE):
        full = disk.full_disk(OSError(number, os.strerror(number)), "/x")
        assert full and disk.full_disk(full, "/y") is None


def test_a_real_full_device_while_an_archive_is_written(tmp_path: pathlib.Path) -> None:
    with pytest.raises((ValueError, OSError)) as caught:
        with open("/dev/full", "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            with archive.open("member", "w") as member:
                member.write(b"x" * 100000)
    full = disk.full_disk(caught.value, str(tmp_path))
    assert full and full.expected == "enough free space for %s" % tmp_path


class Module:
    """As much of AnsibleModule as an exit needs."""

    def __init__(self, **params: str) -> None:
        self.params = params
        self.result: dict[str, object] = {}

    def fail_json(self, **result: object) -> None:
        self.result = result


@pytest.mark.parametrize(
    ("error", "writes", "message"),
    [
        (OSError(NO_SPACE, "No space left on device"), ["path"], "enough free space for /x/channel"),
        (OSError(NO_SPACE, "No space left on device", "/y"), ["path"], "enough free space for /y"),
        (chained(OSError(NO_SPACE, "x")), ["path"], "enough free space for /x/channel"),
        (UserError("a", "write failed (os error 28)", "c", solver="s"), ["path"], "enough free space for /x/channel"),
        # No place is made up.
        (OSError(NO_SPACE, "No space left on device"), [], "enough free space"),
        # Of a job on another machine.
        (UserError("a", "a job that printed No space left on device", "c"), [], "a"),
        (PermissionError(errno.EACCES, "Permission denied", "/y"), ["path"], "access to /y"),
    ],
)
def test_a_module_ends_with_one_line_about_the_disk(monkeypatch, error, writes, message) -> None:
    monkeypatch.setattr(disk, "_free", lambda path: (0 if path.startswith("/x") else 9, 99))
    module = Module(path="/x/channel", other="/z")

    def work() -> dict[str, object]:
        raise error

    answer(module, work, writes)
    assert module.result["expected"] == message and ("solver" in module.result) == hasattr(error, "details") * bool(
        getattr(error, "details", None)
    )


def test_a_read_only_place_is_no_question_of_owner_or_space() -> None:
    module = Module(path="/x")

    def work() -> dict[str, object]:
        raise OSError(errno.EROFS, "Read-only file system", "/x/.lock")

    answer(module, work, ["path"])
    assert module.result["expected"] == "access to /x/.lock"
    assert str(module.result["remedy"]).startswith("mount the file system so that it can be written to")


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(Module(), lambda: {"x": 1 // 0})


@pytest.mark.parametrize("name", ["\u2028", "\x85", "a\x0bb", "\u2003", "\x1c"])
def test_white_space_in_the_name_of_a_mount_hides_no_other_mount(monkeypatch, tmp_path, name) -> None:
    lines = [
        "20 1 8:1 / / rw - ext4 /dev/a rw",
        "21 20 0:40 / /home/m/%s rw - fuse x rw" % name,
        "22 20 0:41 / /home/a\\040b rw - nfs4 server:/b rw",
        "",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(lines), encoding="utf-8")
    real = open
    monkeypatch.setattr("builtins.open", lambda path, **options: real(tmp_path / "mountinfo", **options))
    assert (disk.file_system_of("/home/a b/c"), disk.mount_point_of("/home/a b/c")) == ("nfs4", "/home/a b")
    assert (disk.file_system_of("/usr"), disk.mount_point_of("/usr")) == ("ext4", "/")
