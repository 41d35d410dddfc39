# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A channel's index writes nothing where root did not ask, whatever its records say: conda_channel and conda_env."""

from __future__ import annotations

import functools
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import typing as t

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from evil_packages import CONDA_ENV, Package, file, write_index  # isort: skip

from ansible_collections.hpc.pytorch.plugins.module_utils._channel.declare import Options as ChannelOptions, declare
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options

CONDA_CHANNEL: dict[str, t.Any] = {
    "python": [],
    "wheels": [],
    "wheel_index": None,
    "wheel_find_links": [],
    "wheel_no_index": True,
    "wheel_refuse": [],
    "wheel_max_megabytes": 400,
    "cpu_index": "",
    "names": {},
    "packages": ["app"],
    "with_dependencies": True,
    "update": False,
    "executable": None,
    "progress_file": None,
}
DEEP = "../../../../../../../../../.."

# What an index says about an honest package, by what is wrong with it.
EVIL: dict[str, dict[str, t.Any]] = {
    "subdir up": {"subdir": "../../../../treasure"},
    "subdir up one": {"subdir": ".."},
    "subdir dot": {"subdir": "."},
    "subdir absolute": {"subdir": "/treasure-of-nobody"},
    "subdir of two": {"subdir": "linux-64/../../../treasure"},
    "subdir unknown": {"subdir": "linux-65"},
    "subdir hidden": {"subdir": ".staging-x"},
    "subdir of another index": {"subdir": "noarch"},
    "subdir of another platform": {"subdir": "win-64"},
    "subdir with NUL": {"subdir": "linux-64\0"},
    "subdir a number": {"subdir": 64},
    "subdir a list": {"subdir": ["linux-64"]},
    "build up": {"build": "../../../../../treasure/new"},
    "build absolute": {"build": "/treasure-of-nobody"},
    "build with a line's end": {"build": "0\n1"},
    "build with NUL": {"build": "0\0"},
    "build of a thousand letters": {"build": "0" * 1000},
    "build a number": {"build": 0},
    "build a list": {"build": ["0"]},
    "version up": {"version": "1.0/../../../x"},
    "version two dots": {"version": ".."},
    "version empty": {"version": ""},
    "version a number": {"version": 1.0},
    "name of another package": {"name": "../../x"},
    "name with a slash": {"name": "app/x"},
    "name a list": {"name": ["app"]},
    "size smaller": {"size": 10},
    "size negative": {"size": -1},
    "size enormous": {"size": 1 << 63},
    "size beyond a number": {"size": 1 << 70},
    "size a text": {"size": "10"},
    "sha256 of something else": {"sha256": "0" * 64},
    "sha256 too short": {"sha256": "00"},
    "sha256 no hex": {"sha256": "../" * 21 + "."},
    "sha256 a number": {"sha256": 7},
    "sha256 missing": {"sha256": False},
    "sha256 missing, with an md5": {"sha256": False, "md5": "0" * 32},
    "build_number negative": {"build_number": -1},
    "build_number a text": {"build_number": "a"},
    "site_packages up": {"name": "app", "python_site_packages_path": "../../../treasure"},
    "site_packages absolute": {"name": "app", "python_site_packages_path": "/treasure-of-nobody"},
}
# What is wrong with an index as a whole, from its text to what is served.
WHOLE: dict[str, t.Callable[[str], bytes]] = {
    "empty": lambda text: b"",
    "no JSON": lambda text: b"<html>",
    "cut": lambda text: text.encode()[:-20],
    "a list": lambda text: b"[]",
    "null": lambda text: b"null",
    "deep": lambda text: b"[" * 100000,
    "packages a list": lambda text: json.dumps(dict(json.loads(text), packages=["app"])).encode(),
    "packages a text": lambda text: json.dumps(dict(json.loads(text), packages="app")).encode(),
    "records that are texts": lambda text: json.dumps({"packages": {"app-1.0-0.tar.bz2": "app"}}).encode(),
    "not UTF-8": lambda text: text.replace('"app"', '"a\udcff"').encode("utf-8", "surrogateescape"),
}
NAMES = (
    DEEP + "/treasure/app-1.0-0.tar.bz2",
    "../noarch/app-1.0-0.tar.bz2",
    "/app-1.0-0.tar.bz2",
    ".app-1.0-0.tar.bz2",
    "app-1.0-0.tar.bz2\n.tar.bz2",
    "app-1.0-0.tar.bz2\0.tar.bz2",
    "app-1.0-0.zip",
    "app-1.0-0",
    "",
    "%2e%2e%2fapp-1.0-0.tar.bz2",
)
BASES = ("file:///", "http://127.0.0.1:1/", "../../../../", "ftp://127.0.0.1/", "data:,")


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[pathlib.Path], str]]:
    """Serves a folder over HTTP."""
    servers = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    def start(folder: pathlib.Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:%d" % server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def consumer(place, monkeypatch, request):
    """Takes the package app from a channel as root, into a channel or an env. Returns whether it was refused."""
    monkeypatch.setenv("HOME", str(place / "root"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (place / "root").mkdir()

    def call(kind: str, address: str, **options: t.Any) -> dict[str, t.Any]:
        if kind == "conda_env":
            given = {**CONDA_ENV, "prefix": str(place / "envs/env"), "channels": [address], "packages": ["app"]}
            return declare_env(Options(**{**given, **options}), False)
        given = {**CONDA_CHANNEL, "path": str(place / "site/channel"), "upstream": [address], **options}
        return declare(ChannelOptions.of(given), False)

    return call


@pytest.fixture
def rejects(consumer, place, treasure):
    """Checks that both refuse a channel, in one line, and that nothing was written."""

    def call(kind: str, address: str, **options: t.Any) -> str:
        before = sorted(str(path) for path in place.rglob("*") if place / "root" not in path.parents)
        with pytest.raises(UserError) as refused:
            consumer(kind, address, **options)
        after = sorted(str(path) for path in place.rglob("*") if place / "root" not in path.parents)
        assert "\n" not in str(refused.value) and treasure.is_untouched() and after == before
        assert not os.path.lexists("/treasure-of-nobody")
        return str(refused.value)

    return call


def publish(place: pathlib.Path, form: str = ".tar.bz2", **record: t.Any) -> pathlib.Path:
    Package([file("share/app.txt")], record=record).publish(place / "channel", form)
    return place / "channel"


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
@pytest.mark.parametrize("name", EVIL)
def test_no_field_of_a_record_leads_elsewhere(rejects, place, serve, kind, name):
    channel = publish(place, **EVIL[name])
    # A folder of root's may have packages without hashes; of a file only the content counts.
    local = "missing" not in name and name != "size smaller"
    rejects(kind, "file://%s" % channel if local else serve(channel))


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
@pytest.mark.parametrize("name", NAMES)
def test_no_file_name_leads_elsewhere(rejects, place, kind, name):
    channel = publish(place)
    path = channel / "linux-64/repodata.json"
    whole = json.loads(path.read_text())
    whole["packages"] = {name: whole["packages"]["app-1.0-0.tar.bz2"]}
    path.write_text(json.dumps(whole))
    rejects(kind, "file://%s" % channel)


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_broken_index_is_one_line(rejects, place, kind, name):
    channel = publish(place)
    path = channel / "linux-64/repodata.json"
    path.write_bytes(WHOLE[name](path.read_text()))
    rejects(kind, "file://%s" % channel)


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("served", [False, True])
def test_no_index_takes_packages_from_elsewhere(rejects, place, serve, kind, base, served):
    channel = publish(place)
    path = channel / "linux-64/repodata.json"
    whole = json.loads(path.read_text())
    whole["info"]["base_url"] = base
    path.write_text(json.dumps(whole))
    rejects(kind, serve(channel) if served else "file://%s" % channel)


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
def test_an_archive_that_never_ends_is_not_read_on(rejects, place, serve, kind):
    channel = publish(place)
    with open(channel / "linux-64/app-1.0-0.tar.bz2", "ab") as stream:
        stream.truncate(1 << 30)
    assert "app-1.0-0" in rejects(kind, serve(channel))


def test_an_upstream_with_an_evil_package_is_not_copied(rejects, place):
    Package([file("../../treasure/new")], paths=[]).publish(place / "channel", ".conda")
    assert "../../treasure/new" in rejects("conda_channel", "file://%s" % (place / "channel"))


@pytest.mark.parametrize("hashed", ["sha256", "md5", "neither"])
def test_a_lock_file_needs_a_sha256(consumer, rejects, place, serve, hashed):
    address = serve(publish(place))
    lock = place / "lock.yml"
    assert consumer("conda_env", address, lock_file=str(lock))["changed"]
    consumer("conda_env", address, state="absent")
    text = lock.read_text()
    if hashed != "sha256":
        text = re.sub(r"\n *sha256: .*", "", text)
    if hashed == "md5":
        text = re.sub(r"(\n- conda: .*)", r"\1\n  md5: " + "0" * 32, text)
    lock.write_text(text)
    if hashed == "sha256":
        assert consumer("conda_env", address, lock_file=str(lock))["changed"]
    else:
        (place / "root/.cache/rattler").rename(place / "root/old")
        rejects("conda_env", address, lock_file=str(lock))


# --- what keeps working ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("form", [".tar.bz2", ".conda"])
def test_an_honest_channel_is_taken(consumer, place, serve, kind, served, form):
    channel = publish(place, form)
    address = serve(channel) if served else "file://%s" % channel
    assert consumer(kind, address)["changed"] and not consumer(kind, address)["changed"]


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
def test_a_folder_of_roots_needs_no_hash(consumer, place, kind):
    assert consumer(kind, "file://%s" % publish(place, sha256=False, size=False))["changed"]


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
def test_a_channel_may_keep_its_packages_on_another_server(consumer, place, serve, kind):
    channel = publish(place)
    (place / "other").mkdir()
    (channel / "linux-64/app-1.0-0.tar.bz2").rename(place / "other/app-1.0-0.tar.bz2")
    path = channel / "linux-64/repodata.json"
    whole = json.loads(path.read_text())
    whole["info"]["base_url"] = serve(place / "other")
    path.write_text(json.dumps(whole))
    assert consumer(kind, serve(channel))["changed"]


@pytest.mark.parametrize("kind", ["conda_channel", "conda_env"])
def test_another_record_of_an_index_may_be_evil(consumer, place, kind):
    channel = publish(place)
    write_index(channel, "linux-64", {"other-1-0.tar.bz2": {**Package(name="other").index(), "subdir": "../x"}})
    assert consumer(kind, "file://%s" % channel)["changed"]
