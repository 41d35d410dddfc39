"""What conda's own tools find in an env, as another user too, and with a umask of root that hides files."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import tempfile
import traceback
import typing as t

import pytest

_spec = importlib.util.spec_from_file_location("conda_reader", pathlib.Path(__file__).with_name("conda_reader.py"))
assert _spec and _spec.loader
conda_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conda_reader)

# No user of this machine: what is readable to it, is readable to all.
NOBODY_ELSE = 54321


@pytest.fixture
def place() -> t.Iterator[pathlib.Path]:
    """A folder that every user can enter, which pytest's own are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-pytorch-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("python-channel") / "channel"


@pytest.fixture
def env(place, channel, python_channel, play, tiny_channel, tiny_wheels, monkeypatch) -> t.Callable[..., t.Any]:
    """Runs conda_env on ``place/envs/torch`` with Python, pip, a noarch package and a wheel, under a umask."""
    if not channel.exists():
        shutil.copytree(python_channel, channel)
        tiny_channel.make_package(channel, "tinytool", "1.0", subdir="noarch", noarch="generic")
        tiny_channel.make_package(channel, "extra", "1.0")
        tiny_channel.index(channel)
    tiny_wheels.make_wheel(place / "wheels", "tinywheel", "1.0")
    monkeypatch.setenv("HOME", str(place / "home"))
    (place / "home").mkdir()

    def call(mask: int = 0o022, **options: t.Any) -> t.Any:
        task = {
            "prefix": str(place / "envs/torch"),
            "packages": ["python", "tinytool"],
            "channels": ["file://%s" % channel],
            "package_cache": str(channel.parent / "pkgs"),
            "pip": ["--no-index", "--find-links %s/wheels" % place, "tinywheel"],
            **options,
        }
        old = os.umask(mask)
        try:
            return play([{"hpc.pytorch.conda_env": task}], {})
        finally:
            os.umask(old)

    return call


def read_as_conda(prefix: str, home: str) -> dict[str, t.Any]:
    """All that conda would show of the env, and that its Python and pip run."""
    records = conda_reader.packages(prefix)
    state, asked = conda_reader.history(prefix)
    assert state == {conda_reader.dist(record) for record in records.values()}
    said = subprocess.run(
        [os.path.join(prefix, "bin/python"), "-I", "-m", "pip", "--no-cache-dir", "list"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert "tinywheel" in said
    return {
        "packages": sorted(records),
        "asked": sorted(asked),
        "pip": conda_reader.pip_distributions(prefix),
        "known": conda_reader.known_envs(home),
    }


def _child(connection: t.Any, uid: int, prefix: str, home: str) -> None:
    try:
        if uid:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        connection.send(read_as_conda(prefix, home))
    except BaseException:
        connection.send(traceback.format_exc())


def read_by_another_user(prefix: pathlib.Path, home: pathlib.Path) -> t.Any:
    """In a child process that has given up root. Without root, as the same user, after a check of the modes."""
    for path in [prefix, *prefix.rglob("*")]:
        if not path.is_symlink():
            assert path.stat().st_mode & 0o444 == 0o444, "%s cannot be read by all" % path
    here, there = multiprocessing.get_context("fork").Pipe()
    uid = NOBODY_ELSE if os.geteuid() == 0 else 0
    child = multiprocessing.get_context("fork").Process(target=_child, args=(there, uid, str(prefix), str(home)))
    child.start()
    found = here.recv()
    child.join()
    return found


def test_another_user_reads_all_that_conda_shows(env, place):
    made = env()
    assert made.rc == 0, made.output
    prefix = place / "envs/torch"
    expected = {
        "packages": ["pip", "python", "tinytool"],
        "asked": ["python", "tinytool"],
        "pip": {"tinywheel": {"version": "1.0", "installer": "pip"}},
        "known": [str(prefix)],
    }
    assert read_by_another_user(prefix, place / "home") == expected
    # What another tool did on top is kept, and distinguished from what was asked for here.
    changed = env(packages=["python", "extra"], prune=True)
    assert changed.rc == 0, changed.output
    found = read_by_another_user(prefix, place / "home")
    assert found == dict(expected, packages=["extra", "pip", "python"], asked=["extra", "python"])


def test_roots_umask_hides_nothing(env, place):
    """An ordinary user's umask is kept."""
    prefix = place / "envs/torch"
    for options in ({}, {"packages": ["python", "tinytool", "extra"]}):
        assert env(mask=0o077, compile=True, **options).rc == 0
        if os.geteuid() == 0:
            assert read_by_another_user(prefix, place / "home")["known"] == [str(prefix)]
        else:
            assert prefix.stat().st_mode & 0o077 == 0 and read_as_conda(str(prefix), str(place / "home"))


def test_an_env_that_is_removed_is_no_longer_known(env, place):
    assert env().rc == 0
    assert env(state="absent").rc == 0
    assert conda_reader.known_envs(str(place / "home")) == [] and not (place / "envs/torch").exists()
