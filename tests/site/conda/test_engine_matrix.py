"""What conda_env does, step by step on one env with Python and pip, with each engine that runs as a command.

With the stand-ins for conda and mamba, and with a real conda, mamba or micromamba on request, like test_real_conda.py:

    HPC_TEST_CONDA=/opt/conda/bin/conda .venv/bin/python -m pytest tests/site/conda/test_engine_matrix.py

Several may be named, with ``:`` between them and ``@SOLVER`` behind a conda. Each step's line is printed (``-s`` shows
it).
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[2]
FAKE = TESTS / "unit/conda/engines/cli/fake_conda.py"
# What --version prints.
STAND_INS = {"conda": "conda 26.7.1", "mamba": "2.8.1"}


class Matrix:
    """One engine's env, and what each step led to."""

    def __init__(self, folder: pathlib.Path, kind: str, executable: str, channels: t.Sequence[pathlib.Path]) -> None:
        self.folder = folder
        self.prefix = folder / "envs/env"
        self.steps = 0
        self.defaults = {
            "prefix": str(self.prefix),
            "channels": ["file://%s" % channel for channel in channels],
            "engine": kind,
            "executable": executable,
            "package_cache": str(folder / "pkgs"),
            "register_envs": False,
        }
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "CONDA_SOLVER")}
        self.environment = dict(kept, HOME=str(folder / "home"), TMPDIR=str(folder / "tmp"), LC_ALL="C.UTF-8")
        self.environment["MAMBA_ROOT_PREFIX"] = str(folder / "home/root")

    def run(self, name: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """One step: the module's result."""
        task = dict(self.defaults, **options)
        if task["engine"] == "rattler":
            task.update(executable=sys.executable, package_cache=str(self.folder / "rattler"))
        done = subprocess.run(
            [
                sys.executable,
                str(TESTS / "module_process.py"),
                "conda_env",
                json.dumps(dict(task, _ansible_check_mode=check)),
            ],
            cwd="/",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            result: dict[str, t.Any] = json.loads(done.stdout)
        except ValueError:
            pytest.fail("%s: no result but %s" % (name, done.stdout + done.stderr))
        self.steps += 1
        print("%2d %s: %s" % (self.steps, name, result.get("msg") or json.dumps(actions(result))))
        return result

    def does(self, name: str, expected: dict[str, str], check: bool = False, **options: t.Any) -> None:
        """A step after which exactly the *expected* actions are done, or in check mode would be."""
        before = None if not check or not self.prefix.exists() else listing(self.prefix)
        result = self.run(name, check, **options)
        assert not result.get("failed"), "%s: %s" % (name, result["msg"])
        assert (actions(result), result["changed"]) == (expected, bool(expected)), name
        assert before is None or listing(self.prefix) == before, "%s: check mode changed the env" % name

    def fails(self, name: str, *words: str, **options: t.Any) -> None:
        """A step that is refused with these words, on one line, and changes nothing."""
        before = listing(self.prefix)
        result = self.run(name, **options)
        assert result.get("failed"), name
        missing = [word for word in words if word not in result["msg"]]
        assert not missing and "\n" not in result["msg"], "%s: %s" % (name, result["msg"])
        assert listing(self.prefix) == before, name


def actions(result: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {action["name"]: action["action"] for action in result.get("actions") or []}


def listing(folder: pathlib.Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """app 1.0 needs liba 1, app 2.0 needs liba 2; extra needs nothing; gpu needs __cuda 12."""
    folder = tmp_path_factory.mktemp("matrix") / "channel"
    for version, needs in (("1.0", "liba >=1,<2"), ("2.0", "liba >=2")):
        tiny_channel.make_package(folder, "liba", version)
        script = "#!%s/bin/sh\n# app %s\n" % (tiny_channel.PLACEHOLDER, version)
        tiny_channel.make_package(folder, "app", version, depends=[needs], files={"bin/app": script})
    tiny_channel.make_package(folder, "extra")
    tiny_channel.make_package(folder, "gpu", depends=["__cuda >=12"])
    return t.cast("pathlib.Path", tiny_channel.index(folder))


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """Three versions of a Python that prints nothing, and a pip for it."""
    folder = tmp_path_factory.mktemp("matrix") / "pythons"
    for version in ("3.11.1", "3.11.2", "3.12.1"):
        files = {"bin/python": "#!/bin/sh\n# %s\n" % version, "bin/python%s" % version[:4]: "#!/bin/sh\n"}
        tiny_channel.make_package(folder, "python", version, files=files)
    tiny_channel.make_package(folder, "pip", "26.0", depends=["python"], files={"share/pip.txt": "pip\n"})
    return t.cast("pathlib.Path", tiny_channel.index(folder))


@pytest.fixture(params=[*STAND_INS, *filter(None, os.environ.get("HPC_TEST_CONDA", "").split(":"))])
def engine(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, load_module: t.Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """Kind and path of a command."""
    if request.param not in STAND_INS:
        tool = load_module("tests/real_tool.py").real_tool(request.param)
        for variable, value in tool.environment().items():
            monkeypatch.setenv(variable, value)
        return tool.kind, tool.executable
    path = tmp_path / "tools" / request.param
    path.parent.mkdir()
    version = 'if [ "$*" = --version ]; then echo "%s"; exit; fi' % STAND_INS[request.param]
    path.write_text(
        '#!/bin/sh\n%s\nexec %s %s %s %s "$@"\n' % (version, sys.executable, FAKE, request.param, tmp_path / "log")
    )
    path.chmod(0o755)
    return request.param, str(path)


def test_an_env_with_python_and_pip(engine, tmp_path, tiny, python_channel, tiny_wheels):
    for version in ("1.0", "2.0"):
        tiny_wheels.make_wheel(tmp_path / "wheels", "tool", version)
    find = ["--no-index", "--find-links %s" % (tmp_path / "wheels")]
    matrix = Matrix(tmp_path, *engine, [tiny, python_channel])
    prefix, lock = matrix.prefix, str(tmp_path / "lock.txt")
    python, one = ["python", "pip"], [*find, "tool==1.0"]

    made = {"app": "install", "liba": "install"}
    predicted = actions(matrix.run("check mode of the creation", True, packages=python, pip=one))
    assert {"python", "pip", "tool==1.0"} <= set(predicted) and not prefix.exists()
    matrix.does("creation", predicted, packages=python, pip=one)
    matrix.does("creation again", {}, packages=python, pip=one)
    matrix.does("creation again, check mode", {}, True, packages=python, pip=one)
    matrix.does("verify", {}, packages=python, pip=one, verify=True)

    old, free, new = [*python, "app=1.*"], [*python, "app"], [*python, "app=2.*"]
    matrix.does("one more package, check mode", made, True, packages=old, pip=one)
    matrix.does("one more package", made, packages=old, pip=one)
    matrix.does("what satisfies is kept", {}, packages=free, pip=one)
    both = {"app": "change", "liba": "change"}
    matrix.does("a newer version, check mode", both, True, packages=new, pip=one)
    matrix.does("a newer version", both, packages=new, pip=one)
    matrix.does("an older version", both, packages=old, pip=one)
    matrix.does("latest, check mode", both, True, packages=free, state="latest")
    matrix.does("latest", both, packages=free, state="latest")
    matrix.does("latest again", {}, packages=free, state="latest")
    matrix.does("a package that the user adds", {"extra": "install"}, packages=[*free, "extra"])
    matrix.does("it is kept", {}, packages=free)
    matrix.does("prune, check mode", {"extra": "remove"}, True, packages=free, prune=True)
    matrix.does("prune", {"extra": "remove"}, packages=free, prune=True)
    matrix.does("prune again", {}, packages=free, prune=True)

    two = [*find, "tool==2.0"]
    matrix.does("a newer requirement of pip", {"tool": "install"}, packages=free, pip=two)
    matrix.does("the requirement again", {}, packages=free, pip=two)
    matrix.does("the requirement with another package", {"extra": "install"}, packages=[*free, "extra"], pip=two)

    with open(prefix / "share/liba.txt", "r+") as stream:
        stream.write("XXXX")
    matrix.does("verify with a changed file", {"liba": "reinstall"}, packages=free, pip=two, verify=True)
    real = os.path.realpath(prefix / "bin/python")
    os.unlink(real)
    matrix.does("verify with a deleted Python", {"python": "reinstall"}, packages=free, pip=two, verify=True)
    for path in prefix.glob("lib/python3*/site-packages/tool*.py"):
        path.unlink()
    for path in prefix.glob("lib/python3*/site-packages/tool"):
        shutil.rmtree(path)
    matrix.does("verify with a deleted module of pip's", {"tool": "reinstall"}, packages=free, pip=two, verify=True)

    matrix.does("back to the older one", both, packages=old, pip=two)
    assert matrix.run("a lock file is written", packages=old, lock_file=lock)["changed"]
    matrix.does("the lock file again", {}, packages=old, lock_file=lock)
    other = str(tmp_path / "envs/other")
    locked = actions(matrix.run("the lock file in another env", packages=["app"], lock_file=lock, prefix=other))
    assert locked.get("app") == "install" and list(pathlib.Path(other).glob("conda-meta/app-1.0-*.json"))
    matrix.fails("a lock file that does not satisfy", "lock file that satisfies", packages=new, lock_file=lock)

    matrix.fails("no CUDA", "__cuda", packages=[*free, "gpu"], cuda="none")
    matrix.does("CUDA", {"gpu": "install"}, packages=[*free, "gpu"], cuda="12.8")
    matrix.fails("a package that does not exist", "nothere", packages=[*free, "nothere"])
    nowhere = "file://%s" % (tmp_path / "nowhere")
    matrix.fails("a channel that does not exist", "channels that answer", packages=[*free, "x"], channels=[nowhere])

    gone = {"extra": "remove", "gpu": "remove"}
    matrix.does("changed by rattler", {**both, **gone}, packages=new, engine="rattler", prune=True)
    matrix.does("changed back", both, packages=old)
    matrix.does("verify by rattler", {}, packages=old, engine="rattler", verify=True)

    half = tmp_path / "half"
    matrix.run("the packages of another env", packages=["extra"], prefix=str(half), channels=["file://%s" % tiny])
    for path in (tmp_path / "pkgs").rglob("extra-1.0-0/share/extra.txt"):
        path.unlink()
    matrix.does("a package that is half in the cache", {"extra": "install"}, packages=[*old, "extra"])
    matrix.does("the package verified", {}, packages=[*old, "extra"], verify=True)

    matrix.run("absent, check mode", True, state="absent")
    assert prefix.exists()
    matrix.run("absent", state="absent")
    assert not prefix.exists() and sorted(os.listdir(prefix.parent)) == ["other"]
    assert not [name for name in os.listdir(tmp_path / "tmp") if name.startswith("hpc-pytorch")]
    assert matrix.steps >= 38


def test_an_env_whose_python_is_updated(engine, tmp_path, pythons):
    """mamba starts the Python of an env whenever that has a record of pip, also while there is none."""
    matrix = Matrix(tmp_path, *engine, [pythons])
    matrix.does("creation", {"python": "install", "pip": "install"}, packages=["python=3.11.1", "pip"])
    matrix.does("a patch version", {"python": "change"}, packages=["python=3.11.2", "pip"])
    matrix.does("a minor version", {"python": "change"}, packages=["python=3.12.*", "pip"])
    matrix.does("verify", {}, packages=["python=3.12.*", "pip"], verify=True)
    (matrix.prefix / "bin/python").unlink()
    matrix.does("verify without it", {"python": "reinstall"}, packages=["python=3.12.*", "pip"], verify=True)
    matrix.does("back", {"python": "change"}, packages=["python=3.11.1", "pip"])
    assert (matrix.prefix / "bin/python").read_text() == "#!/bin/sh\n# 3.11.1\n"
