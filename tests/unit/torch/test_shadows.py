"""Packages from outside an environment: who brings what that breaks torch, and what works all the same."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import run_probe

from .standin import standin

LIBRARY = "python%d.%d" % sys.version_info[:2]
# As torch does: it needs a module that is newer than the one that comes first.
NEEDS = "from typing_extensions import deprecated\nimport numpy\n" + standin(cuda=None)
OLD = "__version__ = '3.7.4'\n"
NEW = "def deprecated(): pass\n"
NUMPY = "__version__ = '2.1.0'\n"


class Env(t.NamedTuple):
    """A conda environment whose torch needs typing_extensions and numpy, which it has; and the home of its user."""

    prefix: pathlib.Path
    home: pathlib.Path
    own: pathlib.Path

    @property
    def user_site(self) -> pathlib.Path:
        place = self.home / ".local" / "lib" / LIBRARY / "site-packages"
        place.mkdir(parents=True, exist_ok=True)
        return place

    def look(self) -> dict[str, t.Any]:
        return result(run_probe(str(self.prefix), None, 60), Asked(prefix=str(self.prefix)))


@pytest.fixture
def env(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    prefix = tmp_path / "env"
    base = pathlib.Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    library = pathlib.Path(os.path.realpath(os.__file__)).parent
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    # A python of its own, as those of conda are: in a virtual environment the user site comes last.
    shutil.copy(base, prefix / "bin" / "python")
    (prefix / "lib" / LIBRARY).mkdir(parents=True)
    for path in library.iterdir():
        if path.name not in ("site-packages", "dist-packages", "sitecustomize.py"):
            (prefix / "lib" / LIBRARY / path.name).symlink_to(path)
    for path in base.parent.parent.glob("lib/libpython*"):
        (prefix / "lib" / path.name).symlink_to(path)
    for variable in list(os.environ):
        if variable.startswith(("PYTHON", "LD_")):
            monkeypatch.delenv(variable)
    command = [str(prefix / "bin" / "python"), "-c", "import site; print(site.getsitepackages()[0])"]
    own = pathlib.Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    own.mkdir(parents=True, exist_ok=True)
    found = Env(prefix, tmp_path / "home", own)
    (found.own / "torch").mkdir()
    (found.own / "torch" / "__init__.py").write_text(NEEDS)
    (found.own / "typing_extensions.py").write_text(NEW)
    (found.own / "numpy").mkdir()
    (found.own / "numpy" / "__init__.py").write_text(NUMPY)
    monkeypatch.setenv("HOME", str(found.home))
    return found


def reason(found: dict[str, t.Any]) -> dict[str, str]:
    """The one reason, which must be that of a shadow."""
    assert found["verdict"] == "failed"
    assert [item["code"] for item in found["reasons"]] == ["user_site_shadow"], found["reasons"]
    return t.cast("dict[str, str]", found["reasons"][0])


def test_the_environment_by_itself_works(env: Env) -> None:
    found = env.look()
    assert (found["verdict"], found["shadowed"]) == ("cpu_only", [])


# What a file of the name has, for torch to fail: by an old one, by one that raises, cannot be read, or ends Python.
BROKEN = {
    "typing_extensions.py": OLD,
    "numpy/__init__.py": "raise ImportError('libopenblas.so.0: cannot open shared object file')",
    "numpy.py": "this is no Python",
    "random.py": "x = 1",
    "json.py": "x = 1",
    "ctypes.py": "import os; os._exit(7)",
    "re.py": "raise SystemExit",
}


def put(folder: pathlib.Path, name: str, text: str) -> pathlib.Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", ["typing_extensions.py", "numpy/__init__.py", "numpy.py"])
def test_a_package_in_the_user_site(env: Env, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(env.user_site, name, BROKEN[name])
    found = reason(env.look())
    assert "%s comes from %s, not from %s" % (name.split("/")[0].split(".")[0], path, env.prefix) in found["message"]
    assert "PYTHONNOUSERSITE=1" in found["remedy"]
    # Each remedy, carried out.
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"
    monkeypatch.delenv("PYTHONNOUSERSITE")
    path.unlink()
    assert env.look()["verdict"] == "cpu_only"


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_in_a_folder_of_pythonpath(
    env: Env, name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(env.own, "torch/__init__.py", "import random\nrandom.Random\n" + NEEDS)
    folder = put(tmp_path / "code", name, BROKEN[name]).parent if "/" not in name else tmp_path / "code"
    put(folder, name, BROKEN[name])
    monkeypatch.setenv("PYTHONPATH", str(folder))
    found = reason(env.look())
    assert str(folder) in found["message"]
    assert "PYTHONPATH" in found["remedy"] and "PYTHONNOUSERSITE" not in found["remedy"]
    monkeypatch.delenv("PYTHONPATH")
    assert env.look()["verdict"] == "cpu_only"


@pytest.mark.parametrize("name", BROKEN)
def test_the_working_directory_does_not_count(
    env: Env, name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, name, BROKEN[name])
    monkeypatch.chdir(tmp_path)
    assert env.look()["verdict"] == "cpu_only"


def test_a_pth_file_that_puts_a_folder_first(env: Env, tmp_path: pathlib.Path) -> None:
    put(tmp_path / "elsewhere", "typing_extensions.py", OLD)
    pth = put(env.own, "site-tools.pth", "import sys; sys.path.insert(0, %r)\n" % str(tmp_path / "elsewhere"))
    found = reason(env.look())
    assert "remove %s, which puts %s before" % (pth, tmp_path / "elsewhere") in found["remedy"]
    pth.unlink()
    assert env.look()["verdict"] == "cpu_only"


def test_a_sitecustomize_that_puts_a_folder_first(
    env: Env, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "elsewhere", "typing_extensions.py", OLD)
    text = "import sys; sys.path.insert(0, '/'.join([%r, 'elsewhere']))" % str(tmp_path)
    path = put(env.own, "sitecustomize.py", text)
    assert str(path) in reason(env.look())["remedy"]
    path.unlink()
    usercustomize = put(env.user_site, "usercustomize.py", text)
    assert "PYTHONNOUSERSITE=1" in reason(env.look())["remedy"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"
    assert usercustomize.exists()


def test_a_user_site_in_which_python_ends(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    put(env.user_site, "x.pth", "import os; os._exit(3)\n")
    found = reason(env.look())
    assert "PYTHONNOUSERSITE=1" in found["remedy"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"


@pytest.mark.parametrize("variable, value", [("PYTHONHOME", "/nowhere"), ("PYTHONWARNINGS", "error")])
def test_a_variable_of_python(env: Env, variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(env.own, "torch/__init__.py", "import warnings\nwarnings.warn('old', DeprecationWarning)\n" + NEEDS)
    monkeypatch.setenv(variable, value)
    found = reason(env.look())
    assert "%s=%s" % (variable, value) in found["message"]
    assert "unset %s" % variable in found["remedy"]
    monkeypatch.delenv(variable)
    assert env.look()["verdict"] == "cpu_only"


def test_an_environment_that_is_broken_by_itself_is_not_the_user_sites_fault(env: Env) -> None:
    put(env.user_site, "typing_extensions.py", OLD)
    put(env.own, "typing_extensions.py", OLD)
    found = env.look()
    assert [item["code"] for item in found["reasons"]] == ["import_failed"]
    assert "PYTHONPATH" not in found["reasons"][0]["remedy"]
    assert "PYTHONNOUSERSITE" not in found["reasons"][0]["remedy"]


@pytest.mark.parametrize("variable", ["LD_LIBRARY_PATH", "PYTHONPATH"])
def test_an_import_that_fails_once_is_no_variables_fault(
    env: Env, variable: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file server did not answer for a moment: torch then works without the variable, and with it too."""
    once = (
        "import os\nif not os.path.exists({0!r}):\n    open({0!r}, 'w').close()\n    raise ImportError('I/O error')\n"
    )
    put(env.own, "torch/__init__.py", once.format(str(tmp_path / "was here")) + NEEDS)
    monkeypatch.setenv(variable, str(tmp_path / "code"))
    found = env.look()
    assert [item["code"] for item in found["reasons"]] == ["import_failed"]
    assert variable not in found["reasons"][0]["remedy"]


