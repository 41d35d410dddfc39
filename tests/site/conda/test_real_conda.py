"""conda_env with a real conda, mamba or micromamba, on request:

    HPC_TEST_CONDA=/opt/conda/bin/conda .venv/bin/python -m pytest tests/site/conda/test_real_conda.py

The channel and every home and cache are the tests' own. Without the variable, conftest.py leaves this file out.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

NAMED = os.environ["HPC_TEST_CONDA"].split(":")
# conda_env's own defaults, for the one test that needs the module's work in a process that it can kill.
DEFAULTS: dict[str, t.Any] = {
    "prefix": None,
    "name": None,
    "envs_dir": None,
    "packages": [],
    "prune": False,
    "pip": [],
    "channels": None,
    "channel_priority": None,
    "lock_file": None,
    "engine": "auto",
    "executable": None,
    "cuda": None,
    "package_cache": None,
    "compile": False,
    "register_envs": False,
    "verify": False,
    "state": "present",
    "progress_file": None,
}


@pytest.fixture(params=NAMED)
def tool(request: pytest.FixtureRequest, load_module: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """One of the commands, with its solver."""
    found = load_module("tests/real_tool.py").real_tool(request.param)
    for variable, value in found.environment().items():
        monkeypatch.setenv(variable, value)
    return found


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """app 1.0 needs liba 1, app 2.0 needs liba 2; extra needs nothing; gpu needs __cuda 12; big has many files."""
    folder = tmp_path_factory.mktemp("real") / "channel"
    for version, needs in (("1.0", "liba >=1,<2"), ("2.0", "liba >=2")):
        tiny_channel.make_package(folder, "liba", version)
        script = "#!%s/bin/sh\n# app %s\n" % (tiny_channel.PLACEHOLDER, version)
        tiny_channel.make_package(folder, "app", version, depends=[needs], files={"bin/app": script})
    tiny_channel.make_package(folder, "extra")
    tiny_channel.make_package(folder, "gpu", depends=["__cuda >=12"])
    tiny_channel.make_package(
        folder, "big", files={"share/big/%d.txt" % number: "%d\n" % number for number in range(20000)}
    )
    return tiny_channel.index(folder)


@pytest.fixture
def env(
    tmp_path: pathlib.Path, channel: pathlib.Path, play: t.Any, monkeypatch: pytest.MonkeyPatch, tool: t.Any
) -> t.Callable[..., t.Any]:
    """Runs conda_env on ``tmp_path/envs/env`` and returns the run, with the module's result as ``result``."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAMBA_ROOT_PREFIX", str(tmp_path / "home/root"))
    report = tmp_path / "result.json"

    def call(*arguments: str, **options: t.Any) -> t.Any:
        report.unlink(missing_ok=True)
        task = {
            "prefix": str(tmp_path / "envs/env"),
            "packages": ["app"],
            "channels": ["file://%s" % channel],
            "package_cache": str(tmp_path / "pkgs"),
            "engine": tool.kind,
            "executable": tool.executable,
            **options,
        }
        if task["engine"] == "rattler":
            task.update(executable=sys.executable, package_cache=str(tmp_path / "rattler"))
        kept = {"content": "{{ done | to_json }}", "dest": str(report), "mode": "0600"}
        tasks = [
            {"hpc.pytorch.conda_env": task, "register": "done"},
            {"ansible.builtin.copy": kept, "check_mode": False, "changed_when": False},
        ]
        run = play(tasks, {}, *arguments)
        run.result = json.loads(report.read_text()) if report.exists() else {}
        return run

    return call


