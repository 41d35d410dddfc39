"""Whole channels, on real parts: published, used by py-rattler, interrupted, tampered with."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import types
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel import build, publish as publishing, record
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .conftest import install, make_wheel, publish, request

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def digests(path: pathlib.Path) -> dict[str, str]:
    """Every archive with its digest."""
    return {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in record.archives_in(str(path))}


def repodata(path: pathlib.Path, subdir: str = "linux-64") -> dict[str, t.Any]:
    packages = json.loads((path / subdir / "repodata.json").read_text())["packages.conda"]
    return {
        name: {key: value for key, value in entry.items() if key != "indexed_timestamp"}
        for name, entry in packages.items()
    }


def is_unchanged(path: pathlib.Path, options: dict[str, t.Any]) -> bool:
    return record.is_unchanged(str(path), record.read_record(str(path)), request(path, **options).key())


@pytest.fixture
def channel(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> tuple[pathlib.Path, dict[str, t.Any]]:
    """A copy of the published channel, taken up by one run since its files are new ones."""
    path = tmp_path / "copy"
    shutil.copytree(published.path, path)
    assert not publish(path, **published.options).changed
    return path, published.options


@pytest.fixture
def copied(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> tuple[pathlib.Path, dict[str, t.Any]]:
    """A channel with the same packages, copied from the published one: quick to run again."""
    options = {"packages": ["alpha"], "upstream": [str(published.path)]}
    publish(tmp_path / "copied", **options)
    return tmp_path / "copied", options


def test_published_channel(published: types.SimpleNamespace) -> None:
    index = repodata(published.path)
    assert {entry["name"] for entry in index.values()} == {"python", "alpha", "beta", "gamma-ray"}
    assert {name.split("/")[1]: digest for name, digest in digests(published.path).items()} == {
        name: entry["sha256"] for name, entry in index.items()
    }
    known = record.read_record(str(published.path))
    assert {entry["file_name"]: entry["sha256"] for entry in known["packages"].values()} == {
        name: entry["sha256"] for name, entry in index.items()
    }
    alpha = next(entry for entry in index.values() if entry["name"] == "alpha")
    assert alpha["version"] == "1.0+cpu"
    assert alpha["depends"] == ["beta >=1", "gamma-ray ==1.5|==1.5+cpu", "python >=3.11,<3.12.0a0"]
    assert is_unchanged(published.path, published.options)
    for folder, folders, files in os.walk(published.path):
        assert not [name for name in folders if name.startswith(".staging")]
        for name in files:
            assert os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o644, name
        assert os.stat(folder).st_mode & 0o777 == 0o755


def test_env_from_the_channel_works(
    published: types.SimpleNamespace, tmp_path: pathlib.Path, serve: t.Callable[[pathlib.Path], str]
) -> None:
    # Over HTTP, since there a "+" in a file's name is most in danger.
    prefix = tmp_path / "env"
    install(serve(published.path), prefix, ["alpha"], tmp_path / "cache")
    python = str(prefix / "bin" / "python")
    for command in ("alpha-cmd", "alpha-script"):
        done = subprocess.run([prefix / "bin" / command], check=True, stdout=subprocess.PIPE, encoding="utf-8")
        assert done.stdout == "alpha b\u00e4ta\n"
    assert (prefix / "share/alpha/note.txt").read_text() == "note\n"
    # Nothing was compiled when it ran: every .pyc came with its package and was valid.
    code = (
        "import alpha, json, sys, importlib.util as u; s = u.find_spec('beta');"
        "flags = open(s.cached, 'rb').read(8)[4];"
        "print(json.dumps([alpha.__cached__, flags, sys.prefix, alpha.main.__code__.co_filename]))"
    )
    done = subprocess.run([python, "-B", "-c", code], check=True, stdout=subprocess.PIPE)
    cached, flags, where, file_name = json.loads(done.stdout)
    assert (flags, where) == (3, str(prefix)) and os.path.exists(cached)
    assert file_name == str(prefix / "lib/python3.11/site-packages/alpha/__init__.py")
    links = os.stat(cached).st_nlink
    assert links >= 2, "the env's .pyc is not a hard link into the cache"


def test_debian_python_takes_packages_into_the_env(
    published: types.SimpleNamespace, tmp_path: pathlib.Path, debian_python: str
) -> None:
    """What pip and setuptools ask is where packages go; Debian's answer elsewhere is its own."""
    prefix = tmp_path / "env"
    install(published.path.as_uri(), prefix, ["python"], tmp_path / "cache")
    python = str(prefix / "bin" / "python")
    site = str(prefix / "lib/python3.11/site-packages")
    # The pip that installs is the tests' own, run by the env's interpreter.
    wheel = make_wheel(
        tmp_path,
        "tiny",
        files={"tiny.py": "", "{dist}.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:x\n"},
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", str(wheel)],
        check=True,
        env=dict(os.environ, PIP_REQUIRE_VIRTUALENV="0"),
    )
    assert os.path.exists(site + "/tiny.py") and os.path.exists(prefix / "bin" / "tiny")
    code = (
        "import site, sys, sysconfig, tiny; folders = [p for p in sys.path if 'packages' in p];"
        "print(site.getsitepackages(), folders, sysconfig.get_config_var('LIBDIR'))"
    )
    done = subprocess.run([python, "-I", "-c", code], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    assert done.stdout == "%r %r %s\n" % ([site], [site], prefix / "lib")
    assert not (prefix / "lib/python3.11/EXTERNALLY-MANAGED").exists()
    subprocess.run([python, "-m", "venv", "--without-pip", "--system-site-packages", str(tmp_path / "v")], check=True)
    subprocess.run([str(tmp_path / "v/bin/python"), "-c", "import tiny, ssl, ctypes, sqlite3"], check=True)
    headers = prefix / "include/python3.11/pyconfig.h"
    assert not headers.exists() or "linux-gnu/python" not in headers.read_text()


def test_another_python_is_relocated(tmp_path: pathlib.Path, other_python: str) -> None:
    outcome = publish(tmp_path / "channel", python=[other_python])
    (entry,) = record.package_list(outcome.record)
    prefix = tmp_path / "a b" / "env"
    install(str(tmp_path / "channel"), prefix, ["python"], tmp_path / "cache")
    python = str(prefix / "bin" / "python")
    code = (
        "import sys, ssl, ctypes, sqlite3, sysconfig;"
        "print(sys.prefix, sysconfig.get_path('purelib'), sysconfig.get_config_var('LIBDIR'))"
    )
    # Without the library path of this machine: libpython must be found in the environment.
    done = subprocess.run([python, "-I", "-c", code], check=True, stdout=subprocess.PIPE, encoding="utf-8", env={})
    lib = "lib/python" + ".".join(entry["version"].split(".")[:2])
    assert done.stdout == "%s %s %s\n" % (prefix, prefix / lib / "site-packages", prefix / "lib")
    maps = subprocess.run(
        [python, "-c", "print(open('/proc/self/maps').read())"], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    ).stdout
    libraries = {line.split(None, 5)[5] for line in maps.splitlines() if "libpython" in line}
    assert all(path.startswith(str(prefix)) for path in libraries)
    site = prefix / lib / "site-packages"
    assert [path.name for path in site.iterdir()] == ["README.txt"]


def test_same_inputs_same_bytes(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> None:
    old = os.umask(0o077)
    try:
        publish(tmp_path / "again", **published.options)
    finally:
        os.umask(old)
    assert digests(tmp_path / "again") == digests(published.path)
    assert os.stat(tmp_path / "again" / "linux-64").st_mode & 0o777 == 0o755


def test_nothing_new_is_no_change(copied: tuple[pathlib.Path, dict[str, t.Any]]) -> None:
    path, options = copied
    before = {name: record.stat_of(str(path / name)) for name in record.archives_in(str(path))}
    assert is_unchanged(path, options)
    assert not publish(path, **options).changed
    assert {name: record.stat_of(str(path / name)) for name in record.archives_in(str(path))} == before


def test_check_mode_says_what_a_run_does(
    channel: tuple[pathlib.Path, dict[str, t.Any]], tmp_path: pathlib.Path, wheels: pathlib.Path
) -> None:
    path, options = channel
    links = tmp_path / "links"
    shutil.copytree(wheels, links)
    make_wheel(links, "beta", "3.0", {"beta.py": "VALUE = 3\n"})
    options = dict(options, wheel_find_links=[str(links)])
    before = {str(file): record.stat_of(str(file)) for file in path.rglob("*")}
    planned = publish(path, check_mode=True, **options)
    assert {str(file): record.stat_of(str(file)) for file in path.rglob("*")} == before
    assert planned.changed and [(item["name"], item["version"]) for item in planned.planned][-1:] == [("beta", "3.0")]
    done = publish(path, **options)
    assert done.actions == planned.actions
    assert {entry["version"] for entry in repodata(path).values() if entry["name"] == "beta"} == {"2.0", "3.0"}


def test_a_rebuilt_version_gets_the_next_build_number(
    channel: tuple[pathlib.Path, dict[str, t.Any]], tmp_path: pathlib.Path, wheels: pathlib.Path
) -> None:
    path, options = channel
    links = tmp_path / "links"
    shutil.copytree(wheels, links)
    make_wheel(links, "beta", "2.0", {"beta.py": "VALUE = 'other'\n"})
    publish(path, **dict(options, wheel_find_links=[str(links)]))
    builds = {entry["build_number"] for entry in repodata(path).values() if entry["name"] == "beta"}
    assert builds == {0, 1}
    # The first one is known by its content, not by its turn.
    assert not publish(path, **options).changed


def test_a_swapped_archive_is_an_error_and_made_anew_once_deleted(
    copied: tuple[pathlib.Path, dict[str, t.Any]],
) -> None:
    path, options = copied
    before = digests(path)
    name = next(name for name in before if "/beta-" in name)
    times = (path / name).stat()
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (path / name).write_bytes(bytes(content))
    os.utime(path / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not is_unchanged(path, options)
    index = (path / "linux-64/repodata.json").read_bytes()
    with pytest.raises(UserError, match="beta.*other content.*delete the file"):
        publish(path, **options)
    assert (path / "linux-64/repodata.json").read_bytes() == index
    (path / name).unlink()
    assert [action["name"] for action in publish(path, **options).actions] == ["beta"]
    assert digests(path) == before


@pytest.mark.parametrize("damage", ["removed", "edited"])
def test_a_damaged_index_is_made_anew(copied: tuple[pathlib.Path, dict[str, t.Any]], damage: str) -> None:
    path, options = copied
    index = path / "linux-64/repodata.json"
    before = repodata(path)
    if damage == "removed":
        index.unlink()
    else:
        index.write_text(index.read_text().replace("beta", "bets"))
    (path / "linux-64/current_repodata.json").write_text("{}")
    assert publish(path, **options).actions == [{"action": "index"}]
    assert repodata(path) == before
    assert not (path / "linux-64/current_repodata.json").exists()


def test_an_archive_that_somebody_put_there_is_indexed(
    channel: tuple[pathlib.Path, dict[str, t.Any]], tmp_path: pathlib.Path
) -> None:
    path, options = channel
    name = next(name for name in digests(path) if "/beta-" in name)
    other = tmp_path / "other"
    (other / "linux-64").mkdir(parents=True)
    shutil.copy(path / name, other / name)
    (other / "notes.txt").write_text("kept")
    outcome = publish(other, python=options["python"])
    assert {entry["name"] for entry in record.package_list(outcome.record)} == {"beta", "python"}
    assert (other / "notes.txt").read_text() == "kept"
    (other / "noarch" / "broken-1-0.conda").write_text("no package")
    index = (other / "linux-64/repodata.json").read_bytes()
    with pytest.raises(UserError, match="readable package archives"):
        publish(other, python=options["python"])
    assert (other / "linux-64/repodata.json").read_bytes() == index


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_folder_that_is_no_channel_is_refused(tmp_path: pathlib.Path, kind: str, debian_python: str) -> None:
    target = tmp_path / "x"
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="a folder at|a conda channel at"):
        publish(target, python=[debian_python])
    assert not (target / "noarch").exists() and not (target / record.RECORD_NAME).exists()


@pytest.mark.parametrize("fails", ["stage.check_staged", "pip_index.choose", "pip_index.fetch"])
def test_what_runs_at_the_same_time_ends_the_run_if_it_fails(
    tmp_path: pathlib.Path, wheels: pathlib.Path, debian_python: str, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise UserError("a part that works", fails, "repair it")

    monkeypatch.setattr(build, fails.split(".")[0], types.SimpleNamespace(**vars(getattr(build, fails.split(".")[0]))))
    monkeypatch.setattr(getattr(build, fails.split(".")[0]), fails.split(".")[1], fail)
    with pytest.raises(UserError) as error:
        publish(tmp_path / "new", python=[debian_python], wheels=["alpha"], wheel_find_links=[str(wheels)])
    assert error.value.found == fails and not (tmp_path / "new").exists()


def test_upstream_with_and_without_dependencies(
    published: types.SimpleNamespace, tmp_path: pathlib.Path, serve: t.Callable[[pathlib.Path], str]
) -> None:
    address = serve(published.path)
    source = digests(published.path)
    for number, channel in enumerate((address, published.path.as_uri(), str(published.path))):
        alone = tmp_path / ("alone%d" % number)
        publish(alone, packages=["beta"], upstream=[channel], with_dependencies=False)
        assert digests(alone).items() <= source.items() and len(digests(alone)) == 1
    options = {"packages": ["alpha"], "upstream": [address]}
    together = tmp_path / "together"
    planned = publish(together, check_mode=True, **options)
    assert len(planned.planned) == 4 and not together.exists()
    publish(together, **options)
    assert digests(together) == source
    assert is_unchanged(together, options) and not publish(together, **options).changed


def test_upstream_archive_that_is_not_what_its_index_says(
    published: types.SimpleNamespace, tmp_path: pathlib.Path, serve: t.Callable[[pathlib.Path], str]
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(published.path, bad)
    name = next(name for name in digests(bad) if "/beta-" in name)
    with open(bad / name, "ab") as stream:
        stream.write(b"x")
    for channel in (serve(bad), bad.as_uri()):
        target = tmp_path / "target"
        with pytest.raises(UserError, match="not what its index says"):
            publish(target, packages=["beta"], upstream=[channel], with_dependencies=False)
        assert not target.exists()
    (bad / name).unlink()
    with pytest.raises(UserError, match="the package .*beta"):
        publish(tmp_path / "target", packages=["beta"], upstream=[serve(bad)], with_dependencies=False)


def test_upstream_that_has_none_or_is_none(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "target"
    for options in (
        {"packages": ["delta"], "upstream": [str(published.path)]},
        {"packages": ["delta"], "upstream": [str(published.path)], "with_dependencies": False},
        {"packages": ["alpha ="], "upstream": [str(published.path)]},
        {"packages": ["alpha"], "upstream": ["http://user:secret@127.0.0.1:9/x"]},
        {"packages": ["alpha"], "upstream": [str(tmp_path / "none")]},
    ):
        with pytest.raises(UserError) as caught:
            publish(target, **options)
        assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


RUNNER = """
import sys, json, os
sys.path.insert(0, sys.argv[1])
import conftest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel import build, publish
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.request import request_from
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
steps = int(sys.argv[3])
def count(function):
    def counted(*args, **kwargs):
        global steps
        # A file that is replaced below the descriptor of its folder has no path.
        here = str(args[-1]).startswith(params["path"]) or "src_dir_fd" in kwargs
        if here and steps == 0:
            os.kill(os.getpid(), 9)
        steps -= here
        return function(*args, **kwargs)
    return counted
params = json.loads(sys.argv[2])
os.replace, os.rename, os.mkdir = count(os.replace), count(os.rename), count(os.mkdir)
build.Builder(request_from(params), Progress()).run()
"""


def test_killed_at_every_step_the_index_is_valid_and_a_rerun_finishes(
    published: types.SimpleNamespace, tmp_path: pathlib.Path, wheels: pathlib.Path
) -> None:
    """Every rename and every new folder in the channel is a moment to be killed at."""
    from .conftest import DEFAULTS

    start = tmp_path / "start"
    publish(start, packages=["beta"], upstream=[str(published.path)], with_dependencies=False)
    old, new = digests(start), digests(published.path)
    options = {"packages": ["alpha"], "upstream": [str(published.path)]}
    killed = 0
    for step in range(60):
        path = tmp_path / ("run%d" % step)
        shutil.copytree(start, path)
        params = json.dumps(dict(DEFAULTS, path=str(path), **options))
        arguments = [sys.executable, "-c", RUNNER, str(CHECKOUT / "tests/unit"), params, str(step)]
        done = subprocess.run(arguments, check=False, capture_output=True)
        index = {"linux-64/" + name: entry["sha256"] for name, entry in repodata(path).items()}
        assert index in (old, new)
        assert index.items() <= digests(path).items(), "the index names an archive that is not there"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        killed += 1
        if step % 3 == 0:
            publish(path, **options)
            assert digests(path) == new and repodata(path) == repodata(published.path)
            assert not [name for name in os.listdir(path) if name.startswith(".staging")]
            assert is_unchanged(path, options)
    assert killed >= 8 and done.returncode == 0


def test_killed_while_it_packs(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> None:
    from .conftest import DEFAULTS

    path = tmp_path / "channel"
    params = json.dumps(dict(DEFAULTS, path=str(path), **published.options))
    arguments = [sys.executable, "-c", RUNNER, str(CHECKOUT / "tests/unit"), params, "1000"]
    process = subprocess.Popen(arguments, start_new_session=True)
    deadline = time.monotonic() + 60
    # Once a first archive is being written.
    while not list(path.glob(".staging-*/finished/*/*")):
        assert process.poll() is None and time.monotonic() < deadline, "no archive was begun"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(path.glob(".staging-*")) and not record.archives_in(str(path))
    assert publish(path, **published.options).changed
    assert digests(path) == digests(published.path) and not list(path.glob(".staging-*"))


def test_another_publishers_staging_is_left_alone(tmp_path: pathlib.Path) -> None:
    names = {".staging-%s.%d-x" % (os.uname().nodename, os.getppid()): True, ".staging-elsewhere.1-x": True}
    names[".staging-%s.999999999-y" % os.uname().nodename] = False
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / ".staging-elsewhere.2-x").mkdir()
    os.utime(tmp_path / ".staging-elsewhere.2-x", (1, 1))
    publishing.remove_leftovers(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {name for name, kept in names.items() if kept}
    # Who holds the lock on a local disk is the only publisher, whatever the names of the others say.
    publishing.remove_leftovers(str(tmp_path), alone=True)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def served(published: types.SimpleNamespace, tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder that *guarded* serves, a copy of the published channel."""
    return pathlib.Path(shutil.copytree(published.path, tmp_path / "served"))


@pytest.fixture
def guarded(served: pathlib.Path, guard: t.Callable[[pathlib.Path], str]) -> str:
    """A channel behind alice's password and a token."""
    return guard(served)


@pytest.mark.parametrize("by", ["address", "token", "NETRC", "RATTLER_AUTH_FILE"])
def test_an_upstream_channel_that_asks_who_is_there(
    published: types.SimpleNamespace, guarded: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    address, credentials, target = guarded, tmp_path / "credentials", tmp_path / "target"
    if by == "address":
        address = address.replace("http://", "http://alice:pa55%40word@")
    elif by == "token":
        address = address.replace("/deep/", "/deep/t/TOKEN123/")
    else:
        monkeypatch.setenv(by, str(credentials))
        content = "machine 127.0.0.1\nlogin alice\npassword pa55@word\n"
        if by == "RATTLER_AUTH_FILE":
            content = json.dumps({"127.0.0.1": {"BasicHTTP": {"username": "alice", "password": "pa55@word"}}})
        credentials.write_text(content)
        credentials.chmod(0o600)
    publish(target, packages=["alpha"], upstream=[address])
    assert digests(target) == digests(published.path)
    assert is_unchanged(target, {"packages": ["alpha"], "upstream": [guarded]})
    secrets = [b"pa55@word", b"pa55%40word", b"TOKEN123", base64.b64encode(b"alice:pa55@word")]
    files = [path for path in target.rglob("*") if path.is_file()]
    assert not [path for path in files for secret in secrets if secret in path.read_bytes()]


def test_an_upstream_channel_that_does_not_open(guarded: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="netrc") as caught:
        publish(tmp_path / "target", packages=["alpha"], upstream=[guarded.replace("http://", "http://alice:wr0ng@")])
    assert "wr0ng" not in str(caught.value)


def test_an_upstream_archive_that_does_not_arrive(served: pathlib.Path, guarded: str, tmp_path: pathlib.Path) -> None:
    from ansible_collections.hpc.pytorch.plugins.module_utils._channel import upstream
    from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

    address = guarded.replace("/deep/", "/deep/t/TOKEN123/")
    channel = upstream.Upstream([address], Progress())
    source = channel.choose(["beta"], False, str(tmp_path / "cache"))[0]
    assert "TOKEN123" not in source.url
    with pytest.raises(UserError, match="sha256 0000"):
        channel.copy(source._replace(sha256="0" * 64), str(tmp_path / "another"))
    (served / source.subdir / source.file_name).unlink()
    with pytest.raises(UserError, match="404") as caught:
        channel.copy(source, str(tmp_path / "none"))
    assert "TOKEN123" not in str(caught.value)
