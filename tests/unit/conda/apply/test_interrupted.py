"""A part of make faults, at named points and without root: kill -9, a full disk, failing servers, parallel runs."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler import engine as rattler_engine
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler.reporter import Reporter
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import own_record, prefix as env, records, verify
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
from tiny_channel import index, make_package

TESTS = pathlib.Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location("server", TESTS / "faults/server.py")
assert _spec and _spec.loader
server_module = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("server", server_module)
_spec.loader.exec_module(server_module)

CREATED = (
    "engines.rattler.reporter:Reporter.on_link_start",
    "apply.lifecycle:append_history",
    "apply.lifecycle:_rename_into_place",
    "apply.lifecycle:_finish",
)
CHANGED = (
    "engines.rattler.reporter:Reporter.on_unlink_start",
    "engines.rattler.reporter:Reporter.on_link_complete",
    "apply.lifecycle:mark_changing",
    "apply.lifecycle:remove_stale_bytecode",
    "apply.lifecycle:write_record",
    "apply.lifecycle:clear_changing",
)


@pytest.fixture(name="start")
def fixture_start(home: pathlib.Path, channel: pathlib.Path) -> t.Callable[..., subprocess.Popen[str]]:
    """Starts conda_env as a process group of its own, with a fault."""

    def call(*packages: str, fault: t.Mapping[str, str] | None = None, **options: t.Any) -> subprocess.Popen[str]:
        given = {"name": "torch", "packages": packages, "channels": ["file://%s" % channel], "compile": True, **options}
        return subprocess.Popen(
            [sys.executable, str(TESTS / "module_process.py"), "conda_env", json.dumps(given)],
            env=dict(os.environ, **(fault or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return call


def answer(process: subprocess.Popen[str]) -> dict[str, t.Any]:
    out, error = process.communicate()
    assert out, error
    return json.loads(out)


def is_whole(prefix: pathlib.Path, version: str) -> bool:
    return (
        env.kind_of(str(prefix)) == "env"
        and not verify.damaged_packages(str(prefix))
        and {package.name: package.version for package in records.installed_packages(str(prefix))}
        == {"app": version, "liba": version}
        and own_record.read_record(str(prefix))["listing_sha256"] == own_record.listing_sha256(str(prefix))
    )


def left_behind(home: pathlib.Path, prefix: pathlib.Path) -> list[str]:
    found = [
        name
        for name in os.listdir(home / ".cache/rattler/cache/pkgs")
        if name.startswith(".") and name != ".cache.lock"
    ]
    found += [name for name in os.listdir(prefix.parent) if name != "torch"]
    return found + [name for name in os.listdir(prefix / "conda-meta") if name.startswith((".", "prefix_record"))]


@pytest.mark.parametrize("point", CREATED)
def test_a_killed_creation_is_no_env_until_it_is_done_again(start, prefix, home, point):
    killed = start("app=2.*", fault={"HPC_TEST_KILL_AT": point})
    assert killed.wait() == -signal.SIGKILL
    assert env.kind_of(str(prefix)) == ("unfinished" if point == "apply.lifecycle:_finish" else "absent")
    assert answer(start("app=2.*"))["changed"] and is_whole(prefix, "2.0") and not left_behind(home, prefix)


@pytest.mark.parametrize("point", CHANGED)
def test_a_killed_change_is_the_old_env_or_marked(start, prefix, home, point):
    assert answer(start("app=1.*"))["changed"]
    killed = start("app=2.*", fault={"HPC_TEST_KILL_AT": point})
    assert killed.wait() == -signal.SIGKILL
    assert env.kind_of(str(prefix)) == "unfinished" or is_whole(prefix, "1.0")
    assert answer(start("app=2.*"))["changed"] and is_whole(prefix, "2.0") and not left_behind(home, prefix)


@pytest.mark.parametrize("size", [0, 2000, 50000])
def test_a_full_disk_is_one_line_and_the_next_run_succeeds(start, prefix, home, channel, size):
    (channel / "linux-64/app-2.0-0.tar.bz2").unlink()
    index(channel)
    make_package(channel, "app", "2.0", depends=["liba >=2"], files={"share/app.bin": "x" * 200000})
    index(channel)
    failed = answer(start("app=2.*", fault={"HPC_TEST_FILE_SIZE": str(size)}))
    assert (
        failed["failed"]
        and "\n" not in failed["msg"]
        and "too large for the file system, or for the file size limit" in failed["msg"]
        and "remedy: " in failed["msg"]
    )
    assert env.kind_of(str(prefix)) == "absent"
    assert answer(start("app=2.*"))["changed"] and is_whole(prefix, "2.0") and not left_behind(home, prefix)


@pytest.mark.parametrize(
    "word,fault",
    # No index has a hash.
    [
        (word, fault)
        for word in ("app-2.0", "repodata")
        for fault in server_module.FAULTS
        if (word, fault) != ("repodata", "wrong hash")
    ],
)
def test_a_server_that_fails_leaves_the_env_as_it_was(start, prefix, home, channel, fault, word):
    assert answer(start("app=1.*"))["changed"]
    with server_module.Server(channel) as server:
        server.fault, server.word = fault, word
        failed = answer(start("app=2.*", channels=[server.address], fault={"HPC_TEST_SILENCE": "5"}))
        assert failed["failed"] and "\n" not in failed["msg"] and "remedy: " in failed["msg"]
        assert is_whole(prefix, "1.0")
        server.fault = None
        again = answer(start("app=2.*", channels=[server.address]))
        assert again.get("changed"), again["msg"]
    assert is_whole(prefix, "2.0") and not left_behind(home, prefix)


def test_runs_at_once_share_a_cache_and_an_env(start, prefix, home):
    runs = [start("app=2.*") for unused in range(2)] + [start("app=1.*", name="env%d" % number) for number in range(2)]
    assert sorted(answer(run)["changed"] for run in runs[:2]) == [False, True]
    assert all(answer(run)["changed"] for run in runs[2:])
    assert is_whole(prefix, "2.0") and all(is_whole(prefix.parent / name, "1.0") for name in ("env0", "env1"))
    assert set(os.listdir(prefix.parent)) == {"torch", "env0", "env1"}


def test_a_cache_that_cannot_be_written_to_names_its_option(start, prefix, tmp_path):
    (tmp_path / "file").touch()
    failed = answer(start("app=2.*", package_cache=str(tmp_path / "file/pkgs")))
    assert "set package_cache" in failed["msg"] and env.kind_of(str(prefix)) == "absent"


def test_only_a_download_can_be_silent(monkeypatch):
    """Not what waits for the cache, nor what is unpacked once all of it is here."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    reporter = Reporter(Progress())
    reporter.on_populate_cache_start(0, "numpy")
    now[0] = 1000.0
    assert reporter.silent_for(300) is None
    reporter.on_download_start(0)
    now[0] = 1299.0
    assert reporter.silent_for(300) is None
    now[0] = 1301.0
    assert reporter.silent_for(300) == "numpy"
    reporter.on_download_progress(0, 10, 100)
    assert reporter.silent_for(300) is None
    now[0] = 1602.0
    assert reporter.silent_for(300) == "numpy"
    reporter.on_download_progress(0, 100, 100)
    now[0] = 9000.0
    assert reporter.silent_for(300) is None


def test_a_chain_of_causes_is_told_once():
    layer = "failed to interact with the package cache layer."
    output = "failed to fetch a.conda\nCaused by:\n %s\nCaused by:\n io error: no space\nCaused by: no space" % layer
    assert rattler_engine._cause(output) == "failed to fetch a.conda: io error: no space"
