"""What may be asked of a channel, and when there is nothing to do."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel import record
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .conftest import request as make_request


@pytest.mark.parametrize(
    "name",
    ["numpy>=2,<3", "torch==2.13.0+cpu", "a[b,c]>=1; python_version < '4'", "a ~= 1.0", "/w/a-1-py3-none-any.whl"],
)
def test_requirements_that_are_taken(name: str) -> None:
    assert make_request("/c", python=["/p"], wheels=[name]).wheels == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "--index-url=http://x",
        "-e .",
        "a @ http://x/a.whl",
        "a\n--pre",
        "a; x\n-r y",
        "../a.whl",
        "a b",
        "$(id)",
        "",
        "/w/../a.whl",
        "é==1",
    ],
)
def test_requirements_that_are_refused(name: str) -> None:
    with pytest.raises(UserError) as caught:
        make_request("/c", python=["/p"], wheels=[name])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["relative", "/", "/a/../b", "/a\nb", os.path.expanduser("~")])
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(UserError):
        make_request(path, python=["/p"])


@pytest.mark.parametrize("path", ["/a b/c;d", "/a/$(id)", "/kanal-\u00e4", "/a'b\"c"])
def test_paths_that_are_odd_but_fine(path: str) -> None:
    assert make_request(path, python=["/p"]).path == path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"wheels": ["a"]},
        {"packages": ["a"]},
        {"packages": ["a"], "upstream": ["relative"]},
        {"packages": ["a"], "upstream": ["ftp://x/y"]},
        {"packages": ["a"], "upstream": ["/c"]},
        {"packages": ["a"], "upstream": ["file:///c"]},
        {"packages": ["a\nb"], "upstream": ["/u"]},
        {"packages": ["http://x/a.conda"], "upstream": ["/u"]},
        {"python": ["/p"], "wheel_index": "x"},
        {"python": ["/p"], "cpu_index": "http://a b"},
        {"python": ["/p"], "names": {"a": "B c"}},
    ],
)
def test_requests_that_are_refused(options: dict[str, t.Any]) -> None:
    with pytest.raises(UserError):
        make_request("/c", **options)


def test_key_follows_every_option_but_the_place() -> None:
    key = make_request("/c", python=["/p"], wheels=["a"]).key()
    assert make_request("/d", python=["/p"], wheels=["a"]).key() == key
    assert make_request("/c", python=["/p"], wheels=["a>1"]).key() != key
    assert make_request("/c", python=["/p"], wheels=["a"], wheel_refuse=[]).key() != key


def test_credentials_do_not_decide_whether_a_request_is_the_same() -> None:
    keys = {
        make_request(
            "/c", packages=["b"], upstream=["http://%sh/x" % user], wheel_index="http://%sh/simple" % user
        ).key()
        for user in ("", "me:old@", "me:new@")
    }
    assert len(keys) == 1


@pytest.fixture
def channel(tmp_path: pathlib.Path) -> tuple[pathlib.Path, dict[str, t.Any]]:
    """A folder with one archive, an index and the record of both."""
    (tmp_path / "noarch").mkdir()
    for name, content in (("noarch/a-1-0.conda", "archive"), ("noarch/repodata.json", "{}"), ("input", "x")):
        (tmp_path / name).write_text(content)
    entry = {
        "name": "a",
        "version": "1",
        "build": "0",
        "build_number": 0,
        "subdir": "noarch",
        "file_name": "a-1-0.conda",
        "size": 7,
    }
    archive = str(tmp_path / "noarch/a-1-0.conda")
    entry.update(sha256=record.sha256_of_file(archive), stat=record.stat_of(archive))
    known = record.empty_record()
    known["packages"]["noarch/a-1-0.conda"] = entry
    known["index"]["noarch/repodata.json"] = {
        "sha256": "x",
        "stat": record.stat_of(str(tmp_path / "noarch/repodata.json")),
    }
    known.update(request="key", watched=record.watched_stats([str(tmp_path / "input")]))
    (tmp_path / record.RECORD_NAME).write_bytes(record.dump_record(known))
    return tmp_path, known


def unchanged(path: pathlib.Path, key: str = "key") -> bool:
    return record.is_unchanged(str(path), record.read_record(str(path)), key)


def test_unchanged(channel: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, known = channel
    assert record.read_record(str(path)) == known
    assert unchanged(path)
    assert not unchanged(path, "another key")


@pytest.mark.parametrize("name", ["noarch/a-1-0.conda", "noarch/repodata.json", "input"])
def test_a_replaced_file_is_a_change(channel: tuple[pathlib.Path, dict[str, t.Any]], name: str) -> None:
    path = channel[0] / name
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    size = path.stat().st_size
    path.unlink()
    path.write_text("y" * size)
    if name != "input":
        os.utime(path, ns=times)
    assert not unchanged(channel[0])


@pytest.mark.parametrize("name", ["noarch/a-1-0.conda", "noarch/repodata.json", "input", record.RECORD_NAME])
def test_a_missing_file_is_a_change(channel: tuple[pathlib.Path, dict[str, t.Any]], name: str) -> None:
    (channel[0] / name).unlink()
    assert not unchanged(channel[0])


def test_an_archive_that_somebody_added_is_a_change(channel: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    (channel[0] / "noarch" / "b-1-0.tar.bz2").write_text("")
    assert not unchanged(channel[0])


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 2}', '{"format": 1, "packages": []}', json.dumps({"format": 1})]
)
def test_a_record_that_cannot_be_read_is_none(tmp_path: pathlib.Path, content: str) -> None:
    (tmp_path / record.RECORD_NAME).write_text(content)
    assert record.read_record(str(tmp_path)) == record.empty_record()


def test_times_alone_do_not_make_an_archive_bad(channel: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, known = channel
    os.utime(path / "noarch/a-1-0.conda", (1, 1))
    assert record.check_archives(str(path), known) == ["noarch/a-1-0.conda"]


def test_other_content_is_an_error(channel: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, known = channel
    (path / "noarch/a-1-0.conda").write_text("ARCHIVE")
    with pytest.raises(UserError, match="a-1-0.conda.*delete the file"):
        record.check_archives(str(path), known)