@pytest.fixture
def prefix(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "envs/env"


def actions(run: t.Any) -> dict[str, str]:
    assert run.rc == 0, run.output
    return {action["name"]: action["action"] for action in run.result["actions"]}


@pytest.fixture
def listed(tool: t.Any) -> t.Callable[[pathlib.Path], dict[str, str]]:
    """What the tool itself finds in an env."""

    def call(prefix: pathlib.Path) -> dict[str, str]:
        done = subprocess.run(
            [tool.executable, "list", "--prefix", str(prefix), "--json"],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return {package["name"]: package["version"] for package in json.loads(done.stdout)}

    return call


def test_create_check_again_change_latest_prune(env, prefix, tree_of, listed):
    predicted = env("--check", packages=["app=1.*"])
    assert actions(predicted) == {"app": "install", "liba": "install"} and not prefix.exists()
    made = env(packages=["app=1.*"])
    assert actions(made) == actions(predicted) and made.result["packages"] == predicted.result["packages"]
    assert listed(prefix) == {"app": "1.0", "liba": "1.0"}
    assert (prefix / "bin/app").read_text() == "#!%s/bin/sh\n# app 1.0\n" % prefix
    before = tree_of(prefix)
    assert env(packages=["app=1.*"]).recap["changed"] == 0 and env("--check", packages=["app"]).recap["changed"] == 0
    assert tree_of(prefix) == before

    assert actions(env(packages=["app=1.*", "extra"])) == {"extra": "install"}
    assert actions(env(packages=["app"])) == {}
    assert actions(env(packages=["app=2.*"])) == {"app": "change", "liba": "change"}
    assert listed(prefix) == {"app": "2.0", "liba": "2.0", "extra": "1.0"}
    assert actions(env(packages=["app=2.*"], prune=True)) == {"extra": "remove"}
    assert actions(env(packages=["app=1.*"])) == {"app": "change", "liba": "change"}
    assert actions(env(packages=["app"])) == {}
    assert actions(env(packages=["app"], state="latest")) == {"app": "change", "liba": "change"}
    assert listed(prefix) == {"app": "2.0", "liba": "2.0"}
    record = json.loads((prefix / "conda-meta/app-2.0-0.json").read_text())
    assert record["depends"] == ["liba >=2"] and record["sha256"]
    history = (prefix / "conda-meta/history").read_text()
    assert all("file://" not in line for line in history.splitlines() if "specs" in line)


def test_envs_go_back_and_forth_between_the_engines(env, prefix, listed):
    assert env(packages=["app=1.*"], engine="rattler").rc == 0
    assert listed(prefix) == {"app": "1.0", "liba": "1.0"}
    assert actions(env(packages=["app=2.*", "extra"])) == {"app": "change", "liba": "change", "extra": "install"}
    assert actions(env(packages=["app=1.*", "extra"], engine="rattler")) == {"app": "change", "liba": "change"}
    assert env(packages=["app=1.*", "extra"], verify=True).recap["changed"] == 0
    assert listed(prefix) == {"app": "1.0", "liba": "1.0", "extra": "1.0"}


def test_others_can_list_it_whatever_the_umask(env, prefix):
    assert env().rc == 0
    for path in [prefix, prefix / "conda-meta", *(prefix / "conda-meta").iterdir()]:
        assert path.stat().st_mode & 0o004, path


def test_what_cannot_be_is_said_with_the_solvers_words(env, prefix):
    for options, says in (({"packages": ["gpu"], "cuda": "none"}, "__cuda"), ({"packages": ["nothere"]}, "nothere")):
        failed = env(**options)
        assert failed.rc != 0 and says in failed.output and not prefix.exists()
    assert actions(env(packages=["gpu"], cuda="12.8")) == {"gpu": "install"}


def test_a_damaged_file_is_laid_down_again_even_through_a_hard_link(env, prefix):
    assert env().rc == 0
    with open(prefix / "share/liba.txt", "r+") as stream:
        stream.write("XXXX")
    assert actions(env(verify=True)) == {"liba": "reinstall"}
    assert (prefix / "share/liba.txt").read_text() == "liba 2.0\n"


def test_a_lock_file_is_written_and_obeyed(env, prefix, tmp_path, listed):
    lock = str(tmp_path / "lock.txt")
    assert env(packages=["app=1.*"], lock_file=lock).rc == 0
    assert env(packages=["app=1.*"], lock_file=lock).recap["changed"] == 0
    other = env(packages=["app"], lock_file=lock, prefix=str(tmp_path / "envs/other"))
    assert other.rc == 0 and listed(tmp_path / "envs/other") == {"app": "1.0", "liba": "1.0"}
    wrong = env(packages=["app=2.*"], lock_file=lock, prefix=str(tmp_path / "envs/third"))
    assert wrong.rc != 0 and "lock file that satisfies" in wrong.output


def test_killed_while_it_is_made_then_run_again(env, prefix, channel, tmp_path, tool):
    """Module and tool are killed when the first of many files are there; the next run repairs what is left."""
    params = dict(
        DEFAULTS,
        prefix=str(prefix),
        packages=["big"],
        channels=["file://%s" % channel],
        engine=tool.kind,
        executable=tool.executable,
        package_cache=str(tmp_path / "pkgs"),
    )
    program = (
        "import json, sys; "
        "from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder as Finder; "
        "Finder(paths=[sys.argv[1]])._install(); "
        "from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env; "
        "from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options; "
        "declare_env(Options(**json.loads(sys.argv[2])), False)"
    )
    collections = str(pathlib.Path(__file__).resolve().parents[3] / ".collections")
    run = subprocess.Popen([sys.executable, "-c", program, collections, json.dumps(params)], start_new_session=True)
    while run.poll() is None and not list(prefix.glob("share/big/*")):
        time.sleep(0.005)
    assert run.poll() is None, "it ended before it could be killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert (prefix / "conda-meta/hpc_pytorch.changing").exists()
    repaired = env(packages=["big"])
    assert repaired.rc == 0 and repaired.recap["changed"] == 1, repaired.output
    assert len(list(prefix.glob("share/big/*"))) == 20000 and not (prefix / "conda-meta/hpc_pytorch.changing").exists()
    assert env(packages=["big"], verify=True).recap["changed"] == 0
