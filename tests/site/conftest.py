"""Whole runs of playbooks and roles on this machine, as a person would start them."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# A test proves that a run in check mode writes nothing into the checkout, while other tests run next to it.
sys.dont_write_bytecode = True

# They make users, or have to see every process. CI runs them as root.
NEED_ROOT = ["attack", "torch/test_prune.py", "users/test_at_the_same_time.py"]
OTHER_CORES = [path for path in os.environ.get("HPC_TEST_CORES", "").split(os.pathsep) if path]
collect_ignore = [] if os.geteuid() == 0 else list(NEED_ROOT)
if not OTHER_CORES:
    collect_ignore.append("cores")


def pytest_report_header() -> list[str]:
    """Says what is not collected here, and why."""
    return ["NOT RUN, as they need root: tests/site/%s" % name for name in collect_ignore if name in NEED_ROOT]


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Prints under which Pythons the modules ran, and which supported ones this machine does not have.

    From the reports, since the tests may have run in other processes than this one.
    """
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    ids = {
        match.group(1) for report in reports for match in [re.search(r"_runs_under\[(.+)\]$", report.nodeid)] if match
    }
    if ids:
        versions = module_at("tests/site/pythons/conftest.py").VERSIONS
        missing = [version for version in versions if version not in ids]
        terminalreporter.write_line("modules ran under Python %s" % ", ".join(sorted(ids, key=versions.index)))
        if missing:
            terminalreporter.write_line(
                "not found here: Python %s (name them in HPC_TEST_PYTHONS)" % ", ".join(missing)
            )


@pytest.fixture(autouse=True)
def same_umask() -> t.Iterator[None]:
    """A test that leaves another umask would break others that come after it."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    after = os.umask(before)
    assert after == before


@dataclasses.dataclass
class Run:
    """How an ansible-playbook run ended."""

    rc: int
    output: str

    @property
    def recap(self) -> dict[str, int]:
        """The counters of the last PLAY RECAP line: ok, changed, failed, ..."""
        lines = [line for line in self.output.splitlines() if re.search(r"ok=\d+ +changed=", line)]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", lines[-1])} if lines else {}


def ansible_playbook(
    *arguments: str, environment: t.Mapping[str, str] | None = None, program: str | None = None
) -> Run:
    """Run ansible-playbook in the checkout, that of this very environment or another *program*."""
    command = [program or str(pathlib.Path(sys.executable).with_name("ansible-playbook")), *arguments]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=dict(
            os.environ,
            ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"),
            ANSIBLE_NOCOLOR="1",
            PYTHONDONTWRITEBYTECODE="1",
            **(environment or {}),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture
def play(tmp_path: pathlib.Path) -> t.Callable[..., Run]:
    """Runs tasks on this machine: ``play(tasks, variables, "--check")``."""

    def call(tasks: t.Sequence[t.Any], variables: t.Mapping[str, t.Any], *arguments: str, **keywords: t.Any) -> Run:
        playbook = tmp_path / "play.json"
        playbook.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": dict(variables), "tasks": list(tasks)}])
        )
        return ansible_playbook(
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            json.dumps({"ansible_python_interpreter": sys.executable}),
            *arguments,
            str(playbook),
            **keywords,
        )

    return call


@pytest.fixture(scope="session")
def playbook_run() -> t.Callable[..., Run]:
    """Runs ansible-playbook in the checkout with these arguments."""
    return ansible_playbook


def module_at(path: str) -> t.Any:
    """A helper of the tests; pytest's import mode leaves no other way to them."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, CHECKOUT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load_module() -> t.Callable[[str], t.Any]:
    """Loads a helper of the tests by its path in the checkout."""
    return module_at


@pytest.fixture(scope="session")
def tiny_channel() -> t.Any:
    """The unit tests' maker of small real packages."""
    return module_at("tests/unit/conda/tiny_channel.py")


@pytest.fixture(scope="session")
def tiny_installer() -> t.Any:
    """The unit tests' maker of installers as constructor makes them."""
    return module_at("tests/unit/conda/tiny_installer.py")


@pytest.fixture(scope="session")
def tiny_wheels() -> t.Any:
    """The maker of small real wheels."""
    return module_at("tests/site/tiny_wheels.py")


def tree(folder: pathlib.Path) -> list[tuple[str, int, int]]:
    """Every path below *folder* with size and mtime, to prove that nothing was written."""
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.fixture
def tree_of() -> t.Callable[[pathlib.Path], list[tuple[str, int, int]]]:
    """What stands below a folder."""
    return tree
