# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/cores.env, core.sh, cores.sh: the series of ansible-core, each with its Python, and what is left out."""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = CHECKOUT / "tools"


def assigned(name: str) -> str:
    """The value of a variable of cores.env."""
    found = re.search(r"^%s=(.+)$" % name, (TOOLS / "cores.env").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return " ".join(shlex.split(found[1]))


SERIES = [entry.partition("=")[0] for entry in assigned("CORES").split()]
OLDEST, NEWEST = assigned("CORE_OLDEST"), assigned("CORE_NEWEST")


def pinned(series: str) -> str:
    name = "controller" if series == OLDEST else "core-" + series
    text = (CHECKOUT / ("requirements/%s.txt" % name)).read_text(encoding="utf-8")
    (version,) = re.findall(r"^ansible-core==(\S+)$", text, re.MULTILINE)
    return version


def test_the_texts_name_the_same_series() -> None:
    assert SERIES == sorted(SERIES, key=lambda name: int(name.partition(".")[2])) and SERIES[0] == OLDEST
    assert all(re.match(re.escape(series) + r"\.\d+(rc\d+|b\d+)?$", pinned(series)) for series in SERIES)
    stable = [series for series in SERIES if re.fullmatch(r"[\d.]+", pinned(series))]
    assert stable[-1] == NEWEST
    listed = {path.stem for path in (CHECKOUT / "requirements").glob("core-*.txt")}
    assert listed == {"core-" + series for series in SERIES[1:]}
    runtime = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == ">=%s.0" % OLDEST
    for path in CHECKOUT.glob("roles/*/meta/main.yml"):
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert str(meta["galaxy_info"]["min_ansible_version"]) == OLDEST, path
    jobs = yaml.safe_load((CHECKOUT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["cores"]["strategy"]["matrix"]["core"] == SERIES[1:]
    assert "ansible-core %s to %s" % (OLDEST, SERIES[-1]) in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def stub(path: pathlib.Path, version: str, whole: str = "yes") -> pathlib.Path:
    """A program that answers as an interpreter of that version does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/sh\nprintf '%%s\\t%%s\\t%%s\\n' '%s' '%s' '%s'\n" % (version, path, whole), encoding="utf-8"
    )
    path.chmod(0o755)
    return path


@pytest.fixture(name="home")
def fixture_home(tmp_path: pathlib.Path) -> pathlib.Path:
    """A home directory with a space in its name, and no Python of this machine in reach."""
    home = tmp_path / "ho me"
    home.mkdir()
    return home


def run(home: pathlib.Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    lines = ". tools/setup.sh; . tools/core.sh; SYSTEM_FOLDERS=(); PATH=${FOUND:-}; TIMEOUT=%s; " % shutil.which(
        "timeout"
    )
    # setup.sh asks each interpreter with a time limit.
    lines += 'timeout() { "$TIMEOUT" "$@"; }; '
    return subprocess.run(
        ["bash", "-c", lines + script],
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_oldest_python_that_a_series_runs_on(home: pathlib.Path) -> None:
    versions = home / ".pyenv/versions"
    stub(versions / "3.11.9/bin/python3.11", "3.11.9")
    stub(versions / "3.12.1/bin/python3.12", "3.12.1", whole="ssl")
    newer = stub(versions / "3.13.0/bin/python3.13", "3.13.0")
    assert run(home, "core_python 2.21").stdout == "3.13.0\t%s\n" % newer
    # One that is whole, also where the name promises another version than it is.
    stub(home / "bin/python3.12", "3.11.9")
    whole = stub(home / "named/python3.12", "3.12.7")
    assert run(home, "core_python 2.21", FOUND=str(home / "bin")).stdout == "3.13.0\t%s\n" % newer
    assert run(home, "core_python 2.21", HPC_TEST_PYTHONS=str(whole)).stdout == "3.12.7\t%s\n" % whole
    assert run(home, "core_python 2.22", HPC_TEST_PYTHONS=str(whole)).stdout == "3.13.0\t%s\n" % newer


def test_a_series_that_no_python_here_runs_is_left_out_and_named(home: pathlib.Path) -> None:
    done = run(home, "setup_core 2.21; echo went on", HPC_TEST_PYTHONS=str(stub(home / "bin/python3.11", "3.11.9")))
    assert (done.returncode, done.stdout) == (4, "")
    assert "NOT RUN: ansible-core 2.21, for want of a Python 3.12 to 3.13; name one in HPC_TEST_PYTHONS" in done.stderr


@pytest.mark.parametrize("name", ["2.99", "2.1", "", "2.21 2.22", "$(touch planted)"])
def test_a_series_that_is_none_is_refused(home: pathlib.Path, name: str) -> None:
    done = run(home, 'setup_core "$NAME" || exit $?', NAME=name)
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected a series of ansible-core; found '%s'; remedy: name one of: 2.19 " % name in done.stderr
    assert not (CHECKOUT / "planted").exists()


def program(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("broken", [None, "sanity", "pytest", "venv"])
def test_make_cores_checks_each_series_and_names_what_failed(tmp_path: pathlib.Path, broken: str | None) -> None:
    checkout = tmp_path / "check out"
    shutil.copytree(TOOLS, checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    with open(checkout / "tools/setup.sh", "a", encoding="utf-8") as stream:
        stream.write("setup() { PATH='%s':$PATH; VENV=/venv/of/2.19; CACHE=/nowhere; }\n" % (tmp_path / "bin"))
    with open(checkout / "tools/core.sh", "a", encoding="utf-8") as stream:
        code = {"2.20": 4, "2.21": 1 if broken == "venv" else 0}
        stream.write(
            "setup_core() { case $1 in %s esac; VENV=/venv/of/$1; }\n"
            % "".join("%s) [ %d = 0 ] || return %d;; " % (name, status, status) for name, status in code.items())
        )
    program(checkout / "tools/sanity.sh", 'echo "sanity $HPC_CORE $*"\n[ ${HPC_CORE}%s != 2.21sanity ]\n' % broken)
    (tmp_path / "bin").mkdir()
    program(
        tmp_path / "bin/python", 'echo "$HPC_TEST_CORES $*"\n[ ${HPC_TEST_CORES}%s != /venv/of/2.21pytest ]\n' % broken
    )
    done = subprocess.run(
        ["tools/cores.sh"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("===")]
    expected = []
    for name, without in {"2.19": "", "2.21": "", "2.22": "--skip-test pylint"}.items():
        if (name, broken) != ("2.21", "venv"):
            expected += [
                "sanity %s %s" % (name, without),
                "/venv/of/%s -m pytest tests/site/cores -k not sanity" % name,
            ]
    assert lines == expected
    assert "\nNOT RUN: ansible-core 2.20, sanity test pylint of 2.22\n" in done.stderr
    named = {"sanity": "sanity of 2.21", "pytest": "whole runs of 2.21", "venv": "the venv of 2.21"}
    assert done.returncode == (1 if broken else 0)
    assert ("make cores failed: %s\n" % named[broken] if broken else "") == done.stderr.partition("2.22\n")[2].lstrip()
