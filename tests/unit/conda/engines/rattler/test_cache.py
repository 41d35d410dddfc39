"""What killed runs leave in the package cache goes; what a live one may use stays."""

from __future__ import annotations

import fcntl
import os
import pathlib
import socket
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common import disk
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler import (
    cache as package_cache,
    engine as rattler_engine,
)

NOBODY = 999999999


@pytest.fixture(name="cache")
def fixture_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """One package, a half-unpacked one next to it, and files with similar names."""
    monkeypatch.setattr(package_cache, "is_on_network", lambda path: False)
    for name in ("app-1.0-0", ".app-1.0-0Ab12cd", ".other-1.0-0Ab12cd", ".mine"):
        (tmp_path / name).mkdir()
    for name in ("app-1.0-0.lock", ".cache.lock"):
        (tmp_path / name).touch()
    return tmp_path


def names(cache):
    return set(os.listdir(cache))


def test_half_unpacked_packages_go_and_nothing_else(cache):
    before = names(cache)
    package_cache.remove_abandoned(str(cache))
    assert before - names(cache) == {".app-1.0-0Ab12cd"}


@pytest.mark.parametrize("lock", [fcntl.flock, fcntl.lockf])
def test_nothing_half_goes_while_another_run_is_at_work(cache, lock):
    code = (
        "import fcntl, sys; s = open(sys.argv[1], 'r+'); fcntl.%s(s, fcntl.LOCK_EX); print('held', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code % lock.__name__, str(cache / ".cache.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    before = names(cache)
    package_cache.remove_abandoned(str(cache))
    assert names(cache) == before and package_cache.is_busy(str(cache))
    holder.communicate("\n")
    package_cache.remove_abandoned(str(cache))
    assert names(cache) < before and not package_cache.is_busy(str(cache))


def test_on_a_network_file_system_only_age_tells(cache, monkeypatch):
    monkeypatch.setattr(package_cache, "is_on_network", lambda path: True)
    package_cache.remove_abandoned(str(cache))
    assert (cache / ".app-1.0-0Ab12cd").exists()
    os.utime(cache / ".app-1.0-0Ab12cd", (0, 0))
    package_cache.remove_abandoned(str(cache))
    assert not (cache / ".app-1.0-0Ab12cd").exists()


def test_scratch_prefixes_go_with_their_process_on_this_host_only(cache):
    start, host = ".hpc-pytorch-fetch.", socket.gethostname()
    gone, alive, elsewhere = (
        start + rest for rest in ("%s.%d" % (host, NOBODY), "%s.%d" % (host, os.getpid()), "other.%d" % NOBODY)
    )
    for name in (gone, alive, elsewhere):
        (cache / name).mkdir()
    package_cache.remove_abandoned(str(cache))
    assert names(cache) & {gone, alive, elsewhere} == {alive, elsewhere}
    assert package_cache.scratch_prefix(str(cache)).startswith(str(cache / alive) + "-")


def test_what_another_user_left_in_a_shared_cache_is_theirs(cache, monkeypatch):
    monkeypatch.setattr(package_cache.os, "geteuid", lambda: os.getuid() + 1)
    before = names(cache)
    package_cache.remove_abandoned(str(cache))
    assert names(cache) == before


def test_a_cache_that_is_not_there_yet_is_no_obstacle(tmp_path):
    package_cache.remove_abandoned(str(tmp_path / "later"))
    assert not package_cache.is_busy(str(tmp_path / "later"))


def test_rattler_names_its_folders_as_we_expect(declare, home, monkeypatch):
    """The real engine, killed while it unpacks: what it leaves is recognised, and it holds the lock that we ask."""
    cache = home / ".cache/rattler/cache/pkgs"
    seen = []

    class Watching(rattler_engine.Reporter):
        def on_link_start(self, operation, package_name):
            seen.append(package_cache.is_busy(str(cache)))
            return super().on_link_start(operation, package_name)

    monkeypatch.setattr(rattler_engine, "Reporter", Watching)
    declare(packages=["app"])
    assert seen == [True, True] and not package_cache.is_busy(str(cache))
    assert {"app-2.0-0", "app-2.0-0.lock", ".cache.lock"} <= names(cache)


def test_a_run_tidies_up_before_it_installs(declare, home):
    declare(packages=["app=1.*"])
    cache = home / ".cache/rattler/cache/pkgs"
    (cache / ".app-1.0-0Ab12cd").mkdir()
    declare(packages=["app=2.*"])
    assert [name for name in names(cache) if name.startswith(".")] == [".cache.lock"]


def test_the_file_system_of_a_path(tmp_path, monkeypatch):
    assert disk.file_system_of("/proc/self") == "proc"
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /home rw shared:1 - nfs4 server:/h rw\n"
        "3 2 0:3 / /home/a\\040b rw - xfs /dev/b rw\n4 1 0:4 / /home rw - lustre x rw\n"
    )
    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *args, **more: real(table if path == "/proc/self/mountinfo" else path, *args, **more),
    )
    assert [disk.file_system_of(path) for path in ("/usr", "/homes", "/home/c", "/home/a b/c")] == [
        "ext4",
        "ext4",
        "lustre",
        "xfs",
    ]
    assert disk.is_on_network("/home/c") and not disk.is_on_network("/usr")