def test_what_works_all_the_same_is_told_and_accuses_nobody(env: Env) -> None:
    path = put(env.user_site, "typing_extensions.py", NEW)
    put(env.user_site, "tqdm.py", "")
    found = env.look()
    assert (found["verdict"], [item["code"] for item in found["reasons"]][0]) == ("cpu_only", "cpu_only_build")
    own = str(env.own / "typing_extensions.py")
    assert found["shadowed"] == [{"name": "typing_extensions", "path": str(path), "instead": own}]


def test_a_numpy_of_the_user_site_that_torch_cannot_use(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    put(env.own, "torch/__init__.py", standin(cuda=None, numpy=1))
    put(env.own, "numpy/__init__.py", "__version__ = '1.26.4'")
    path = put(env.user_site, "numpy/__init__.py", NUMPY)
    assert "numpy comes from %s" % path in reason(env.look())["message"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"


def test_a_device_that_fails_with_a_package_of_the_user_site(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = "\nimport triton\nif triton.OLD: FAULTS[0, 'copy'] = 'Triton Error [CUDA]: device kernel image'\n"
    put(env.own, "torch/__init__.py", standin(count=2) + fails)
    put(env.own, "triton.py", "OLD = False")
    put(env.user_site, "triton.py", "OLD = True")
    assert "triton comes from" in reason(env.look())["message"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "ok"


def test_a_numpy_of_the_user_site_that_is_broken(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch 2 has it: it can be imported, and hides why it does without numpy."""
    put(env.own, "torch/__init__.py", standin(cuda=None))
    path = put(env.user_site, "numpy/__init__.py", "raise ImportError('libopenblas.so.0: cannot open')")
    found = reason(env.look())
    assert "numpy comes from %s" % path in found["message"] and "libopenblas.so.0" in found["message"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"


def test_a_numpy_that_the_environment_does_not_even_have(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    put(env.own, "torch/__init__.py", standin(cuda=None, numpy=1))
    shutil.rmtree(env.own / "numpy")
    path = put(env.user_site, "numpy/__init__.py", NUMPY)
    assert "numpy comes from %s" % path in reason(env.look())["message"]
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    assert env.look()["verdict"] == "cpu_only"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, text",
    [
        ("typing_extensions.py", OLD),
        ("numpy/__init__.py", "raise ImportError('libopenblas.so.0: cannot open')"),
        ("random.py", "x = 1"),
        ("sympy.py", "x = 1"),
    ],
)
def test_a_real_torch(
    real_torch: pathlib.Path, name: str, text: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in list(os.environ):
        if variable.startswith(("PYTHON", "LD_")):
            monkeypatch.delenv(variable)
    path = put(tmp_path / "code", name, text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    found = result(run_probe(str(real_torch), None, 120), Asked(prefix=str(real_torch)))
    if name == "sympy.py":
        # Which torch imports when it needs it.
        assert (found["verdict"], [item["code"] for item in found["reasons"]][0]) == ("cpu_only", "cpu_only_build")
        return
    said = reason(found)
    assert "%s comes from %s" % (name.split("/")[0].split(".")[0], path) in said["message"]
    assert "unset PYTHONPATH" in said["remedy"]
