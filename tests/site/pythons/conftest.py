"""The Pythons of this machine, and the summary about them."""

from __future__ import annotations

import glob
import importlib.util
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[3] / "tools"


def _supported() -> tuple[str, ...]:
    """The Pythons that modules run on, as tools/pythons.env says, the oldest first."""
    spec = importlib.util.spec_from_file_location("generators_pythons", TOOLS / "generators" / "pythons.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.versions(module.read_truth(), "MODULES"))


VERSIONS = _supported()
VARIABLE = "HPC_TEST_PYTHONS"
# Where version managers keep what they have built. tests/own_home.py sets their variables.
MANAGERS = (
    ("PYENV_ROOT", "versions/*/bin"),
    ("ASDF_DATA_DIR", "installs/python/*/bin"),
    ("UV_PYTHON_INSTALL_DIR", "*/bin"),
)
_found: dict[str, str] = {}


def version_of(python: str) -> str:
    """The version of *python*, such as 3.8; empty if it does not run, such as a version manager's shim on PATH."""
    done = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def candidates() -> t.Iterator[str]:
    """Paths of Pythons that may be there, those that were named first."""
    named = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    missing = [path for path in named if not os.access(path, os.X_OK)]
    if missing:
        raise pytest.UsageError(
            "expected Pythons in %s (paths, with ':' between them); found no %s" % (VARIABLE, ", no ".join(missing))
        )
    yield from named
    for version in VERSIONS:
        name = "python" + version
        for folder in os.environ.get("PATH", "").split(os.pathsep) + ["/usr/bin", "/usr/local/bin"]:
            found = shutil.which(name, path=folder)
            if found:
                yield found
        for variable, below in MANAGERS:
            if os.environ.get(variable):
                yield from sorted(glob.glob(os.path.join(os.environ[variable], below, name)))


def pythons() -> dict[str, str]:
    """One Python for each version that is found."""
    if not _found:
        for path in candidates():
            # The version that a name promises is not asked for twice: a stand-in takes its time to say no.
            promised = pathlib.PurePath(path).name.replace("python", "")
            version = "" if promised in _found else version_of(path)
            if version in VERSIONS:
                _found.setdefault(version, path)
    return _found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes *python* runs once for each."""
    if "python" in metafunc.fixturenames:
        metafunc.parametrize(
            "python",
            [pythons()[version] for version in VERSIONS if version in pythons()],
            ids=sorted(pythons(), key=VERSIONS.index),
        )


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Which versions the modules ran under, and which this machine does not have."""
    if _found:
        missing = [version for version in VERSIONS if version not in _found]
        terminalreporter.write_line("modules ran under Python %s" % ", ".join(sorted(_found, key=VERSIONS.index)))
        if missing:
            terminalreporter.write_line("not found here: Python %s (name them in %s)" % (", ".join(missing), VARIABLE))
