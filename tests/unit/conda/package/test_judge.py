"""Where the files of packages would end, by the rules of a file system: tables without a disk."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.package.judge import (
    FILE,
    FOLDER,
    LINK,
    Entry,
    Package,
    require_inside,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.package.names import (
    bad_archive_name,
    bad_command,
    bad_package,
    bad_path,
)

# What an env holds already.
HELD = {"old": "../outside", "inner": "share", "whole": "/env/share", "away": "/srv", "deep/er": "../.."}


def judged(*entries: Entry) -> str | None:
    try:
        require_inside([Package("app-1-0", "", entries)], "/env", HELD.get)
    except UserError as error:
        assert error.expected.startswith("a package app-1-0") and error.remedy
        return error.found
    return None


def link(path: str, target: str) -> Entry:
    return Entry(path, LINK, target)


def file(path: str) -> Entry:
    return Entry(path, FILE)


@pytest.mark.parametrize(
    "entries",
    [
        [file("lib/liba.so.1"), link("lib/liba.so", "liba.so.1")],
        [link("a/b/c", "../../d")],
        [link("a/b/c", "../..//./d/")],
        [link("x", "not/there/yet")],
        [link("x", "a/..")],
        [link("lib64", "lib"), file("lib64/x")],
        [link("x", ".")],
        [file("inner/x"), file("whole/x"), file("deep/x")],
        [link("x", "inner/../y")],
        [link("x", "/proc/mounts")],
        [file("share/conda-meta/history"), file("conda-meta/app.txt"), Entry("conda-meta", FOLDER)],
        [file("a"), file("a")],
        [link("Lib", "lib"), file("lib/x")],
    ],
)
def test_what_stays_inside(entries):
    assert judged(*entries) is None


@pytest.mark.parametrize(
    "entries",
    [
        [file("../x")],
        [file("/x")],
        [link("x", "..")],
        [link("x", "../env")],
        [link("x", "/etc/passwd")],
        [link("x", "/env/share")],
        [link("x", "/proc/mounts/../../etc")],
        [link("a/b", "../../c")],
        [link("a", "b/../.."), link("b", "c")],
        [link("b/c", ".."), link("a", "b/c/../d")],
        [file("old/x")],
        [file("away/x")],
        [link("x", "old/y")],
        [link("x", "deep/er/../y")],
        [link("x", "y/z"), link("y", "x")],
        [link("x", "")],
        [link("x", "a\0b")],
        [link("x", "conda-meta")],
        [link("x", "CONDA-META/history")],
        [link("c", "conda-meta"), file("c/history")],
        [link("conda-meta", "share")],
        [file("conda-meta")],
        [file("conda-meta/x.JSON")],
        [link("D", "."), link("x", "d/e/../../y")],
        [file("a"), link("a", "b")],
        [file("a"), Entry("a", FOLDER)],
    ],
)
def test_what_leads_outside(entries):
    assert judged(*entries)


@pytest.mark.parametrize("path", ["a", "a/b", "a b/ü", "..a/b..", "...", "-rf", "a\\b", "a" * 255, ".hidden/x"])
def test_a_path_in_a_package(path):
    assert bad_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        ".",
        "..",
        "a/",
        "a//b",
        "./a",
        "a/.",
        "a/../b",
        "a\0",
        "a\n",
        "a\x1b",
        "a\x85",
        "\ud800",
        "a" * 256,
    ]
    + ["a/" * 300 + "a", None, 7, ["a"], b"a"],
)
def test_what_is_no_path_in_a_package(path):
    assert bad_path(path)


@pytest.mark.parametrize(
    "name, version, build",
    [("numpy", "2.3.0", "py312_0"), ("_x", "1!2.0+cpu", ""), ("r-base", "4.4", "h1.2_0"), ("A.b-c", "1.0a1", "0")],
)
def test_the_name_of_a_package(name, version, build):
    assert bad_package(name, version, build) is None


@pytest.mark.parametrize(
    "name, version, build",
    [("../x", "1", "0"), ("x", "1/2", "0"), ("x", "..", "0"), ("x", "1", "../0"), ("x", "1", "a/b"), ("x", "1", "0\n")]
    + [("", "1", "0"), ("-x", "1", "0"), ("x", "", "0"), (None, "1", "0"), ("x", 1, "0"), ("x", "1", "0" * 300)],
)
def test_what_is_no_name_of_a_package(name, version, build):
    assert bad_package(name, version, build)


@pytest.mark.parametrize(
    "name", ["../x.conda", "/x.conda", "x.zip", ".x.conda", "a/x.conda", "", None, "x\n.conda", ".conda"]
)
def test_what_is_no_name_of_an_archive(name):
    assert bad_archive_name(name, (".conda", ".tar.bz2"))
    assert bad_archive_name("x-1-0.conda", (".conda", ".tar.bz2")) is None


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "/a", "../a", "a\\b", "a\n", " a", None])
def test_what_is_no_command(name):
    assert bad_command(name) and bad_command("python3.12-config") is None
